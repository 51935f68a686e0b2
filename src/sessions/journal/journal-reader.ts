import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../../protocol/errors.ts";
import {
  decodeRecord,
  type JournalRecord,
  RECORD,
  RECORD_BYTES_MAX,
  RECORD_HEADER_BYTES,
  segmentName,
  segmentNumbers,
} from "../../protocol/journal-records.ts";

/**
 * Reads a journal that another process may be appending to, from any place on. It keeps no place of its own: who reads says from where, so a reader can be
 * closed and made again at any moment. One file is open at a time. What is not whole yet is not there yet.
 *
 * A segment is finished before the next one is made (the keeper closes it first), so once there is a next one, what is left of it is damage: it is
 * passed over, and a gap is told when output is missing.
 */
/** A place between two records. */
export interface JournalPosition {
  segment: number;
  /** Bytes from the beginning of the segment. */
  at: number;
  /** Bytes of output before it. */
  offset: number;
}

export type JournalRead =
  /** Their bytes are views that the next `read` overwrites. `position` is behind the last of them. */
  | { kind: "records"; records: JournalRecord[]; position: JournalPosition }
  /** Nothing more yet. `position` may already be in the next segment. */
  | { kind: "none"; position: JournalPosition }
  /** What comes next is not kept any more, or is damaged; the journal goes on at `position`. */
  | { kind: "gap"; position: JournalPosition };

export const READ_BYTES_MAX = 256 * 1024;
/** A header, and a short record. */
const READ_BYTES_MIN = 1024;
/** What is looked through for a place near the end of a segment, before it is gone through from its beginning. */
const TAIL_BYTES: readonly number[] = [8 * 1024, 256 * 1024];
/** What looks like a record there is checked so often at most; past it the segment is gone through. */
const LOOKS_MAX = 100;

export class JournalReader {
  readonly #dir: string;
  #buffer: Buffer | undefined;
  #open: { segment: number; file: FileHandle } | undefined;

  /** `buffer`: shared by readers that take turns; else one is made at the first read. */
  constructor(journalDir: string, buffer?: Buffer) {
    this.#dir = journalDir;
    this.#buffer = buffer;
  }

  /** Whole records from `from` on, about `bytesMax` at most (at least one, however long). @throws what the disk says */
  async read(from: JournalPosition, bytesMax = READ_BYTES_MAX): Promise<JournalRead> {
    const file = await this.#fileOf(from.segment);
    if (!file) return this.#after(from);
    const here = await this.#recordsOf(file, from, bytesMax);
    if (here) return here;
    if (!(await this.#segments()).some((segment) => segment > from.segment)) return { kind: "none", position: from };
    // Made after the first look: what came between the two is read first.
    return (await this.#recordsOf(file, from, bytesMax)) ?? this.#after(from);
  }

  /** The oldest place that is kept; undefined when nothing was written. */
  async start(): Promise<JournalPosition | undefined> {
    for (const segment of await this.#segments()) {
      const position = await this.#startOf(segment);
      if (position) return position;
    }
    return undefined;
  }

  /** Behind what is written at the moment. */
  async end(): Promise<JournalPosition | undefined> {
    const segments = await this.#segments();
    for (const segment of segments.toReversed()) {
      const position = await this.#startOf(segment);
      if (position) return this.#hop(position, Number.POSITIVE_INFINITY);
    }
    return undefined;
  }

  /**
   * The place of an offset: before the record that holds the byte at it, or behind the one that ends there. The position's own offset may be smaller, by
   * less than a record. "gone": that is not kept any more; undefined: it is not written yet.
   */
  async seek(offset: number): Promise<JournalPosition | "gone" | undefined> {
    let isThereOlder = false;
    for (const segment of (await this.#segments()).toReversed()) {
      const start = await this.#startOf(segment);
      if (!start) continue;
      isThereOlder = true;
      if (start.offset > offset) continue;
      const position = await this.#hop((await this.#nearEnd(start, offset)) ?? start, offset);
      return position.offset < offset && (await this.#lengthAt(position)) === undefined ? undefined : position;
    }
    return isThereOlder ? "gone" : undefined;
  }

  async close(): Promise<void> {
    const { file } = this.#open ?? {};
    this.#open = undefined;
    await file?.close().catch(() => {});
  }

  async #recordsOf(file: FileHandle, from: JournalPosition, bytesMax: number): Promise<JournalRead | undefined> {
    this.#buffer ??= Buffer.allocUnsafeSlow(READ_BYTES_MAX);
    const length = Math.max(bytesMax, READ_BYTES_MIN);
    let bytes = await readAt(file, this.#buffer.subarray(0, length), from.at);
    const first = decodeRecord(bytes, 0);
    if (first === "more" && bytes.length >= RECORD_HEADER_BYTES) {
      const needed = RECORD_HEADER_BYTES + bytes.readUInt32BE(15);
      if (needed > length) bytes = await readAt(file, Buffer.allocUnsafe(needed), from.at);
    }
    const records: JournalRecord[] = [];
    let { offset } = from;
    let read = 0;
    for (;;) {
      const decoded = decodeRecord(bytes, read);
      if (typeof decoded === "string") break;
      records.push(decoded.record);
      read = decoded.end;
      offset = offsetAfter(decoded.record, offset);
    }
    if (records.length === 0) return undefined;
    return { kind: "records", records, position: { segment: from.segment, at: from.at + read, offset } };
  }

  /** There is nothing more in that segment, or it is gone. */
  async #after(from: JournalPosition): Promise<JournalRead> {
    for (const segment of await this.#segments()) {
      if (segment <= from.segment) continue;
      const position = await this.#startOf(segment);
      if (!position) continue; // made, and still empty
      return position.offset === from.offset ? this.read(position) : { kind: "gap", position };
    }
    return { kind: "none", position: from };
  }

  /**
   * A place shortly before an offset that is near the end of its segment, where readers that come back are: a segment of short records has a hundred thousand
   * of them. A record is known there by its checksum, and by all that follow it to the end with no gap in their offsets.
   */
  async #nearEnd(start: JournalPosition, offset: number): Promise<JournalPosition | undefined> {
    const file = await this.#fileOf(start.segment);
    const { size = 0 } = (await file?.stat()) ?? {};
    for (const tailBytes of TAIL_BYTES) {
      if (!file || size < 2 * tailBytes) return undefined;
      const at = size - tailBytes;
      const bytes = await readAt(file, Buffer.allocUnsafe(tailBytes), at);
      const first = firstRecordIn(bytes, { from: start.offset, to: offset });
      if (first) return { segment: start.segment, at: at + first.at, offset: first.offset };
    }
    return undefined;
  }

  /** From the beginning of a segment to the place of an offset in it, from header to header. */
  async #hop(start: JournalPosition, offset: number): Promise<JournalPosition> {
    const file = await this.#fileOf(start.segment);
    const buffer = Buffer.allocUnsafe(READ_BYTES_MAX);
    let position = start;
    let bytes: Buffer = Buffer.alloc(0);
    let bytesAt = 0;
    while (file) {
      let header = bytes.subarray(position.at - bytesAt);
      if (header.length < RECORD_HEADER_BYTES) {
        bytesAt = position.at;
        header = bytes = await readAt(file, buffer, bytesAt);
        if (header.length < RECORD_HEADER_BYTES) break;
      }
      const kind = header.readUInt8(0);
      const length = header.readUInt32BE(15);
      if (kind === 0 || length > RECORD_BYTES_MAX) break;
      const end = position.at + RECORD_HEADER_BYTES + length;
      // Only the last can be unfinished, and only a checksum tells.
      if (end > bytesAt + bytes.length && (await this.#lengthAt(position)) === undefined) break;
      const after = position.offset + (kind === RECORD.output ? length : 0);
      if (after > offset || position.offset >= offset) break;
      position = { segment: start.segment, at: end, offset: after };
    }
    return position;
  }

  /** The length of the whole record at a place. */
  async #lengthAt({ segment, at }: JournalPosition): Promise<number | undefined> {
    const file = await this.#fileOf(segment);
    if (!file) return undefined;
    const header = await readAt(file, Buffer.allocUnsafe(RECORD_HEADER_BYTES), at);
    if (header.length < RECORD_HEADER_BYTES) return undefined;
    const length = Math.min(header.readUInt32BE(15), RECORD_BYTES_MAX);
    const decoded = decodeRecord(await readAt(file, Buffer.allocUnsafe(RECORD_HEADER_BYTES + length), at), 0);
    return typeof decoded === "string" ? undefined : decoded.end;
  }

  /** Its first record says where it begins. */
  async #startOf(segment: number): Promise<JournalPosition | undefined> {
    const file = await this.#fileOf(segment);
    if (!file) return undefined;
    const head = await readAt(file, Buffer.allocUnsafe(64), 0);
    const decoded = decodeRecord(head, 0);
    if (typeof decoded === "string") return undefined;
    return { segment, at: 0, offset: decoded.record.offset };
  }

  async #fileOf(segment: number): Promise<FileHandle | undefined> {
    if (this.#open?.segment === segment) return this.#open.file;
    const file = await openIfThere(join(this.#dir, segmentName(segment)));
    if (!file) return undefined;
    await this.close();
    this.#open = { segment, file };
    return file;
  }

  async #segments(): Promise<number[]> {
    try {
      return segmentNumbers(await readdir(this.#dir));
    } catch (error) {
      if (systemCode(error) === "ENOENT") return [];
      throw error;
    }
  }
}

/** Where the first whole record of these bytes begins, which are the end of a segment, with an offset in that range; undefined when it cannot be told. */
function firstRecordIn(bytes: Buffer, { from, to }: { from: number; to: number }) {
  let lookCount = 0;
  for (let at = 0; at + RECORD_HEADER_BYTES <= bytes.length && lookCount < LOOKS_MAX; at++) {
    const kind = bytes[at]!;
    if (kind < RECORD.output || kind > RECORD.end || kind === RECORD.input) continue; // of input, the offset is another one
    const offset = bytes.readUInt32BE(at + 7) * 2 ** 32 + bytes.readUInt32BE(at + 11);
    if (offset < from || offset > to) continue;
    lookCount += 1;
    if (isChain(bytes, at)) return { at, offset };
  }
  return undefined;
}

/** All from there on are records that follow each other, but for a last one that is not whole. */
function isChain(bytes: Buffer, from: number): boolean {
  let next: number | undefined;
  for (let at = from; at < bytes.length; ) {
    const decoded = decodeRecord(bytes, at);
    if (decoded === "more") return next !== undefined;
    if (decoded === "torn") return false;
    const { record, end } = decoded;
    if (record.kind !== RECORD.input) {
      if (next !== undefined && record.offset !== next) return false;
      next = record.offset + (record.kind === RECORD.output ? record.bytes.length : 0);
    }
    at = end;
  }
  return true;
}

const offsetAfter = ({ kind, offset, bytes }: JournalRecord, before: number): number => {
  if (kind === RECORD.output) return offset + bytes.length;
  return kind === RECORD.input ? before : offset;
};

async function readAt(file: FileHandle, buffer: Buffer, at: number): Promise<Buffer> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, at + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
