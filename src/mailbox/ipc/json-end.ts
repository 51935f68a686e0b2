/**
 * Finds where a JSON object ends in a stream of bytes that has no length and no newline (claude-ipc's clients send bare JSON and wait). Looks at each byte
 * once, however the stream is cut; a byte of a UTF-8 sequence is never taken for a bracket or a quote, since those are all below 0x80.
 */

/** Objects and arrays within each other. Nobody's mail is deeper, and parsers recurse. */
const JSON_DEPTH_MAX = 64;

export type JsonEnd =
  /** `end`: the index in this chunk just after the object. */
  | { kind: "complete"; end: number }
  | { kind: "incomplete" }
  /** What begins here is no object. */
  | { kind: "not_json" }
  | { kind: "too_deep" };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);
const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);

export class JsonEndScanner {
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** Nothing of an object has been seen yet. */
  get isAtStart(): boolean {
    return this.#depth === 0;
  }

  /** Goes on in `chunk` at `from`; after `complete` it is ready for the next object. */
  push(chunk: Uint8Array, from = 0): JsonEnd {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at]!;
      if (this.#isInString) this.#inString(byte);
      else if (byte === QUOTE && this.#depth > 0) this.#isInString = true;
      else if (OPENING.has(byte)) {
        this.#depth += 1;
        if (this.#depth > JSON_DEPTH_MAX) return { kind: "too_deep" };
      } else if (CLOSING.has(byte) && this.#depth > 0) {
        this.#depth -= 1;
        if (this.#depth === 0) return { kind: "complete", end: at + 1 };
      } else if (this.#depth === 0 && !SPACE.has(byte)) return { kind: "not_json" };
    }
    return { kind: "incomplete" };
  }

  #inString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) this.#isInString = false;
  }
}
