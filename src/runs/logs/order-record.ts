/**
 * The order index on disk. Two log files have no order between them; the index gives it: the server samples both sizes while it watches, and each
 * record says "at this time stdout had reached this offset and stderr that one". A line belongs to the first record that covers its last byte.
 *
 *     header   18 bytes: "warren-order\0" | version u8 (1) | record size u8 (18) | three zero bytes
 *     record   18 bytes: wall time in ms, u48 | end of stdout, u48 | end of stderr, u48        big endian, absolute offsets
 *
 * Offsets and times never go down from one record to the next. A torn last record (the length is no multiple of 18) and a record that goes down
 * (zeroes after a power failure) are ignored by readers.
 */

const ORDER_VERSION = 1;
export const ORDER_RECORD_BYTES = 18;
const FIELD_BYTES = 6;
const MAGIC = "warren-order\0";

export interface OrderRecord {
  /** Wall time, never smaller than in the record before, whatever the clock did. */
  timeMs: number;
  stdout: number;
  stderr: number;
}

export function orderHeader(): Buffer {
  const header = Buffer.alloc(ORDER_RECORD_BYTES);
  header.write(MAGIC, "latin1");
  header[MAGIC.length] = ORDER_VERSION;
  header[MAGIC.length + 1] = ORDER_RECORD_BYTES;
  return header;
}

/** False for a file of another kind or version: its reader then knows no order, and its writer begins anew. */
export const isOrderHeader = (header: Buffer): boolean => header.equals(orderHeader());

export function encodeOrder({ timeMs, stdout, stderr }: OrderRecord): Buffer {
  const bytes = Buffer.allocUnsafe(ORDER_RECORD_BYTES);
  bytes.writeUIntBE(timeMs, 0, FIELD_BYTES);
  bytes.writeUIntBE(stdout, FIELD_BYTES, FIELD_BYTES);
  bytes.writeUIntBE(stderr, 2 * FIELD_BYTES, FIELD_BYTES);
  return bytes;
}

/** Record `index` of `bytes`, which hold records without the header. */
export function decodeOrder(bytes: Buffer, index: number): OrderRecord {
  const at = index * ORDER_RECORD_BYTES;
  return {
    timeMs: bytes.readUIntBE(at, FIELD_BYTES),
    stdout: bytes.readUIntBE(at + FIELD_BYTES, FIELD_BYTES),
    stderr: bytes.readUIntBE(at + 2 * FIELD_BYTES, FIELD_BYTES),
  };
}

export const decodeTime = (bytes: Buffer, index: number): number =>
  bytes.readUIntBE(index * ORDER_RECORD_BYTES, FIELD_BYTES);

export const decodeEnd = (bytes: Buffer, index: number, stream: "stdout" | "stderr"): number =>
  bytes.readUIntBE(index * ORDER_RECORD_BYTES + (stream === "stdout" ? FIELD_BYTES : 2 * FIELD_BYTES), FIELD_BYTES);

/** Whole records in a file of this size. */
export const recordCountOf = (fileBytes: number): number => Math.max(0, Math.floor(fileBytes / ORDER_RECORD_BYTES) - 1);

/** Where record `index` stands in the file. */
export const recordPosition = (index: number): number => (index + 1) * ORDER_RECORD_BYTES;
