import type { CloseReason, Frame } from "../sealing/frames.ts";

/** What may be on the way of one channel, in each direction. */
export const CHANNEL_BYTES = 256 * 1024;
/** Credit is given in steps of so many bytes: each is a frame. */
const CREDIT_STEP_BYTES = CHANNEL_BYTES / 4;

/** Of all channels of a connection. */
export interface HeldBytes {
  total: number;
}

export interface ChannelEvents {
  /** A copy is the listener's to make. */
  onData(bytes: Uint8Array): void;
  /** There is more room than there was. */
  onRoom(): void;
  /** Once, also after `close`. */
  onClosed(reason: CloseReason): void;
}

export interface ChannelOptions {
  number: number;
  /** Of the end that has opened it: ours, or the other's as the hub has checked it. */
  loginKey: Uint8Array;
  send(frame: Frame): void;
  onGone(): void;
  held: HeldBytes;
}

/**
 * One channel through a hub: bytes to and from one other member or guest. What is on the way is bounded in each direction; who sends looks at
 * `roomBytes` first, who reads gives credit for what is done with.
 */
export class Channel {
  readonly #options: ChannelOptions;
  #events: ChannelEvents | undefined;
  #roomBytes = CHANNEL_BYTES;
  #takenBytes = 0;
  /** Came, and is not done with. */
  #heldBytes = 0;
  #isClosed = false;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  get loginKey(): Uint8Array {
    return this.#options.loginKey;
  }

  get roomBytes(): number {
    return this.#roomBytes;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Before the turn in which it was opened is over. */
  listen(events: ChannelEvents): void {
    this.#events = events;
  }

  /** At most `roomBytes`. */
  send(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#roomBytes -= bytes.length;
    this.#options.send({ kind: "data", channel: this.#options.number, bytes });
  }

  /** So many bytes of what came are done with. */
  take(bytes: number): void {
    if (this.#isClosed) return;
    this.#hold(-bytes);
    this.#takenBytes += bytes;
    if (this.#takenBytes < CREDIT_STEP_BYTES) return;
    this.#options.send({ kind: "credit", channel: this.#options.number, bytes: this.#takenBytes });
    this.#takenBytes = 0;
  }

  close(reason: CloseReason = "done"): void {
    if (this.#isClosed) return;
    this.#options.send({ kind: "close", channel: this.#options.number, reason });
    this.ended(reason);
  }

  /** The hub says so, or is gone. */
  ended(reason: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#hold(-this.#heldBytes);
    this.#options.onGone();
    this.#events?.onClosed(reason);
  }

  hear(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#hold(bytes.length);
    if (this.#heldBytes > CHANNEL_BYTES)
      this.close("too_slow"); // more than it had credit for
    else this.#events?.onData(bytes);
  }

  credited(bytes: number): void {
    this.#roomBytes = Math.min(CHANNEL_BYTES, this.#roomBytes + bytes);
    if (!this.#isClosed) this.#events?.onRoom();
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    this.#options.held.total += bytes;
  }
}
