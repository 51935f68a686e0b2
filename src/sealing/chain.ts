import { isEqual } from "./bytes.ts";
import { HASH_BYTES, RECORD_KINDS, type RecordHead } from "./record.ts";

/**
 * Chains: the records of one sender in one stream, each of which names the one before. What a reader knows of one is its last link; so a hub
 * that drops, repeats, swaps or brings back a record is found out by the next one.
 */

export interface Link {
  seq: number;
  /** SHA-256 of the record. */
  hash: Uint8Array;
}

/** Before the first record. */
export const NO_LINK: Link = { seq: 0, hash: new Uint8Array(HASH_BYTES) };

/**
 * `next` follows; `newer` is a state, or a period, that replaces what is known, whatever stood between. `duplicate` and `older` are dropped in silence: the hub
 * may repeat. `gap`: records `from` to `to` are missing. `fork`: the sender, or somebody with its key, has told two stories: it was restored from a
 * backup, or the hub keeps one reader apart from another. Gaps and forks are shown, and mended by asking the machine; never passed over.
 */
export type Step =
  | { kind: "next" | "newer" }
  | { kind: "duplicate" | "older" }
  | { kind: "gap"; from: number; to: number }
  | { kind: "fork"; seq: number };

/** Where a record stands to what is known of its chain. `hash` is the record's own. */
export function stepOf(known: Link, record: Pick<RecordHead, "kind" | "seq" | "prev">, hash: Uint8Array): Step {
  const { seq, prev, kind } = record;
  if (seq < known.seq) return { kind: "older" };
  if (seq === known.seq) return isEqual(hash, known.hash) ? { kind: "duplicate" } : { kind: "fork", seq };
  if (seq === known.seq + 1) return isEqual(prev, known.hash) ? { kind: "next" } : { kind: "fork", seq };
  if (kind === RECORD_KINDS.state || kind === RECORD_KINDS.period) return { kind: "newer" };
  return { kind: "gap", from: known.seq + 1, to: seq - 1 };
}

/** What the writer's next record has to name. */
export const nextIn = (last: Link): Pick<RecordHead, "seq" | "prev"> => ({ seq: last.seq + 1, prev: last.hash });
