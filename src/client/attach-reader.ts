import type { Response } from "../protocol/envelope.ts";
import type { Outcome } from "../protocol/outcome.ts";
import {
  decodeJson,
  decodePosition,
  TERMINAL_FRAME,
  type TerminalControl,
  type TerminalFrame,
  TerminalFrameSplitter,
} from "../protocol/terminal-frames.ts";
import { LinesThenBytes } from "./lines-then-bytes.ts";

/** What a server says on the connection of a terminal. `foreign`: not a server of ours. */
export type Heard =
  | { kind: "answer"; answer: Response }
  | { kind: "foreign"; text: string }
  | { kind: "output"; position: number; bytes: Uint8Array }
  | { kind: "screen"; position: number; bytes: Uint8Array }
  | { kind: "ack"; position: number }
  | { kind: "control"; control: TerminalControl }
  | { kind: "end"; outcome: Outcome };

/** Thrown where a server breaks the rules of frames. */
export class BrokenFrame extends Error {}

/**
 * Reads the bytes of one connection of a terminal: answers as lines, and frames behind the one after which `isLive` is set. It asks after each, so whoever
 * reads may stop at any of them.
 */
export class AttachReader {
  readonly #lines = new LinesThenBytes();
  readonly #frames = new TerminalFrameSplitter();
  /** The terminal is attached: what follows is frames. */
  isLive = false;

  /** @throws BrokenFrame */
  *read(bytes: Uint8Array): Generator<Heard, void> {
    if (this.isLive) return yield* this.#framesIn(bytes);
    this.#lines.push(bytes);
    while (!this.isLive) {
      const read = this.#lines.nextLine();
      if (read.kind === "none") return;
      if (read.kind === "too-long") return yield { kind: "foreign", text: "a line without an end" };
      const answer = answerIn(read.text);
      yield answer ? { kind: "answer", answer } : { kind: "foreign", text: read.text };
    }
    yield* this.#framesIn(this.#lines.rest());
  }

  *#framesIn(bytes: Uint8Array): Generator<Heard, void> {
    for (const frame of parsed(() => this.#frames.push(bytes))) {
      const heard = parsed(() => heardIn(frame));
      if (heard) yield heard;
    }
  }
}

/** Undefined: of a newer server. */
function heardIn({ type, payload }: TerminalFrame): Heard | undefined {
  switch (type) {
    case TERMINAL_FRAME.output:
      return { kind: "output", ...decodePosition(payload) };
    case TERMINAL_FRAME.screen:
      return { kind: "screen", ...decodePosition(payload) };
    case TERMINAL_FRAME.ack:
      return { kind: "ack", position: decodePosition(payload).position };
    case TERMINAL_FRAME.control: {
      const control = decodeJson<TerminalControl>(payload);
      if (typeof control?.cols !== "number") throw new BrokenFrame();
      return { kind: "control", control };
    }
    case TERMINAL_FRAME.end: {
      const outcome = decodeJson<Outcome>(payload);
      if (typeof outcome?.kind !== "string") throw new BrokenFrame();
      return { kind: "end", outcome };
    }
    default:
      return undefined;
  }
}

/** What comes from outside can be anything: that it cannot be read is no bug of ours. */
function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new BrokenFrame();
  }
}

/** An answer of ours, or undefined for whatever else a line may be. */
function answerIn(text: string): Response | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value?.success === "boolean" ? value : undefined;
  } catch {
    return undefined;
  }
}
