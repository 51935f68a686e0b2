import { HeadEnd } from "../http/head-end.ts";
import { HEAD_BYTES_MAX } from "../http/limits.ts";
import { refuse } from "../http/problem.ts";

/** Most heads are shorter: what is looked at first. */
const USUAL_HEAD_BYTES = 4 * 1024;
const GROWTH_BYTES_MIN = 4 * 1024;

/** Bytes that have come and are not used yet. Each byte is copied a bounded number of times, however small the pieces are in which they come. */
export class Input {
  bytes: Buffer = NOTHING;
  start = 0;
  end = 0;
  /** `bytes` was made here and has room after `end`. */
  #isOwn = false;
  readonly #headEnd = new HeadEnd();

  get length(): number {
    return this.end - this.start;
  }

  push(chunk: Buffer): void {
    const length = this.end - this.start;
    if (length === 0) {
      this.bytes = chunk;
      this.start = 0;
      this.end = chunk.length;
      this.#isOwn = false;
      return;
    }
    if (!this.#isOwn || this.end + chunk.length > this.bytes.length) this.#grow(length + chunk.length);
    this.bytes.set(chunk, this.end);
    this.end += chunk.length;
  }

  /** What was pushed last is overwritten after this: what is left of it is copied. */
  detach(): void {
    if (!this.#isOwn && this.end > this.start) this.#grow(this.end - this.start);
  }

  consume(length: number): void {
    this.start += length;
    if (this.start === this.end) this.clear();
  }

  /** All of it, which is used up by that; undefined: nothing is there. */
  takeAll(): Buffer | undefined {
    const { bytes, start, end } = this;
    this.clear();
    return end > start ? bytes.subarray(start, end) : undefined;
  }

  clear(): void {
    this.bytes = NOTHING;
    this.start = this.end = 0;
    this.#isOwn = false;
    this.#headEnd.reset();
  }

  /**
   * A text that begins with the head and has it whole; undefined: not all of it is there.
   * @throws HttpProblem 431 (414 where the first line is to blame), and 400 as soon as it can be none.
   */
  head(isWithTarget: boolean): string | undefined {
    const { bytes, start, end } = this;
    if (!this.#headEnd.hasLooked) {
      const text = bytes.toString("latin1", start, Math.min(end, start + USUAL_HEAD_BYTES));
      if (text.includes("\r\n\r\n")) return text;
    }
    const length = this.#headEnd.find(bytes, start, Math.min(end, start + HEAD_BYTES_MAX));
    if (length >= 0) return bytes.toString("latin1", start, start + length);
    if (end - start < HEAD_BYTES_MAX) return undefined;
    const isFirstLine = isWithTarget && bytes.indexOf("\r\n", start) < 0;
    return isFirstLine ? refuse(414, "the target is too long") : refuse(431, "the head is too long");
  }

  #grow(length: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.max(GROWTH_BYTES_MIN, 2 * length));
    this.bytes.copy(bytes, 0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
    this.bytes = bytes;
    this.#isOwn = true;
  }
}

const NOTHING = Buffer.alloc(0);
