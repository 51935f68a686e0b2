import type { Link } from "../../sealing/chain.ts";
import type { RecordKind } from "../../sealing/record.ts";

/** What a device keeps of the records that it has read. Everything lies under its hub's fingerprint: what one hub gave is never another's. */

/** A record that was taken: proven to be its machine's, and in its place. */
export interface RecordRow {
  hub: string;
  /** The machine's id (its signing key as hex), which its signature has shown. */
  machine: string;
  kind: RecordKind;
  /** Opaque, as hex. */
  stream: string;
  seq: number;
  /** By the machine's clock. */
  atMs: number;
  text: Uint8Array;
}

/** The machine lists more of the stream than has come, or has sealed with a key that has not. */
export interface Behind {
  kind: "behind";
  machine: string;
  stream: string;
  seq: number;
}

/** Something is missing, or was told twice: it is shown, and mended by asking the machine. */
export type RecordGap =
  | { kind: "gap"; machine: string; stream: string; from: number; to: number }
  | { kind: "fork"; machine: string; stream: string; seq: number }
  | Behind
  /** The hub has forgotten what came before this place. */
  | { kind: "floor"; place: number };

export interface RecordChange {
  /** Up to here the hub need not send again. */
  place: number;
  /** `space/stream/sender` as hex, and its last link. */
  chain?: { id: string; link: Link };
  period?: { space: string; period: number; key: Uint8Array };
  /** A `state` replaces the one of its stream. */
  row?: RecordRow;
  gap?: RecordGap;
  /** What was missing of this stream has come: its `behind` counts no more. */
  mended?: { machine: string; stream: string };
  /** All streams that the machine has by now: the rows of its units in others are of a former period, or gone. */
  listed?: { machine: string; streams: ReadonlySet<string> };
}

export interface RecordsOfHub {
  place: number;
  /** Of its gaps those that something later may mend. */
  behind: readonly Behind[];
  chains: ReadonlyMap<string, Link>;
  /** By space and number: see {@link periodId}. */
  periods: ReadonlyMap<string, Uint8Array>;
}

export interface RecordStore {
  load(hub: string): Promise<RecordsOfHub>;
  /** Whole or not at all, and on disk when it resolves. */
  commit(hub: string, change: RecordChange): Promise<void>;
  forget(hub: string): Promise<void>;
}

export const periodId = (space: string, period: number): string => `${space}/${period}`;

/** Of each stream of each machine the last gap is kept, and of the hub as a whole. */
export const gapId = (gap: RecordGap | { machine: string; stream: string }): string =>
  "stream" in gap ? `${gap.machine}/${gap.stream}` : "";

/** Of all gaps those that something later may mend. */
export const behindOf = (gaps: readonly RecordGap[]): Behind[] => gaps.filter((gap) => gap.kind === "behind");
