import type { CloseReason, Frame } from "../sealing/frames.ts";

/**
 * One channel through a hub: bytes to and from one device or guest. What is on the way is bounded in each direction; who sends looks at `room` first,
 * who reads gives credit for what is done with.
 */
export const CHANNEL_BYTES = 256 * 1024;
/** Credit is given in steps of so many bytes: each is a frame. */
const CREDIT_STEP_BYTES = CHANNEL_BYTES / 4;

/** Of all channels of a connection. */
export interface HeldBytes {
  total: number;
}

export interface ChannelEvents {
  onData(bytes: Uint8Array): void;
  /** There is more room than there was. */
  onRoom(): void;
  /** Once, also after `close`. */
  onClosed(reason: CloseReason): void;
}

export class HubChannel {
  readonly number: number;
  /** The other end's, as the hub has checked it. */
  readonly loginKey: Uint8Array;
  readonly #send: (frame: Frame) => void;
  readonly #onGone: () => void;
  readonly #held: HeldBytes;
  #events: ChannelEvents | undefined;
  #room = CHANNEL_BYTES;
  #taken = 0;
  /** Came, and is not done with. */
  #heldBytes = 0;
  #isClosed = false;

  constructor({
    number,
    loginKey,
    send,
    onGone,
    held,
  }: {
    number: number;
    loginKey: Uint8Array;
    send: (frame: Frame) => void;
    onGone: () => void;
    held: HeldBytes;
  }) {
    this.number = number;
    this.loginKey = loginKey;
    this.#send = send;
    this.#onGone = onGone;
    this.#held = held;
  }

  get room(): number {
    return this.#room;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Before the turn in which it was opened is over. */
  listen(events: ChannelEvents): void {
    this.#events = events;
  }

  /** At most `room` bytes. */
  send(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#room -= bytes.length;
    this.#send({ kind: "data", channel: this.number, bytes });
  }

  /** So many bytes of what came are done with. */
  take(bytes: number): void {
    if (this.#isClosed) return;
    this.#hold(-bytes);
    this.#taken += bytes;
    if (this.#taken < CREDIT_STEP_BYTES) return;
    this.#send({ kind: "credit", channel: this.number, bytes: this.#taken });
    this.#taken = 0;
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
    this.#hold(-this.#heldBytes);
    this.#onGone();
    this.#events?.onClosed(reason);
  }

  hear(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#hold(bytes.length);
    if (this.#heldBytes > CHANNEL_BYTES)
      this.close("too_slow"); // more than it had credit for
    else this.#events?.onData(bytes);
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    this.#held.total += bytes;
  }

  credited(bytes: number): void {
    this.#room = Math.min(CHANNEL_BYTES, this.#room + bytes);
    if (!this.#isClosed) this.#events?.onRoom();
  }
}
