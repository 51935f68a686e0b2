import { crc32 } from "node:zlib";

/**
 * The journal of a session (CONTRACT §6): what its program wrote and was given, as raw bytes with absolute offsets, in segment files
 * `<n>.seg` (n from 1). The keeper appends, everybody else reads. A record is
 *
 *     kind u8 | time_ms u48 | offset u64 | length u32 | crc u32 | bytes          big endian
 *
 * `offset` counts what came before it in the session: bytes of output for every kind but `input`, bytes of input for `input`. `crc` is CRC-32
 * (RFC 1952; the runtime has it, it has no CRC-32C) of the first 19 bytes of the record and its bytes. The first record of a segment is always `size`.
 * Invariant: the `offset` of a record is the sum of the lengths of those of its kind before it, from the first byte of the session on.
 */
export const RECORD = {
  /** Bytes that the program wrote: to its terminal, or to stdout. */
  output: 1,
  /** Bytes that were written to an agent's stdin: `source u64 | bytes`. What is typed into a terminal is not written down: it may be a password. */
  input: 2,
  /** `cols u16 | rows u16`, from this offset on; 0 × 0 for pipes. */
  size: 3,
  /** Bytes that an agent wrote to stderr. Not counted in the offset. */
  errors: 4,
  /** How the program ended: JSON of `ChannelExit`. The last record. */
  end: 5,
} as const;

export const RECORD_HEADER_BYTES = 23;
/** `source u64` before the bytes of an input record. */
export const INPUT_SOURCE_BYTES = 8;
/** A longer one is no record: the journal is cut there. */
export const RECORD_BYTES_MAX = 8 * 1024 * 1024;
/** A segment that is longer is followed by a new one. */
export const SEGMENT_BYTES = 4 * 1024 * 1024;

export interface JournalRecord {
  kind: number;
  timeMs: number;
  offset: number;
  bytes: Uint8Array;
}

const CRC_AT = 19;

/** Only the header: who writes it puts the bytes behind it without copying them. */
export function encodeRecordHeader({ kind, timeMs, offset, bytes }: JournalRecord): Buffer {
  const header = Buffer.allocUnsafe(RECORD_HEADER_BYTES);
  header.writeUInt8(kind, 0);
  header.writeUIntBE(timeMs, 1, 6);
  header.writeBigUInt64BE(BigInt(offset), 7);
  header.writeUInt32BE(bytes.length, 15);
  header.writeUInt32BE(crc32(bytes, crc32(header.subarray(0, CRC_AT))), CRC_AT);
  return header;
}

/**
 * The record that begins at `at`: `more` when the bytes end before it does, `torn` when it is none (a torn write, garbage, a wrong checksum). The
 * record's bytes are a view of `bytes`.
 */
export function decodeRecord(bytes: Buffer, at: number): { record: JournalRecord; end: number } | "more" | "torn" {
  if (bytes.length - at < RECORD_HEADER_BYTES) return "more";
  const kind = bytes.readUInt8(at);
  const length = bytes.readUInt32BE(at + 15);
  if (kind === 0 || length > RECORD_BYTES_MAX) return "torn";
  const end = at + RECORD_HEADER_BYTES + length;
  if (bytes.length < end) return "more";
  const body = bytes.subarray(at + RECORD_HEADER_BYTES, end);
  if (crc32(body, crc32(bytes.subarray(at, at + CRC_AT))) !== bytes.readUInt32BE(at + CRC_AT)) return "torn";
  const record = {
    kind,
    timeMs: bytes.readUIntBE(at + 1, 6),
    offset: Number(bytes.readBigUInt64BE(at + 7)),
    bytes: body,
  };
  return { record, end };
}

export const segmentName = (number: number): string => `${number}.seg`;

/** The numbers of the segments among these file names, in order. */
export function segmentNumbers(names: readonly string[]): number[] {
  return names
    .flatMap((name) => (/^[1-9][0-9]*\.seg$/.test(name) ? [Number.parseInt(name, 10)] : []))
    .sort((a, b) => a - b);
}

/** @throws RangeError when it is no size: whole numbers, each at most 65 535 */
export function encodeSize(cols: number, rows: number): Buffer {
  // The runtime's own check lets NaN pass as 0, and cuts fractions off.
  if (!Number.isInteger(cols) || !Number.isInteger(rows)) throw new RangeError(`${cols} × ${rows} is no size`);
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt16BE(cols, 0);
  bytes.writeUInt16BE(rows, 2);
  return bytes;
}

export function decodeSize(bytes: Uint8Array): { cols: number; rows: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { cols: view.getUint16(0), rows: view.getUint16(2) };
}
