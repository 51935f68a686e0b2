import { isEqual, toHex } from "./bytes.ts";
import type { Link } from "./chain.ts";
import type { SealingCrypto } from "./crypto.ts";
import { formInvalid } from "./errors.ts";
import { decodeWith, encodeWith, fixed, struct, u64 } from "./layout.ts";
import { HASH_BYTES, RECORD_TEXT_BYTES_MAX, STREAM_BYTES } from "./record.ts";

/**
 * The text of a `head` record: what the machine's streams come to, so that a hub which keeps back a whole stream, or its newest records, is
 * found out. A long list is several records; `digest` is of the whole, and the same in each.
 */

export interface StreamHead extends Link {
  stream: Uint8Array;
}

export interface HeadPart {
  /** From 0. */
  part: number;
  partCount: number;
  /** SHA-256 of the whole list, in order of its streams. */
  digest: Uint8Array;
  heads: StreamHead[];
}

const ENTRY = struct({ stream: fixed(STREAM_BYTES), seq: u64, hash: fixed(HASH_BYTES) });
const ENTRY_BYTES = STREAM_BYTES + 8 + HASH_BYTES;
const FRONT_BYTES = 2 + 2 + HASH_BYTES;
/** As many streams as one record lists. */
export const HEADS_PER_RECORD = Math.floor((RECORD_TEXT_BYTES_MAX - FRONT_BYTES) / ENTRY_BYTES);
const PARTS_MAX = 0xffff;

/** The texts of as many records as it takes; one for an empty list. @throws FORM_INVALID: more streams than fit */
export async function encodeHeads(crypto: SealingCrypto, heads: readonly StreamHead[]): Promise<Uint8Array[]> {
  const sorted = [...heads].sort((a, b) => compare(a.stream, b.stream));
  const digest = await headsDigest(crypto, sorted);
  const partCount = Math.max(1, Math.ceil(sorted.length / HEADS_PER_RECORD));
  if (partCount > PARTS_MAX) throw formInvalid("list of heads", `${heads.length} streams are too many`);
  return Array.from({ length: partCount }, (_, part) =>
    encodeWith("list of heads", (writer) => {
      writer.integer(part, 2);
      writer.integer(partCount, 2);
      writer.raw(digest);
      const share = sorted.slice(part * HEADS_PER_RECORD, (part + 1) * HEADS_PER_RECORD);
      for (const head of share) ENTRY.write(head, writer);
    }),
  );
}

/** @throws FORM_INVALID */
export const decodeHeads = (text: Uint8Array): HeadPart =>
  decodeWith("list of heads", text, (reader) => {
    const part = reader.integer(2);
    const partCount = reader.integer(2);
    if (part >= partCount) throw formInvalid("list of heads", `it is part ${part} of ${partCount}`);
    const digest = reader.raw(HASH_BYTES);
    const heads: StreamHead[] = [];
    while (reader.left > 0) heads.push(ENTRY.read(reader));
    return { part, partCount, digest, heads };
  });

/** What two who have the same list agree on, in whatever order they have it. */
export async function headsDigest(crypto: SealingCrypto, heads: readonly StreamHead[]): Promise<Uint8Array> {
  const sorted = [...heads].sort((a, b) => compare(a.stream, b.stream));
  return crypto.sha256(
    encodeWith("list of heads", (writer) => {
      for (const head of sorted) ENTRY.write(head, writer);
    }),
  );
}

/** The streams of which `known` has less than the machine lists, or something else at the same number. */
export function missingOf(heads: readonly StreamHead[], known: (stream: Uint8Array) => Link): StreamHead[] {
  return heads.filter((head) => {
    const own = known(head.stream);
    return own.seq < head.seq || (own.seq === head.seq && !isEqual(own.hash, head.hash));
  });
}

const compare = (a: Uint8Array, b: Uint8Array): number => (toHex(a) < toHex(b) ? -1 : 1);
