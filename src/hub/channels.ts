import { type CloseReason, encodeFrame, type FrameOf } from "../sealing/frames.ts";
import type { Connection } from "./connection.ts";
import type { HubLimits } from "./limits.ts";
import type { Held } from "./outbox.ts";

/**
 * Channels: opaque bytes between two connections, live. Nothing of them is stored. Each end gives out credit for what it has read, and its writer may have so many
 * bytes on the way; what the hub holds for a slow reader is within that, so a slow reader slows its writer and nobody else. A writer that ignores credit loses
 * the channel.
 */
export class ChannelEnd implements Held {
  readonly connection: Connection;
  readonly number: number;
  other!: ChannelEnd;
  /** Brought by the other end, and not given credit for yet by this one. */
  uncreditedBytes = 0;
  /** Waits for this end's socket. */
  readonly frames: Uint8Array[] = [];
  #heldBytes = 0;
  readonly #held: HeldBytes;

  constructor(connection: Connection, number: number, held: HeldBytes) {
    this.connection = connection;
    this.number = number;
    this.#held = held;
  }

  push(frame: Uint8Array): void {
    if (this.connection.isClosed) return;
    this.frames.push(frame);
    this.#heldBytes += frame.length;
    this.#held.total += frame.length;
    if (this.frames.length === 1) this.connection.outbox.hold(this);
  }

  onSent(bytes: number): void {
    this.#heldBytes -= bytes;
    this.#held.total -= bytes;
  }

  drop(): void {
    this.frames.length = 0;
    this.#held.total -= this.#heldBytes;
    this.#heldBytes = 0;
  }
}

/** Of all channels. */
export interface HeldBytes {
  total: number;
}

/** What the two ends may say themselves. */
const SAID_BY_ENDS: readonly CloseReason[] = ["done", "gone", "refused"];

export class Channels {
  readonly #limits: HubLimits;
  readonly held: HeldBytes = { total: 0 };
  openCount = 0;
  relayedFrames = 0;
  relayedBytes = 0;

  constructor(limits: HubLimits) {
    this.#limits = limits;
  }

  /**
   * Opens one from `from`, under its own number, to `to`, which is told by `announce` under the number that it gets. Without `to` there is nobody.
   */
  open(
    from: Connection,
    number: number,
    to: Connection | undefined,
    announce: (number: number) => FrameOf<"opened"> | FrameOf<"met">,
  ): void {
    const isNumberFree = !from.channels.has(number);
    const { channels, machineChannels } = this.#limits;
    if (!isNumberFree) this.#refuse(from, number, "refused");
    else if (!to) this.#refuse(from, number, "gone");
    else if (from.channels.size >= channels || to.channels.size >= (to.role === "machine" ? machineChannels : channels))
      this.#refuse(from, number, "refused");
    else {
      const [near, far] = [
        new ChannelEnd(from, number, this.held),
        new ChannelEnd(to, to.newChannelNumber(), this.held),
      ];
      near.other = far;
      far.other = near;
      from.channels.set(near.number, near);
      to.channels.set(far.number, far);
      this.openCount += 1;
      to.outbox.send(announce(far.number));
    }
  }

  /** `frame` is the whole message; its number is changed to the other end's. A channel that is not there has just been closed. */
  data(from: Connection, { channel, bytes }: FrameOf<"data">, frame: Uint8Array): void {
    const to = from.channels.get(channel)?.other;
    if (!to) return;
    to.uncreditedBytes += bytes.length;
    const isOverCredit = to.uncreditedBytes > this.#limits.channelBytes;
    if (isOverCredit || this.held.total + frame.length > this.#limits.heldBytes) return this.end(to, "too_slow");
    this.relayedFrames += 1;
    this.relayedBytes += bytes.length;
    to.push(renumbered(frame, to.number));
  }

  /** More credit than was used is none. */
  credit(from: Connection, { channel, bytes }: FrameOf<"credit">): void {
    const end = from.channels.get(channel);
    if (!end) return;
    const given = Math.min(bytes, end.uncreditedBytes);
    end.uncreditedBytes -= given;
    if (given > 0) end.other.connection.outbox.send({ kind: "credit", channel: end.other.number, bytes: given });
  }

  /** What was sent before it arrives before it. */
  close(from: Connection, { channel, reason }: FrameOf<"close">): void {
    const end = from.channels.get(channel);
    if (!end) return;
    this.#forget(end);
    end.drop();
    const to = end.other;
    const said = SAID_BY_ENDS.includes(reason) ? reason : "done";
    to.push(encodeFrame({ kind: "close", channel: to.number, reason: said }));
  }

  /** Closes it at both ends, at once. */
  end(end: ChannelEnd, reason: CloseReason): void {
    this.#forget(end);
    for (const one of [end, end.other]) {
      one.drop();
      one.connection.outbox.send({ kind: "close", channel: one.number, reason });
    }
  }

  /** The connection is gone, and so are its channels; the other ends hear why. */
  endAll(connection: Connection, reason: CloseReason): void {
    for (const end of [...connection.channels.values()]) {
      this.#forget(end);
      end.drop();
      const { other } = end;
      other.push(encodeFrame({ kind: "close", channel: other.number, reason }));
    }
  }

  #refuse(from: Connection, channel: number, reason: CloseReason): void {
    from.outbox.send({ kind: "close", channel, reason });
  }

  #forget(end: ChannelEnd): void {
    end.connection.channels.delete(end.number);
    end.other.connection.channels.delete(end.other.number);
    this.openCount -= 1;
  }
}

/** The same data frame under another number, in place: kind u8, channel u32, bytes. Encoding it anew would copy every byte twice. */
function renumbered(frame: Uint8Array, number: number): Uint8Array {
  new DataView(frame.buffer, frame.byteOffset).setUint32(1, number);
  return frame;
}
