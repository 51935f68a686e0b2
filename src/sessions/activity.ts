import type { Clock } from "../platform/clock.ts";

/**
 * What a terminal's program is doing, from the facts that a terminal gives: `working`, `idle`, or `needs_you` (it rang, or sent a notification, and
 * nobody has typed since).
 *
 * A shell says where its prompt is (OSC 133) when it has been told to; then that decides. Otherwise a shell is idle when it is silent and is itself in
 * the foreground of its terminal, so that a silent `sleep 100` counts as work; any other program is idle when it is silent for a while.
 */
export type ActivityState = "working" | "needs_you" | "idle";

/** Silence after which the foreground is looked at. */
const SHELL_QUIET_MS = 300;
/** Silence after which a program that is no shell counts as idle. */
const PROGRAM_QUIET_MS = 2_000;
/** A bell soon after a key is the answer to the key. */
const KEY_BELL_MS = 2_000;
/** How often a shell that is silent behind a foreground program is looked at again: its prompt would be output, so seldom. */
const FOREGROUND_LOOK_MS = 5_000;

const SHELLS = new Set([
  "sh",
  "bash",
  "zsh",
  "fish",
  "dash",
  "ash",
  "ksh",
  "mksh",
  "tcsh",
  "csh",
  "nu",
  "elvish",
  "xonsh",
]);

/** A shell that somebody types into: not one that runs a command or a script. */
export const isShell = ([program = "", ...args]: readonly string[]): boolean =>
  SHELLS.has(program.replace(/^.*\//, "").replace(/^-/, "")) &&
  args.every((arg) => arg.startsWith("-") && !/^-[a-z]*c/.test(arg));

export interface ActivityOptions {
  clock: Clock;
  /** Whether the program is a shell. */
  isShell: boolean;
  /** Whether the program itself is in the foreground of its terminal; undefined when that cannot be told. */
  isForeground: () => boolean | undefined;
  onChange: (state: ActivityState) => void;
}

export class Activity {
  readonly #options: ActivityOptions;
  #state: ActivityState = "working";
  #attention: string | undefined;
  #mark: "prompt" | "command" | undefined;
  #busy = true;
  #lastInputMs = Number.NEGATIVE_INFINITY;
  #lastOutputMs: number;
  #cancelLook: (() => void) | undefined;
  #isFarLook = false;

  constructor(options: ActivityOptions) {
    this.#options = options;
    this.#lastOutputMs = options.clock.monotonicMs();
    this.#lookAfter(this.#quietMs);
  }

  get state(): ActivityState {
    return this.#state;
  }

  /** What it needs you for. */
  get attention(): string | undefined {
    return this.#attention;
  }

  output(): void {
    if (this.#mark === "prompt") return; // a prompt that is drawn, a key that is echoed
    this.#busy = true;
    this.#lastOutputMs = this.#options.clock.monotonicMs();
    if (!this.#cancelLook || this.#isFarLook) this.#lookAfter(this.#quietMs);
    this.#settle();
  }

  input(): void {
    this.#lastInputMs = this.#options.clock.monotonicMs();
    this.#attention = undefined;
    this.#settle();
  }

  /** A command was sent by a program, which may wait for its end next: until it was silent again, it works. */
  sent(): void {
    this.input();
    if (this.#mark === undefined) this.output();
  }

  bell(): void {
    if (this.#options.clock.monotonicMs() - this.#lastInputMs < KEY_BELL_MS) return;
    this.notification("bell");
  }

  notification(text: string): void {
    this.#attention = text;
    this.#settle();
  }

  /** OSC 133: A and B begin the prompt, C the command, D ends it. */
  mark(letter: string): void {
    if (letter === "C") this.#mark = "command";
    else if (letter === "A" || letter === "B" || letter === "D") this.#mark = "prompt";
    else return;
    this.#busy = this.#mark === "command";
    this.#settle();
  }

  close(): void {
    this.#cancelLook?.();
  }

  get #quietMs(): number {
    return this.#options.isShell ? SHELL_QUIET_MS : PROGRAM_QUIET_MS;
  }

  #lookAfter(delayMs: number): void {
    this.#cancelLook?.();
    this.#isFarLook = delayMs === FOREGROUND_LOOK_MS;
    this.#cancelLook = this.#options.clock.timer(delayMs, () => this.#look());
  }

  /** One timer however much is written: it finds out by itself that there was more. */
  #look(): void {
    this.#cancelLook = undefined;
    if (this.#mark !== undefined) return;
    const quietMs = this.#options.clock.monotonicMs() - this.#lastOutputMs;
    if (quietMs < this.#quietMs) return this.#lookAfter(this.#quietMs - quietMs);
    if (this.#options.isShell && this.#options.isForeground() === false) return this.#lookAfter(FOREGROUND_LOOK_MS);
    this.#busy = false;
    this.#settle();
  }

  #settle(): void {
    const state = this.#attention !== undefined ? "needs_you" : this.#busy ? "working" : "idle";
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onChange(state);
  }
}
