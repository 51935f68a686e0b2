import { LINE_BYTES_MAX } from "../protocol/envelope.ts";

/** Reads lines one by one from a byte stream that may turn into something else behind any of them. Holds at most one unfinished line. */
const NEWLINE = 0x0a;

export class LinesThenBytes {
  readonly #decoder = new TextDecoder();
  #held: Uint8Array = new Uint8Array(0);

  push(bytes: Uint8Array): void {
    const held = new Uint8Array(this.#held.length + bytes.length);
    held.set(this.#held);
    held.set(bytes, this.#held.length);
    this.#held = held;
  }

  /** The next whole line without its newline. `too-long`: this is not a stream of our lines. */
  nextLine(): { kind: "line"; text: string } | { kind: "none" } | { kind: "too-long" } {
    const end = this.#held.indexOf(NEWLINE);
    if (end === -1) return { kind: this.#held.length > LINE_BYTES_MAX ? "too-long" : "none" };
    const text = this.#decoder.decode(this.#held.subarray(0, end));
    this.#held = this.#held.subarray(end + 1);
    return { kind: "line", text };
  }

  /** Everything behind the last line that was read. */
  rest(): Uint8Array {
    const rest = this.#held;
    this.#held = new Uint8Array(0);
    return rest;
  }
}
