import { encodeFrame, type Frame } from "../sealing/frames.ts";
import type { StoredRecord } from "./archive.ts";
import type { HubLimits } from "./limits.ts";
import type { HubWire } from "./wire.ts";

/**
 * What goes out on one connection. Its socket is given little at a time; what its channels bring besides waits here, each channel in its own queue, taken in turn, so
 * that one channel does not hold up another; stored records wait in the store, behind a cursor, and no more of them are on the way than the reader keeps up with: one
 * that wants none, and came for a channel, is not sent a whole store before its channel's first answer. Answers and other small frames go at once; when even those are
 * not read, `onTooSlow` is called, once.
 */
export interface OutboxOptions {
  wire: HubWire;
  limits: HubLimits;
  /** The records behind a cursor; fewer than asked for when there are no more. */
  fetch: (cursor: number, limit: number) => StoredRecord[];
  onTooSlow: () => void;
}

/** What a channel has for this connection. */
export interface Held {
  readonly frames: Uint8Array[];
  /** A frame goes out; `frames` may have become empty. */
  onSent(bytes: number): void;
  /** What waits is dropped; once more is nothing. */
  drop(): void;
}

const FETCH_COUNT = 64;

export class Outbox {
  readonly #options: OutboxOptions;
  /** With frames in them; the first is the next in turn. */
  #held: Held[] = [];
  /** The last place that was sent. */
  #cursor = 0;
  /** There may be records behind the cursor. Undefined: none are wanted. */
  #isBehind: boolean | undefined;
  /** Records that were sent and are not taken yet, in the order of their places. */
  readonly #untaken: { place: number; bytes: number }[] = [];
  #untakenBytes = 0;
  #windowBytes = 0;
  #isOver = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  send(frame: Frame): void {
    this.sendBytes(encodeFrame(frame));
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.#isOver) return;
    const { wire, limits, onTooSlow } = this.#options;
    wire.send(bytes);
    if (wire.unsentBytes <= limits.unreadBytes) return;
    this.#isOver = true;
    onTooSlow();
  }

  /** Nothing goes out any more. What waits of a channel that has been closed is known here alone. */
  end(): void {
    this.#isOver = true;
    for (const held of this.#held) held.drop();
    this.#held = [];
  }

  /** `held` has got its first frame. */
  hold(held: Held): void {
    this.#held.push(held);
    this.pump();
  }

  /** From now on, everything behind `cursor`. Who has never taken any is sent a few at first. */
  startRecords(cursor: number): void {
    const { firstRecordBytes, untakenBytes } = this.#options.limits;
    this.#windowBytes = cursor === 0 ? Math.min(firstRecordBytes, untakenBytes) : untakenBytes;
    this.#cursor = cursor;
    this.#isBehind = true;
    this.pump();
  }

  /** The reader has all records up to `place`. */
  took(place: number): void {
    let count = 0;
    for (const one of this.#untaken) {
      if (one.place > place) break;
      this.#untakenBytes -= one.bytes;
      count += 1;
    }
    if (count === 0) return;
    this.#untaken.splice(0, count);
    this.#windowBytes = Math.min(this.#windowBytes * 2, this.#options.limits.untakenBytes);
    this.pump();
  }

  /** A record that is in the store; it goes out now, or in its turn. */
  offer(place: number, frame: () => Uint8Array): void {
    if (this.#isBehind === undefined || place <= this.#cursor) return;
    if (this.#isBehind || !this.#maySendRecord()) {
      this.#isBehind = true;
      return;
    }
    this.#sendRecord(place, frame());
  }

  /** The socket has room again. */
  pump(): void {
    while (this.#hasRoom() && this.#held.length > 0) {
      const held = this.#held.shift()!;
      const frame = held.frames.shift();
      if (frame === undefined) continue;
      if (held.frames.length > 0) this.#held.push(held);
      held.onSent(frame.length); // first: sending it may end all of this, and what waits is dropped then
      this.sendBytes(frame);
    }
    while (this.#isBehind && this.#maySendRecord()) this.#fetch();
  }

  #fetch(): void {
    const records = this.#options.fetch(this.#cursor, FETCH_COUNT);
    for (const { place, bytes } of records) {
      if (!this.#maySendRecord()) return;
      this.#sendRecord(place, encodeFrame({ kind: "record", place, record: bytes }));
    }
    if (records.length < FETCH_COUNT) this.#isBehind = false;
  }

  #sendRecord(place: number, frame: Uint8Array): void {
    this.#cursor = place;
    this.#untaken.push({ place, bytes: frame.length });
    this.#untakenBytes += frame.length;
    this.sendBytes(frame);
  }

  #maySendRecord(): boolean {
    return this.#hasRoom() && this.#untakenBytes < this.#windowBytes;
  }

  #hasRoom(): boolean {
    return !this.#isOver && this.#options.wire.unsentBytes < this.#options.limits.socketBytes;
  }
}
