import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../protocol/errors.ts";
import { decodeRecord, decodeSize, RECORD, segmentName, segmentNumbers } from "../protocol/journal-records.ts";

/**
 * Reads the output of a journal from an offset on, while the keeper writes it. Asked again after a doorbell, it goes on where it was. What is not yet
 * whole is not there yet.
 */
export type OutputPiece =
  | { kind: "output"; bytes: Uint8Array }
  /** The terminal has this size from here on. */
  | { kind: "size"; cols: number; rows: number }
  | { kind: "none" }
  /** The segment that comes next was deleted: it was the oldest, at the journal's cap. */
  | { kind: "gone" };

/** A place between two records. */
export interface JournalPosition {
  segment: number;
  /** Bytes from the beginning of the segment. */
  at: number;
  /** Bytes of output before it. */
  offset: number;
}

const READ_BYTES = 256 * 1024;

export class OutputReader {
  readonly #dir: string;
  #segment: number;
  #file: FileHandle;
  /** Where in the segment `#bytes` begins. */
  #fileAt: number;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Bytes of output before this are passed over. */
  readonly #from: number;
  #offset: number;
  #tellsFirstSize = false;

  private constructor(dir: string, file: FileHandle, { segment, at, offset }: JournalPosition) {
    this.#dir = dir;
    this.#file = file;
    this.#segment = segment;
    this.#fileAt = at;
    this.#from = offset;
    this.#offset = offset;
  }

  /** From an offset, from where another reader was, or from what is kept on; undefined when that is not kept any more, or not there yet. */
  static async open(journalDir: string, from: number | JournalPosition | "start"): Promise<OutputReader | undefined> {
    if (typeof from === "object") {
      const file = await open(join(journalDir, segmentName(from.segment)), "r").catch(() => undefined);
      return file && new OutputReader(journalDir, file, from);
    }
    const numbers = segmentNumbers(await readdir(journalDir).catch(() => []));
    if (from === "start") return OutputReader.#openOldest(journalDir, numbers[0]);
    for (const segment of numbers.toReversed()) {
      const file = await open(join(journalDir, segmentName(segment)), "r").catch(() => undefined);
      if (!file) return undefined;
      const start = await firstOffset(file);
      if (start !== undefined && start <= from)
        return new OutputReader(journalDir, file, { segment, at: 0, offset: from });
      await file.close();
    }
    return undefined;
  }

  static async #openOldest(journalDir: string, segment: number | undefined): Promise<OutputReader | undefined> {
    if (segment === undefined) return undefined;
    const file = await open(join(journalDir, segmentName(segment)), "r").catch(() => undefined);
    const offset = file && (await firstOffset(file));
    if (!file || offset === undefined) {
      await file?.close();
      return undefined;
    }
    const reader = new OutputReader(journalDir, file, { segment, at: 0, offset });
    reader.#tellsFirstSize = true;
    return reader;
  }

  /** After what was read last. */
  get position(): JournalPosition {
    return { segment: this.#segment, at: this.#fileAt + this.#at, offset: this.#offset };
  }

  /** Output from here on, at most `bytesMax` at once; several records make one piece. */
  async read(bytesMax: number): Promise<OutputPiece> {
    const parts: Uint8Array[] = [];
    let length = 0;
    while (length < bytesMax) {
      const decoded = decodeRecord(this.#bytes, this.#at);
      if (typeof decoded === "string") {
        if (decoded === "more" && (await this.#fill())) continue;
        break;
      }
      const { record, end } = decoded;
      const isSize = record.kind === RECORD.size && !this.#isKnown(record.offset);
      if (isSize && length > 0) break;
      this.#at = end;
      if (isSize) return { kind: "size", ...decodeSize(record.bytes) };
      if (record.kind !== RECORD.output) continue;
      const skip = Math.max(0, this.#from - record.offset);
      if (skip >= record.bytes.length) continue;
      // A copy: what it is a view of is read into again.
      const bytes = new Uint8Array(record.bytes.subarray(skip));
      parts.push(bytes);
      length += bytes.length;
      this.#offset = record.offset + record.bytes.length;
    }
    if (length === 0) return { kind: (await this.#isGone()) ? "gone" : "none" };
    return { kind: "output", bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts) };
  }

  async close(): Promise<void> {
    await this.#file.close().catch(() => {});
  }

  /** Sizes before the place at which reading began, and the one with which each segment begins, say nothing new. */
  #isKnown(offset: number): boolean {
    if (this.#tellsFirstSize) {
      this.#tellsFirstSize = false;
      return false;
    }
    return offset < this.#from || this.#fileAt + this.#at === 0;
  }

  async #fill(): Promise<boolean> {
    if (await this.#readMore()) return true;
    const next = await this.#openSegment(this.#segment + 1);
    if (!next) return false;
    // The old one was finished before the next was made: what came between the two looks is read first.
    if (await this.#readMore()) {
      await next.close();
      return true;
    }
    await this.#file.close();
    this.#file = next;
    this.#segment += 1;
    this.#fileAt = 0;
    this.#at = 0;
    this.#bytes = Buffer.alloc(0);
    return this.#readMore();
  }

  async #readMore(): Promise<boolean> {
    const chunk = Buffer.allocUnsafe(READ_BYTES);
    const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, this.#fileAt + this.#bytes.length);
    if (bytesRead === 0) return false;
    const left = this.#bytes.subarray(this.#at);
    this.#fileAt += this.#at;
    this.#at = 0;
    this.#bytes =
      left.length === 0 ? chunk.subarray(0, bytesRead) : Buffer.concat([left, chunk.subarray(0, bytesRead)]);
    return true;
  }

  async #openSegment(number: number): Promise<FileHandle | undefined> {
    try {
      return await open(join(this.#dir, segmentName(number)), "r");
    } catch (error) {
      if (systemCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /** The oldest segments go at the cap; one who is that slow finds the next one missing, and later ones there. */
  async #isGone(): Promise<boolean> {
    const numbers = segmentNumbers(await readdir(this.#dir).catch(() => []));
    return numbers.length > 0 && numbers[0]! > this.#segment;
  }
}

/** The offset at which a segment begins: that of its first record. */
async function firstOffset(file: FileHandle): Promise<number | undefined> {
  const head = Buffer.alloc(64);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  const decoded = decodeRecord(head.subarray(0, bytesRead), 0);
  return typeof decoded === "string" ? undefined : decoded.record.offset;
}
