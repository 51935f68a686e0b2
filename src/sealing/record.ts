import { concat, utf8 } from "./bytes.ts";
import { type AeadKey, KEY_BYTES, type SealingCrypto, SIGNATURE_BYTES, type SigningKey, TAG_BYTES } from "./crypto.ts";
import { formInvalid, recordTooLarge, sealBroken, signatureWrong, versionUnknown } from "./errors.ts";
import { RECORD_BYTES_MAX } from "./frames.ts";
import { decodeWith, encodeWith, fixed, type Reader, struct, u8, u32, u64, type Writer } from "./layout.ts";
import { PADDED_BYTES_MIN, pad, TEXT_LENGTH_BYTES, unpad } from "./padding.ts";

/**
 * A record: what is for somebody who is away (docs/remote-design.md, Records). Its head is clear to the hub, its text is sealed under the
 * period's key, and its sender's device or machine key signs it all. Every key seals one record alone, made of the period's key and the salt.
 *
 * Additional data and the signature hold the hub's fingerprint, so that a record of one hub is none at another; the head holds the rest of the
 * context. `period` records are the exception: their text holds keys that are sealed one by one, and lies open (period.ts).
 */

const RECORD_VERSION = 1;
/** What the head says: the number of its kind. */
export const RECORD_KINDS = { state: 1, item: 2, request: 3, result: 4, period: 5, members: 6, head: 7 } as const;
export type RecordKindName = keyof typeof RECORD_KINDS;
export type RecordKind = (typeof RECORD_KINDS)[RecordKindName];

export const STREAM_BYTES = 8;
const SALT_BYTES = 16;
export const HASH_BYTES = 32;

export interface RecordHead {
  kind: RecordKind;
  /** The machine's login key at this hub. */
  space: Uint8Array;
  /** 8 bytes that only readers can name. */
  stream: Uint8Array;
  /** The sender's login key at this hub. */
  sender: Uint8Array;
  /** The number of the period whose key seals it. */
  period: number;
  /** From 1, per space, stream and sender. */
  seq: number;
  /** SHA-256 of the sender's record before in this stream; 32 zeros before the first. */
  prev: Uint8Array;
  /** By the sender's clock; decides nothing. */
  atMs: number;
}

export interface SealedRecord extends RecordHead {
  salt: Uint8Array;
  sealed: Uint8Array;
  signature: Uint8Array;
  /** The whole record, as it travels. */
  bytes: Uint8Array;
}

/** Where a record's period stands in its bytes: 4 of them, the highest first, so that they are in the order of the numbers. */
export const PERIOD_OFFSET_BYTES = 2 + KEY_BYTES + STREAM_BYTES + KEY_BYTES;

const HEAD = struct({
  space: fixed(KEY_BYTES),
  stream: fixed(STREAM_BYTES),
  sender: fixed(KEY_BYTES),
  period: u32,
  seq: u64,
  prev: fixed(HASH_BYTES),
  atMs: u64,
});
/** Version, kind and head, and the salt: what stands before `length`. */
const CLEAR_BYTES = 2 + 3 * KEY_BYTES + STREAM_BYTES + 4 + 8 + 8 + SALT_BYTES;
const LENGTH_BYTES = 4;
/** What a record is longer than its padded text. */
const OVERHEAD_BYTES = CLEAR_BYTES + LENGTH_BYTES + TAG_BYTES + SIGNATURE_BYTES;
const PADDED_BYTES_MAX = RECORD_BYTES_MAX - OVERHEAD_BYTES;
/** The longest text of a record. */
export const RECORD_TEXT_BYTES_MAX = PADDED_BYTES_MAX - TEXT_LENGTH_BYTES;

export interface RecordKeys {
  /** The hub's fingerprint. */
  hub: Uint8Array;
  /** The period's 32 bytes; not asked for by `period` records. */
  periodKey: Uint8Array;
}

/** @throws RECORD_TOO_LARGE, FORM_INVALID */
export async function sealRecord(
  crypto: SealingCrypto,
  { head, text, keys, signer }: { head: RecordHead; text: Uint8Array; keys: RecordKeys; signer: SigningKey },
): Promise<SealedRecord> {
  if (text.length > RECORD_TEXT_BYTES_MAX) throw recordTooLarge(text.length, RECORD_TEXT_BYTES_MAX);
  const salt = crypto.random(SALT_BYTES);
  const clear = encodeWith("record", (writer) => writeClear(writer, head, salt));
  const padded = pad(text, PADDED_BYTES_MAX);
  const sealed =
    head.kind === RECORD_KINDS.period
      ? padded
      : await crypto.seal(await recordKey(crypto, { head, salt, keys }), padded, contextOf(keys.hub, clear));
  const unsigned = encodeWith("record", (writer) => {
    writer.raw(clear);
    writer.integer(sealed.length, LENGTH_BYTES);
    writer.raw(sealed);
  });
  const signature = await crypto.sign(signer, signedText(keys.hub, unsigned));
  return { ...head, salt, sealed, signature, bytes: concat(unsigned, signature) };
}

/**
 * What these bytes say they are; nothing of it is proven before {@link openRecord}. Byte arrays are views of `bytes`.
 * @throws FORM_INVALID, VERSION_UNKNOWN, RECORD_TOO_LARGE, and nothing else for any bytes
 */
export function decodeRecord(bytes: Uint8Array): SealedRecord {
  if (bytes.length > RECORD_BYTES_MAX) throw recordTooLarge(bytes.length, RECORD_BYTES_MAX);
  return decodeWith("record", bytes, (reader) => {
    const version = reader.integer(1);
    if (version !== RECORD_VERSION) throw versionUnknown("record", version);
    const kind = kindOf(reader);
    const head = HEAD.read(reader);
    if (head.seq === 0) throw formInvalid("record", "it is counted 0");
    const salt = reader.raw(SALT_BYTES);
    const sealed = reader.raw(lengthOf(reader, kind));
    return { kind, ...head, salt, sealed, signature: reader.raw(SIGNATURE_BYTES), bytes };
  });
}

/**
 * The text, once the signature is the sender's and the seal is whole. Who the sender is, what they may send, and where the record stands in its
 * stream is for {@link takeRecord}.
 * @param signerKey the device or machine key of the record's sender
 * @throws SIGNATURE_WRONG, SEAL_BROKEN
 */
export async function openRecord(
  crypto: SealingCrypto,
  { record, keys, signerKey }: { record: SealedRecord; keys: RecordKeys; signerKey: Uint8Array },
): Promise<Uint8Array> {
  const { bytes, sealed, salt } = record;
  if (!(await isSigned(crypto, { record, hub: keys.hub, signerKey }))) throw signatureWrong("record");
  if (record.kind === RECORD_KINDS.period) return unpad(sealed, PADDED_BYTES_MAX);
  const key = await recordKey(crypto, { head: record, salt, keys });
  const padded = await crypto.open(key, sealed, contextOf(keys.hub, bytes.subarray(0, CLEAR_BYTES))).catch(() => {
    throw sealBroken("record");
  });
  return unpad(padded, PADDED_BYTES_MAX);
}

/** It is the sender's, whether it can be opened or not. */
export function isSigned(
  crypto: SealingCrypto,
  { record, hub, signerKey }: { record: SealedRecord; hub: Uint8Array; signerKey: Uint8Array },
): Promise<boolean> {
  const { bytes, signature } = record;
  return crypto.verify(signerKey, signedText(hub, bytes.subarray(0, bytes.length - SIGNATURE_BYTES)), signature);
}

/** What the next record of the stream names as its `prev`. */
export const recordHash = (crypto: SealingCrypto, record: { bytes: Uint8Array }): Promise<Uint8Array> =>
  crypto.sha256(record.bytes);

function writeClear(writer: Writer, head: RecordHead, salt: Uint8Array): void {
  if (head.seq === 0) throw formInvalid("record", "it is counted 0");
  u8.write(RECORD_VERSION, writer);
  u8.write(head.kind, writer);
  HEAD.write(head, writer);
  writer.raw(salt);
}

function kindOf(reader: Reader): RecordKind {
  const kind = reader.integer(1);
  if (kind < RECORD_KINDS.state || kind > RECORD_KINDS.head) throw formInvalid("record", `kind ${kind} is unknown`);
  return kind as RecordKind;
}

function lengthOf(reader: Reader, kind: RecordKind): number {
  const length = reader.integer(LENGTH_BYTES);
  const tag = kind === RECORD_KINDS.period ? 0 : TAG_BYTES;
  if (length < PADDED_BYTES_MIN + tag) throw formInvalid("record", "its text is shorter than any");
  return length;
}

/** A key for this record alone: the nonce can be zero, also for a sender that was restored from a backup and counts again. */
async function recordKey(
  crypto: SealingCrypto,
  { head, salt, keys }: { head: RecordHead; salt: Uint8Array; keys: RecordKeys },
): Promise<AeadKey> {
  const info = concat(utf8("warren record 1"), keys.hub, head.space, head.stream, head.sender);
  return crypto.aeadKey(await crypto.hkdf({ secret: keys.periodKey, salt, info, length: KEY_BYTES }));
}

const contextOf = (hub: Uint8Array, clear: Uint8Array) => ({ nonce: new Uint8Array(12), aad: concat(hub, clear) });

const signedText = (hub: Uint8Array, unsigned: Uint8Array): Uint8Array =>
  concat(utf8("warren record 1\0"), hub, unsigned);
