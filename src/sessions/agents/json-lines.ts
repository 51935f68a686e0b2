/**
 * Cuts one direction of an agent's pipe into JSON values, a line each. Knows its position in the stream, so that bytes that are given twice (a reader
 * that starts a little too early) are taken once. What cannot be a message is told, not thrown: a program that prints a banner is still an agent.
 */
export interface Line {
  /** An object or an array; undefined: it is no JSON, or too long. */
  value: unknown;
  /** How it begins. */
  text: string;
  bytes: number;
}

export interface JsonLinesState {
  /** Bytes of the stream that were taken. */
  position: number;
  /** The unfinished line, base64. */
  pending: string;
  /** Of an unfinished line that is too long already: its length so far; then only its beginning is pending. */
  skippedBytes: number;
}

/** A longer line is garbage: no agent needs one, and it would have to fit into memory several times. */
export const LINE_BYTES_MAX = 16 * 1024 * 1024;
const GARBAGE_TEXT_CHARS = 200;
const GARBAGE_TEXT_BYTES = 4 * GARBAGE_TEXT_CHARS;
const NEWLINE = 0x0a;

export class JsonLines {
  readonly #decoder = new TextDecoder();
  readonly #maxBytes: number;
  #position = 0;
  #parts: Uint8Array[] = [];
  #pendingBytes = 0;
  #skippedBytes = 0;

  constructor(maxBytes: number = LINE_BYTES_MAX) {
    this.#maxBytes = maxBytes;
  }

  get position(): number {
    return this.#position;
  }

  /** Bytes of the unfinished line. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * The lines that these bytes end; `offset` is that of the first one in the stream. Bytes before the position are passed over; a gap before them
   * makes the unfinished line garbage.
   */
  push(offset: number, bytes: Uint8Array): Line[] {
    const lines: Line[] = [];
    if (offset > this.#position) this.#skipGap(offset, lines);
    const fresh = bytes.subarray(Math.max(0, this.#position - offset));
    this.#position += fresh.length;
    let start = 0;
    for (let end = fresh.indexOf(NEWLINE); end !== -1; end = fresh.indexOf(NEWLINE, start)) {
      this.#keep(fresh.subarray(start, end));
      this.#end(lines);
      start = end + 1;
    }
    this.#keep(fresh.subarray(start));
    return lines;
  }

  /** The stream's next bytes belong to another program: what is unfinished stays so. */
  cut(): Line[] {
    const lines: Line[] = [];
    if (this.#pendingBytes > 0) this.#end(lines);
    return lines;
  }

  snapshot(): JsonLinesState {
    const pending = Buffer.concat(this.#parts).toString("base64");
    return { position: this.#position, pending, skippedBytes: this.#skippedBytes };
  }

  restore({ position, pending, skippedBytes }: JsonLinesState): void {
    const bytes = Buffer.from(pending, "base64");
    this.#position = position;
    this.#parts = bytes.length > 0 ? [bytes] : [];
    this.#pendingBytes = skippedBytes > 0 ? skippedBytes : bytes.length;
    this.#skippedBytes = skippedBytes;
  }

  #skipGap(offset: number, lines: Line[]): void {
    lines.push(...this.cut());
    this.#position = offset;
  }

  /** Holds a copy: the caller's buffer may be a window of a larger one. */
  #keep(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#pendingBytes += part.length;
    if (this.#pendingBytes <= this.#maxBytes) {
      this.#parts.push(new Uint8Array(part));
    } else if (this.#skippedBytes === 0) {
      const length = Math.min(GARBAGE_TEXT_BYTES, this.#maxBytes); // the same, however it was cut
      this.#parts = [new Uint8Array(Buffer.concat([...this.#parts, part]).subarray(0, length))];
    }
    this.#skippedBytes = this.#pendingBytes > this.#maxBytes ? this.#pendingBytes : 0;
  }

  #end(lines: Line[]): void {
    const bytes = this.#pendingBytes;
    const tooLong = this.#skippedBytes > 0;
    const text = this.#decoder.decode(Buffer.concat(this.#parts));
    this.#parts = [];
    this.#pendingBytes = 0;
    this.#skippedBytes = 0;
    if (text.trim() === "") return;
    lines.push({ value: tooLong ? undefined : parse(text), text: text.slice(0, GARBAGE_TEXT_CHARS), bytes });
  }
}

/** Undefined when it is no JSON object or array; nothing else is a message. */
function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
