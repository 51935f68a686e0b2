/** The newest bytes of an output, up to a limit, cut between two characters of UTF-8. */
export class OutputTail {
  readonly #bytesMax: number;
  #parts: Buffer[] = [];
  #bytes = 0;
  #isCut = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Keeps a copy. */
  push(bytes: Uint8Array): void {
    this.#parts.push(Buffer.from(bytes));
    this.#bytes += bytes.length;
    if (this.#bytes > 2 * this.#bytesMax + SLACK_BYTES) this.#shorten();
  }

  read(): { output: string; truncated: boolean } {
    this.#shorten();
    return { output: Buffer.concat(this.#parts).toString("utf8"), truncated: this.#isCut };
  }

  #shorten(): void {
    if (this.#bytes <= this.#bytesMax) return;
    const all = Buffer.concat(this.#parts);
    let from = all.length - this.#bytesMax;
    while (from < all.length && (all[from]! & 0xc0) === 0x80) from += 1; // the rest of a character
    this.#parts = [Buffer.from(all.subarray(from))];
    this.#bytes = all.length - from;
    this.#isCut = true;
  }
}

/** So that a small limit does not cut at each record. */
const SLACK_BYTES = 64 * 1024;
