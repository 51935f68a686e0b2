/**
 * Which protocol a connection speaks, by what it says first (docs/mailbox-design.md, "On one port"): a JSON object with `type` is ours, one with `action`
 * is claude-ipc's, a line that begins with an HTTP method is HTTP. An object that ends without either, and anything that is no object, is `other`.
 *
 * Each byte is looked at once, however the bytes were cut.
 */
export type Spoken = "ours" | "ipc" | "http" | "other";

const METHODS = ["GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "PATCH ", "TRACE ", "CONNECT "];
const METHOD_BYTES_MAX = 8;
const KEY_BYTES_MAX = 16;

const [QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST, COLON] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x3a];

export class FirstBytes {
  #answer: Spoken | undefined;
  #method = "";
  #isObject = false;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** The last string of the object itself, as far as it may be one of the keys that are looked for. */
  #key = "";

  /** Undefined as long as it cannot be told. */
  push(bytes: Uint8Array): Spoken | undefined {
    for (const byte of bytes) {
      if (this.#answer) break;
      this.#answer = this.#isObject ? this.#inObject(byte) : this.#before(byte);
    }
    return this.#answer;
  }

  #before(byte: number): Spoken | undefined {
    if (this.#method === "" && isSpace(byte)) return undefined;
    if (this.#method === "" && byte === OPEN) {
      this.#isObject = true;
      this.#depth = 1;
      return undefined;
    }
    this.#method += String.fromCharCode(byte);
    if (METHODS.includes(this.#method)) return "http";
    const mayBe = this.#method.length < METHOD_BYTES_MAX && METHODS.some((method) => method.startsWith(this.#method));
    return mayBe ? undefined : "other";
  }

  #inObject(byte: number): Spoken | undefined {
    if (this.#isInString) return this.#inString(byte);
    switch (byte) {
      case QUOTE:
        this.#isInString = true;
        this.#key = "";
        return undefined;
      case OPEN:
      case OPEN_LIST:
        this.#depth += 1;
        return undefined;
      case CLOSE:
      case CLOSE_LIST:
        this.#depth -= 1;
        return this.#depth === 0 ? "other" : undefined;
      case COLON:
        return this.#depth === 1 ? KEYS[this.#key] : undefined;
      default:
        return undefined;
    }
  }

  #inString(byte: number): undefined {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) {
      this.#isInString = false;
      return;
    }
    if (this.#key.length < KEY_BYTES_MAX) this.#key += String.fromCharCode(byte);
  }
}

const KEYS: Readonly<Record<string, Spoken>> = Object.assign(Object.create(null), { type: "ours", action: "ipc" });

const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
