import { fromHex, toHex } from "../../sealing/bytes.ts";
import { type Link, NO_LINK } from "../../sealing/chain.ts";

/**
 * What this machine keeps of its records at one hub: the period and its key, how far its own streams and those of its devices have come, and what is
 * sealed and not confirmed. One file; bytes are hex, records base64. What its tables and lists hold is replaced, never changed (`Kept`).
 */
export interface SpaceState {
  format: 1;
  oldest_reader: 1;
  /** Our login key there: a hub that was removed and added again is another space. */
  space: string;
  /** The place up to which the hub's records are taken. */
  cursor: number;
  period?: Period;
  /** For requests that were sealed before their device knew of the present one. */
  former: FormerPeriod[];
  /** The last link of each of our streams in this period, and of the stream of periods. */
  chains: Record<string, StoredLink>;
  /** By unit: the hash of what was sealed last in this period. */
  rows: Record<string, string>;
  /** Of the list of members that was sealed last in this period, and of the list of heads; empty: none. */
  members: string;
  digest: string;
  /** Of the app's settings that were sealed last: the number of the period, and their hash. */
  settings?: string;
  /** By session: up to which of its events it was told (absent: nothing was), and the mark at which that was all. */
  talks?: Record<string, { readonly seq?: number; readonly mark: string }>;
  /** By stream and sender: how far devices' requests have come. */
  theirs: Record<string, StoredLink & { readonly period: number }>;
  /** Sealed, and not confirmed by the hub: in this order. */
  owed: Owed[];
}

export interface Period {
  readonly number: number;
  readonly key: string;
  readonly made_ms: number;
  /** Who has a copy: login keys, sorted. */
  readonly readers: readonly string[];
}

export type FormerPeriod = Pick<Period, "number" | "key"> & { readonly ended_ms: number };

export interface StoredLink {
  readonly seq: number;
  readonly hash: string;
}

export interface Owed {
  readonly kind: number;
  readonly stream: string;
  readonly bytes: string;
  /** Of a conversation's item: what it follows; without `after` it begins. */
  readonly talk?: { readonly session: string; readonly after?: number };
}

export const emptySpace = (space: string): SpaceState => ({
  format: 1,
  oldest_reader: 1,
  space,
  cursor: 0,
  former: [],
  chains: {},
  rows: {},
  members: "",
  digest: "",
  theirs: {},
  owed: [],
});

export const linkOf = (stored: StoredLink | undefined): Link =>
  stored ? { seq: stored.seq, hash: fromHex(stored.hash)! } : NO_LINK;

export const storedLink = ({ seq, hash }: Link): StoredLink => ({ seq, hash: toHex(hash) });

/** Undefined: it is none, or of a newer Warren. Nothing of it is worth more than a new period, which is what comes then. */
export function readSpace(text: string, space: string): SpaceState | undefined {
  try {
    const value = JSON.parse(text) as SpaceState;
    const isOurs = value.oldest_reader === 1 && value.space === space && Number.isSafeInteger(value.cursor);
    const areTables = [value.chains, value.rows, value.theirs].every((one) => typeof one === "object" && one !== null);
    return isOurs && areTables && Array.isArray(value.owed) && Array.isArray(value.former) ? value : undefined;
  } catch {
    return undefined;
  }
}
