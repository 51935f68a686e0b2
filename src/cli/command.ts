import type { Context } from "./context.ts";
import type { Topic } from "./topics.ts";

/**
 * What a verb is: a record, from which help, completion, argument parsing and the reference in docs/ are made. The options have the shape that
 * `util.parseArgs` takes, with words for people beside it.
 */
export interface OptionSpec {
  type: "boolean" | "string";
  short?: string;
  multiple?: boolean;
  description: string;
  /** What stands for the value in help: `DURATION`. */
  value?: string;
  /** The values that it takes, for completion and errors; absent: any. */
  choices?: readonly string[];
  /** The value when the flag stands alone; one is then given as `--flag=VALUE` only. */
  optional?: string;
  /** The heading under which help shows it; default "Options". */
  group?: string;
}
export type OptionSpecs = Record<string, OptionSpec>;

/** What an operand names, which is what completion offers for it. */
export type OperandKind =
  | "unit"
  | "session"
  | "saved-session"
  | "run"
  | "verb"
  | "signal"
  | "server"
  | "job-name"
  | "participant"
  /** A message, by its number. */
  | "message"
  | "choice"
  | "file"
  | "text";

export interface Operands {
  kinds: readonly OperandKind[];
  min: number;
  /** Default: as many as there are kinds; the last kind repeats. */
  max?: number;
  /** For the kind `choice`. */
  choices?: readonly string[];
  /** Where the first word is one of these, the kinds of all of them: `gateway deploy me@host` is about no unit. */
  byChoice?: Readonly<Record<string, readonly OperandKind[]>>;
}

export interface Example {
  /** As typed, with `warren`. */
  command: string;
  does: string;
}

type Value<S extends OptionSpec> = S["type"] extends "boolean" ? boolean : string;
export type Values<O extends OptionSpecs> = {
  [K in keyof O]?: O[K] extends { multiple: true } ? Value<O[K]>[] : Value<O[K]>;
};

export interface Input<O extends OptionSpecs = OptionSpecs> {
  values: Values<O>;
  operands: string[];
}

export interface Command<O extends OptionSpecs = OptionSpecs> {
  /** Without `warren`: `stop NAME… [--force]`. */
  usage: readonly string[];
  /** A paragraph or two below the usage. */
  details?: string;
  examples: readonly [Example, Example, ...Example[]];
  options: O;
  operands: Operands;
  /** From the first operand on, everything is somebody's command line and is passed on untouched. */
  takesCommand?: boolean;
  /** The first operand names one of these, and what follows is its command line. */
  topics?: readonly Topic[];
  /** Resolves with the exit status. @throws WarrenError */
  run(context: Context, input: Input<O>): Promise<number>;
}

/** A command whose option types are forgotten, as the table holds it. */
export interface AnyCommand extends Omit<Command, "run"> {
  run(context: Context, input: Input): Promise<number>;
}

export const defineCommand = <const O extends OptionSpecs>(command: Command<O>): AnyCommand =>
  command as unknown as AnyCommand;

export const NO_OPERANDS: Operands = { kinds: [], min: 0 };
export const ONE_UNIT: Operands = { kinds: ["unit"], min: 1 };
export const UNITS: Operands = { kinds: ["unit"], min: 1, max: Number.POSITIVE_INFINITY };

export const JSON_OPTION = { type: "boolean", description: "print JSON" } as const satisfies OptionSpec;
