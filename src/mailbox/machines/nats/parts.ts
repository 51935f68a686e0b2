import { headers, type MsgHdrs } from "@nats-io/nats-core";

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

interface Open {
  parts: (Uint8Array | undefined)[];
  missing: number;
  bytes: number;
  acks: (() => void)[];
}

export interface Whole {
  bytes: Uint8Array;
  ack: () => void;
}

/** Puts packets together; all parts are confirmed with the last one. */
export class Assembly {
  readonly #open = new Map<string, Open>();
  #bytes = 0;

  /** The whole packet when this was its last part. */
  add(from: string, bytes: Uint8Array, head: MsgHdrs | undefined, ack: () => void): Whole | undefined {
    const id = head?.get(ID);
    if (!id) return { bytes, ack };
    const [at, count] = (head?.get(PART) ?? "").split("/").map(Number) as [number, number | undefined];
    if (!isPlace(at, count)) {
      ack();
      return undefined;
    }
    const key = `${from} ${id}`;
    const open = this.#open.get(key) ?? this.#begin(key, count!);
    open.acks.push(ack);
    if (open.parts[at - 1] === undefined && open.parts.length === count) {
      open.parts[at - 1] = bytes;
      open.missing -= 1;
      open.bytes += bytes.length;
      this.#bytes += bytes.length;
    }
    if (open.missing > 0) {
      this.#bound();
      return undefined;
    }
    this.#drop(key, open);
    return { bytes: Buffer.concat(open.parts as Uint8Array[]), ack: () => open.acks.forEach((each) => void each()) };
  }

  #begin(key: string, count: number): Open {
    const open: Open = { parts: new Array(count).fill(undefined), missing: count, bytes: 0, acks: [] };
    this.#open.set(key, open);
    return open;
  }

  #bound(): void {
    for (const [key, open] of this.#open) {
      if (this.#open.size <= OPEN_MAX && this.#bytes <= OPEN_BYTES_MAX) return;
      this.#drop(key, open);
      for (const ack of open.acks) ack();
    }
  }

  #drop(key: string, open: Open): void {
    this.#open.delete(key);
    this.#bytes -= open.bytes;
  }
}

const isPlace = (at: number, count: number | undefined): boolean =>
  count !== undefined &&
  Number.isSafeInteger(at) &&
  Number.isSafeInteger(count) &&
  at >= 1 &&
  at <= count &&
  count <= PARTS_MAX;
