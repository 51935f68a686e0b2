import { LINE_BYTES_MAX } from "./envelope.ts";

/**
 * Cuts a byte stream into lines. Holds at most one unfinished line of `maxBytes`; a longer one makes `push` throw LineTooLong, after which the
 * stream has no known position any more and its owner closes it.
 */
export class LineTooLong extends Error {}

const NEWLINE = 0x0a;

export class LineSplitter {
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  readonly #maxBytes: number;
  readonly #decoder = new TextDecoder();

  constructor(maxBytes: number = LINE_BYTES_MAX) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that `chunk` completes, without their newline; bytes that are not UTF-8 become U+FFFD. */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end === -1) break;
      lines.push(this.#take(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) {
      const rest = chunk.subarray(start);
      this.#pendingBytes += rest.length;
      if (this.#pendingBytes > this.#maxBytes) throw new LineTooLong();
      this.#pending.push(rest);
    }
    return lines;
  }

  #take(last: Uint8Array): string {
    if (this.#pendingBytes + last.length > this.#maxBytes) throw new LineTooLong();
    if (this.#pendingBytes === 0) return this.#decoder.decode(last);
    const whole = new Uint8Array(this.#pendingBytes + last.length);
    let at = 0;
    for (const part of this.#pending) {
      whole.set(part, at);
      at += part.length;
    }
    whole.set(last, at);
    this.#pending = [];
    this.#pendingBytes = 0;
    return this.#decoder.decode(whole);
  }
}
