import { CR, LF, TAB } from "./characters.ts";
import { refuse } from "./problem.ts";

/**
 * Looks for the empty line that ends a head, in what has come so far, from where it looked last: a head that comes byte by byte is looked at once. What can be
 * no head any more is refused at once and not after a deadline: a line that ends without CR (RFC 9112 §2.2 lets us take it for one; we do not), other
 * controls, a greeting of TLS.
 */
export class HeadEnd {
  /** Relative to the head's first byte. */
  #seen = 0;

  /** Something of this head was looked at already. */
  get hasLooked(): boolean {
    return this.#seen > 0;
  }

  reset(): void {
    this.#seen = 0;
  }

  /** The head's length with its empty line, or -1: not all is there. */
  find(bytes: Buffer, start: number, end: number): number {
    for (let at = start + this.#seen; at < end; at++) {
      const byte = bytes[at]!;
      if (byte >= 0x20 ? byte !== 0x7f : byte === TAB) continue;
      if (byte === LF) {
        if (at === start || bytes[at - 1] !== CR) refuse(400, "a line that ends without CR");
        if (at - start >= 3 && bytes[at - 2] === LF && bytes[at - 3] === CR) {
          this.#seen = 0;
          return at + 1 - start;
        }
      } else if (byte !== CR) refuse(400, "a control character");
      else if (at + 1 < end && bytes[at + 1] !== LF) refuse(400, "a bare CR");
    }
    this.#seen = Math.max(0, end - start);
    return -1;
  }
}
