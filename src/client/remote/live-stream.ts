import { WarrenError } from "../../protocol/errors.ts";
import { type LiveFrame, STREAM_CREDIT_BYTES, STREAM_DATA_BYTES_MAX } from "../../sealing/live.ts";
import { shownSentence } from "./shown-text.ts";

/** Credit is given in steps of so many bytes: each is a message. */
const CREDIT_STEP_BYTES = STREAM_CREDIT_BYTES / 4;

export interface StreamEvents {
  onBytes(bytes: Uint8Array): void;
  /** Once, also after `close`. `why`: the machine's own word; undefined: it was done, or its session is over. */
  onClosed(why: WarrenError | undefined): void;
}

/**
 * One stream of a live session: bytes to and from the server that has its target. What its reader does not take yet waits here, within the credit; what
 * waits to be sent is bounded, and a stream that has more is closed.
 */
export class LiveStream {
  readonly number: number;
  readonly #events: StreamEvents;
  readonly #waitingBytesMax: number;
  readonly #onMore: () => void;
  readonly #out: Uint8Array[] = [];
  #outBytes = 0;
  #creditBytes = STREAM_CREDIT_BYTES;
  /** Held while paused. */
  readonly #in: Uint8Array[] = [];
  #owedBytes = 0;
  #takenBytes = 0;
  #isPaused = false;
  #target: string | undefined;
  #state: "open" | "closing" | "closed" = "open";

  constructor({
    number,
    target,
    events,
    waitingBytesMax,
    onMore,
  }: { number: number; target: string; events: StreamEvents; waitingBytesMax: number; onMore: () => void }) {
    this.number = number;
    this.#target = target;
    this.#events = events;
    this.#waitingBytesMax = waitingBytesMax;
    this.#onMore = onMore;
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  send(bytes: Uint8Array): void {
    if (this.#state !== "open" || bytes.length === 0) return;
    this.#out.push(bytes);
    this.#outBytes += bytes.length;
    if (this.#outBytes > this.#waitingBytesMax) this.#out.length = 0;
    if (this.#out.length === 0) this.#state = "closing";
    this.#onMore();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    while (!this.#isPaused && this.#in.length > 0) this.#give(this.#in.shift()!);
  }

  /** After what was sent. */
  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#in.length = 0;
    this.#onMore();
  }

  /** The next frame for the machine, if there is one. */
  take(): LiveFrame | undefined {
    const stream = this.number;
    if (this.#state === "closed") return undefined;
    if (this.#target !== undefined) {
      const target = this.#target;
      this.#target = undefined;
      return { kind: "open", stream, target };
    }
    if (this.#takenBytes >= CREDIT_STEP_BYTES) {
      const bytes = this.#takenBytes;
      this.#takenBytes = 0;
      this.#owedBytes -= bytes;
      return { kind: "credit", stream, bytes };
    }
    if (this.#out.length > 0) return this.#creditBytes > 0 ? this.#data() : undefined;
    if (this.#state !== "closing") return undefined;
    this.ended(undefined);
    return { kind: "close", stream, code: "", sentence: "" };
  }

  /** From the machine. False: it has sent more than its credit. */
  hear(bytes: Uint8Array): boolean {
    this.#owedBytes += bytes.length;
    if (this.#owedBytes > STREAM_CREDIT_BYTES) return false;
    if (this.#isPaused) this.#in.push(bytes);
    else this.#give(bytes);
    return true;
  }

  credited(bytes: number): void {
    this.#creditBytes = Math.min(STREAM_CREDIT_BYTES, this.#creditBytes + bytes);
    this.#onMore();
  }

  /** The machine says so, or the session is over. */
  ended(why: WarrenError | undefined): void {
    if (this.#state === "closed") return;
    this.#isPaused = false;
    for (const bytes of this.#in.splice(0)) this.#give(bytes);
    this.#state = "closed";
    this.#events.onClosed(why);
  }

  #data(): LiveFrame {
    const first = this.#gathered();
    const length = Math.min(first.length, this.#creditBytes, STREAM_DATA_BYTES_MAX);
    if (length < first.length) this.#out.unshift(first.subarray(length));
    this.#outBytes -= length;
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

  #give(bytes: Uint8Array): void {
    this.#takenBytes += bytes.length;
    if (this.#state === "open") this.#events.onBytes(bytes);
    if (this.#takenBytes >= CREDIT_STEP_BYTES) this.#onMore();
  }
}

export const closeError = ({ code, sentence }: { code: string; sentence: string }): WarrenError | undefined =>
  code === "" ? undefined : new WarrenError(code, shownSentence(sentence));
