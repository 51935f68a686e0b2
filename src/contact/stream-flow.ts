import { type LiveFrame, STREAM_CREDIT_BYTES, STREAM_DATA_BYTES_MAX } from "../sealing/live.ts";

/** Credit is given in steps of so many bytes: each is a message. */
const CREDIT_STEP_BYTES = STREAM_CREDIT_BYTES / 4;

/** One end's accounts of a stream: what waits to be sent, and the credit for it; what came, and is not done with. */
export class StreamFlow {
  readonly number: number;
  readonly #onMore: () => void;
  readonly #out: Uint8Array[] = [];
  #waitingBytes = 0;
  #creditBytes = STREAM_CREDIT_BYTES;
  #owedBytes = 0;
  #doneBytes = 0;

  /** @param onMore `take` may have something to give */
  constructor(number: number, onMore: () => void) {
    this.number = number;
    this.#onMore = onMore;
  }

  /** To be sent. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  send(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#out.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#onMore();
  }

  /** What waits is not sent. */
  drop(): void {
    this.#out.length = 0;
    this.#waitingBytes = 0;
  }

  /** The next frame for the other end, as far as its credit goes. */
  take(): LiveFrame | undefined {
    if (this.#doneBytes >= CREDIT_STEP_BYTES) {
      const bytes = this.#doneBytes;
      this.#doneBytes = 0;
      this.#owedBytes -= bytes;
      return { kind: "credit", stream: this.number, bytes };
    }
    return this.#waitingBytes > 0 && this.#creditBytes > 0 ? this.#data() : undefined;
  }

  /** So many bytes came. False: more than there was credit for. */
  came(bytes: number): boolean {
    this.#owedBytes += bytes;
    return this.#owedBytes <= STREAM_CREDIT_BYTES;
  }

  /** So many bytes of what came are done with. */
  done(bytes: number): void {
    this.#doneBytes += bytes;
    if (this.#doneBytes >= CREDIT_STEP_BYTES) this.#onMore();
  }

  /** The other end gives more; never more than the whole. */
  credited(bytes: number): void {
    this.#creditBytes = Math.min(STREAM_CREDIT_BYTES, this.#creditBytes + bytes);
    this.#onMore();
  }

  #data(): LiveFrame {
    const first = this.#gathered();
    const length = Math.min(first.length, this.#creditBytes, STREAM_DATA_BYTES_MAX);
    if (length < first.length) this.#out.unshift(first.subarray(length));
    this.#waitingBytes -= length;
    this.#creditBytes -= length;
    return { kind: "data", stream: this.number, bytes: first.subarray(0, length) };
  }

  /** What was written in one turn is one message: each costs a seal. */
  #gathered(): Uint8Array {
    const first = this.#out.shift()!;
    let count = 0;
    let bytes = first.length;
    while (count < this.#out.length && bytes + this.#out[count]!.length <= STREAM_DATA_BYTES_MAX)
      bytes += this.#out[count++]!.length;
    if (count === 0) return first;
    const whole = new Uint8Array(bytes);
    whole.set(first);
    let at = first.length;
    for (const part of this.#out.splice(0, count)) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}
