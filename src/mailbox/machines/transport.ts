/**
 * What carries packets between machines, and a directory of small facts that all of them see. It may lose, double, delay and reorder: the logs at both ends are the
 * truth, and a packet is over when the other end has said so. NATS is the first one (`nats/`).
 */
export interface Transport {
  readonly state: TransportState;
  readonly directory: Directory;
  /** Called with each change of the state. */
  onState(listener: (state: TransportState) => void): void;
  /** Packets for this machine, until the connection ends: whoever has made sure of its name asks for them, each time. */
  receive(machine: string, onPacket: (packet: ReceivedPacket) => void): void;
  /** Resolves when it is kept for `machine`, and rejects when that is not known. One with the same id, soon after, is the same one. */
  publish(machine: string, packet: Uint8Array, id: string): Promise<void>;
  /** Ends everything; nothing is called after that. */
  close(): Promise<void>;
}

export type TransportState =
  /** `fix`: what to type. */
  | { kind: "connecting"; problem?: string | undefined; fix?: string | undefined }
  /** `isFresh`: what it has kept before is gone. */
  | { kind: "connected"; sinceMs: number; isFresh: boolean };

export interface ReceivedPacket {
  /** The machine that it says to come from, by its address and not by its content. */
  from: string;
  bytes: Uint8Array;
  /** It is in the log, or nobody needs it: not delivered again. */
  done(): void;
}

export interface Fact {
  value: string;
  revision: number;
}

/**
 * `lasting` facts stay until they are removed; `fleeting` ones vanish `FLEETING_MS` after they were put. Keys are of letters, digits, `-` and `.`; a value has at
 * most `FACT_BYTES_MAX`.
 */
export type Shelf = "lasting" | "fleeting";

export const FLEETING_MS = 15_000;
export const FACT_BYTES_MAX = 48 * 1024;

export interface Directory {
  get(shelf: Shelf, key: string): Promise<Fact | undefined>;
  /** `expected`: only if that is its revision now (0: if it is not there). Whether it was put. */
  put(shelf: Shelf, key: string, value: string, expected?: number): Promise<boolean>;
  remove(shelf: Shelf, key: string): Promise<void>;
  /** All facts that are there, and each one that is put or removed (`undefined`) after that, until the connection ends; a fleeting one that vanishes is not told. */
  watch(shelf: Shelf, onFact: (key: string, value: string | undefined) => void): Promise<void>;
}
