import type { CloseReason, Frame } from "../../sealing/frames.ts";

/** What may be on the way of one channel, in each direction. */
export const CHANNEL_BYTES = 256 * 1024;
/** Credit is given in steps of so many bytes: each is a frame. */
const CREDIT_STEP_BYTES = CHANNEL_BYTES / 4;

export interface ChannelEvents {
  /** A copy is the listener's to make. */
  onData(bytes: Uint8Array): void;
  /** There is more room than there was. */
  onRoom(): void;
  /** Once, also after `close`. */
  onClosed(reason: CloseReason): void;
}

/** One channel through a hub, opened by this device: who sends looks at `room` first, who reads gives credit for what is done with. */
export class Channel {
  readonly number: number;
  readonly #send: (frame: Frame) => void;
  readonly #onGone: () => void;
  readonly #events: ChannelEvents;
  #roomBytes = CHANNEL_BYTES;
  #takenBytes = 0;
  /** Came, and was given no credit for. */
  #owedBytes = 0;
  #isClosed = false;

  constructor(
    number: number,
    { send, onGone, events }: { send: (frame: Frame) => void; onGone: () => void; events: ChannelEvents },
  ) {
    this.number = number;
    this.#send = send;
    this.#onGone = onGone;
    this.#events = events;
  }

  get roomBytes(): number {
    return this.#roomBytes;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** At most `roomBytes`. */
  send(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#roomBytes -= bytes.length;
    this.#send({ kind: "data", channel: this.number, bytes });
  }

  /** So many bytes of what came are done with. */
  take(bytes: number): void {
    this.#takenBytes += bytes;
    if (this.#takenBytes < CREDIT_STEP_BYTES || this.#isClosed) return;
    this.#send({ kind: "credit", channel: this.number, bytes: this.#takenBytes });
    this.#owedBytes -= this.#takenBytes;
    this.#takenBytes = 0;
  }

  close(reason: CloseReason = "done"): void {
    if (this.#isClosed) return;
    this.#send({ kind: "close", channel: this.number, reason });
    this.ended(reason);
  }

  /** The hub says so, or is gone. */
  ended(reason: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onGone();
    this.#events.onClosed(reason);
  }

  /** False: more came than the credit allows. */
  hear(bytes: Uint8Array): boolean {
    if (this.#isClosed) return true;
    this.#owedBytes += bytes.length;
    if (this.#owedBytes > CHANNEL_BYTES) return false;
    this.#events.onData(bytes);
    return true;
  }

  credited(bytes: number): void {
    this.#roomBytes = Math.min(CHANNEL_BYTES, this.#roomBytes + bytes);
    if (!this.#isClosed) this.#events.onRoom();
  }
}
