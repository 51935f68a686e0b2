import type { Clock } from "../platform/clock.ts";

/**
 * Answers what a program asks its terminal (DA, DSR, DECRQM, …: xterm's ctlseqs) when no client's terminal does. The terminal of the client in control
 * answers best, since it is the one that the program is shown on; without one, the emulator's answer is sent, so that a program that was started detached
 * does not wait for ever.
 *
 * Invariants
 * 1. A question is answered once: by the terminal that has seen it, or by us.
 * 2. A question that a former server has read is not answered again. One that it had no time to answer stays without an answer, as on a terminal that
 *    does not know it.
 */
export interface QueryRepliesOptions {
  clock: Clock;
  /** Clients of a former server are coming back to the session. */
  isTakenOver: boolean;
  /** The place in the output from which on the terminal of the client in control has seen everything; undefined when there is none. */
  seenFrom: () => number | undefined;
  write: (bytes: Buffer) => void;
}

/** For a client that was attached to come back to its next server and to answer by itself. */
const COMES_BACK_MS = 300;

export class QueryReplies {
  readonly #options: QueryRepliesOptions;
  #held: { text: string; offset: number }[] = [];
  #isHeld: boolean;
  #cancel: () => void = () => {};

  constructor(options: QueryRepliesOptions) {
    this.#options = options;
    this.#isHeld = options.isTakenOver;
    if (this.#isHeld) this.#cancel = options.clock.timer(COMES_BACK_MS, () => this.#release());
  }

  /** The emulator's answer to what stands in the output before `offset`. */
  push(text: string, offset: number): void {
    if (this.#isHeld) this.#held.push({ text, offset });
    else this.#answer(text, offset);
  }

  close(): void {
    this.#cancel();
    this.#held = [];
  }

  #release(): void {
    this.#isHeld = false;
    for (const { text, offset } of this.#held.splice(0)) this.#answer(text, offset);
  }

  #answer(text: string, offset: number): void {
    const from = this.#options.seenFrom();
    if (from === undefined || from >= offset) this.#options.write(Buffer.from(text, "latin1"));
  }
}
