/**
 * Where a terminal stands in a session's output. Invariant: what is shown follows the last screen without a gap and without a repeat.
 */
export class OutputPlace {
  #next: number | undefined;
  #shown: number | undefined;

  /** Offset of the next byte that is needed; undefined: a screen is needed first. */
  get next(): number | undefined {
    return this.#next;
  }

  forget(): void {
    this.#next = undefined;
  }

  /** Output from `offset` on: the part of it that was not shown yet, or `gap` when bytes are missing before it. */
  take(offset: number, bytes: Uint8Array): Uint8Array | "gap" {
    if (this.#next === undefined || offset > this.#next) return "gap";
    const fresh = bytes.subarray(this.#next - offset);
    this.#next += fresh.length;
    this.#shown = this.#next;
    return fresh;
  }

  /** A screen as it is at `offset`; the answer: how many bytes of output are in it that were not shown before it. */
  screenAt(offset: number): number {
    const skippedBytes = this.#shown === undefined ? 0 : Math.max(0, offset - this.#shown);
    this.#next = offset;
    this.#shown = offset;
    return skippedBytes;
  }
}
