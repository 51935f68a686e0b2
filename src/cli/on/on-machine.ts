/**
 * What a command means with `--on MACHINE`. `there`: the same, of that machine's units; it asks servers for everything. Otherwise it is of this machine alone,
 * and says why. Every verb says it in its table, and each part of a verb that is asked there.
 */
export type OnMachine = "there" | HereOnly;

export interface HereOnly {
  /** Behind `warren VERB`: `reads the warren.yaml of this directory`. */
  why: string;
  /** What to type behind `warren --on MACHINE` instead. Default: the very command, run there. Empty: it without `--on`. */
  instead?: string;
}

export const SAME_EVERYWHERE: HereOnly = { why: "says the same everywhere", instead: "" };
