import { headers, type MsgHdrs } from "@nats-io/nats-core";
import { type Clock, systemClock } from "../../../platform/clock.ts";

/** Packets that are larger than the server takes, in parts: each is a message of its own, with its place. */

const ID = "Warren-Packet";
const PART = "Warren-Part";
/** For headers and the protocol's own line. */
const OVERHEAD_BYTES = 1_024;
/** A server that takes less is not used. */
export const PAYLOAD_BYTES_MIN = 64 * 1024;
/** Packets that lack parts; the oldest is given up for the next one, and its sender sends it again. */
const OPEN_MAX = 16;
const OPEN_BYTES_MAX = 64 * 1024 * 1024;
/** And so is one of which no further part has come for so long: the server would deliver those that have come again and again. */
const OPEN_MS = 60_000;
/** A packet of the largest message, and more. */
const PARTS_MAX = 256;

export interface Part {
  bytes: Uint8Array;
  headers: MsgHdrs | undefined;
  id: string;
}

export function partsOf(packet: Uint8Array, id: string, payloadBytesMax: number): Part[] {
  const size = payloadBytesMax - OVERHEAD_BYTES;
  if (packet.length <= size) return [{ bytes: packet, headers: undefined, id }];
  const count = Math.ceil(packet.length / size);
  return Array.from({ length: count }, (_, at) => {
    const head = headers();
    head.set(ID, id);
    head.set(PART, `${at + 1}/${count}`);
    return { bytes: packet.subarray(at * size, (at + 1) * size), headers: head, id: `${id}.p${at + 1}` };
  });
}

/** A message as the server delivers it; `seq` is its number there, the same each time that it is delivered. */
export interface Delivered {
  from: string;
  bytes: Uint8Array;
  headers: MsgHdrs | undefined;
  seq: number;
  ack: () => void;
}

interface Open {
  parts: (Uint8Array | undefined)[];
  missing: number;
  bytes: number;
  /** Monotonic; when the last part came that was new. */
  atMs: number;
  /** By the number of the message. */
  acks: Map<number, () => void>;
}

export interface Whole {
  bytes: Uint8Array;
  ack: () => void;
}

/** Puts packets together; all parts are confirmed with the last one. */
export class Assembly {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #open = new Map<string, Open>();
  #bytes = 0;

  constructor(clock: Pick<Clock, "monotonicMs"> = systemClock) {
    this.#clock = clock;
  }

  /** The whole packet when this was its last part. */
  add({ from, bytes, headers: head, seq, ack }: Delivered): Whole | undefined {
    this.#giveUpOld();
    const id = head?.get(ID);
    if (!id) return { bytes, ack };
    const [at, count] = (head?.get(PART) ?? "").split("/").map(Number) as [number, number | undefined];
    if (!isPlace(at, count)) {
      ack();
      return undefined;
    }
    const key = `${from} ${id}`;
    const open = this.#open.get(key) ?? this.#begin(key, count!);
    open.acks.set(seq, ack);
    if (open.parts[at - 1] === undefined && open.parts.length === count) {
      open.parts[at - 1] = bytes;
      open.missing -= 1;
      open.atMs = this.#clock.monotonicMs();
      open.bytes += bytes.length;
      this.#bytes += bytes.length;
    }
    if (open.missing > 0) {
      this.#bound();
      return undefined;
    }
    this.#drop(key, open);
    return { bytes: Buffer.concat(open.parts as Uint8Array[]), ack: () => confirm(open) };
  }

  #begin(key: string, count: number): Open {
    const parts = new Array<Uint8Array | undefined>(count).fill(undefined);
    const open: Open = { parts, missing: count, bytes: 0, atMs: this.#clock.monotonicMs(), acks: new Map() };
    this.#open.set(key, open);
    return open;
  }

  #giveUpOld(): void {
    const oldMs = this.#clock.monotonicMs() - OPEN_MS;
    for (const [key, open] of this.#open) if (open.atMs <= oldMs) this.#giveUp(key, open);
  }

  #bound(): void {
    for (const [key, open] of this.#open) {
      if (this.#open.size <= OPEN_MAX && this.#bytes <= OPEN_BYTES_MAX) return;
      this.#giveUp(key, open);
    }
  }

  #giveUp(key: string, open: Open): void {
    this.#drop(key, open);
    confirm(open);
  }

  #drop(key: string, open: Open): void {
    this.#open.delete(key);
    this.#bytes -= open.bytes;
  }
}

function confirm({ acks }: Open): void {
  for (const ack of acks.values()) ack();
}

const isPlace = (at: number, count: number | undefined): boolean =>
  count !== undefined &&
  Number.isSafeInteger(at) &&
  Number.isSafeInteger(count) &&
  at >= 1 &&
  at <= count &&
  count <= PARTS_MAX;
