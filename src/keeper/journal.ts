import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
  writevSync,
} from "node:fs";
import { join } from "node:path";
import {
  encodeRecordHeader,
  encodeSize,
  RECORD,
  SEGMENT_BYTES,
  segmentName,
  segmentNumbers,
} from "../protocol/journal-records.ts";

/**
 * Appends what passes through a channel to its segments. A record is whole or not there: a write that fails half way is taken back. Synced once a second
 * while there is something to sync, and at the end.
 */
const SYNC_MS = 1_000;

export interface JournalOptions {
  dir: string;
  /** The oldest segments go past this; 0: never. */
  bytesMax: number;
  /** The first segment that is written. */
  segment: number;
  size: { cols: number; rows: number };
}

export class Journal {
  /** Bytes of output and input so far, of those before this program too. */
  readonly offsets: { output: number; input: number };
  segment: number;
  segmentBytes = 0;
  size: { cols: number; rows: number };
  readonly #dir: string;
  readonly #bytesMax: number;
  readonly #kept: { number: number; bytes: number }[];
  #fd: number;
  #syncTimer: NodeJS.Timeout | undefined;

  constructor({ dir, bytesMax, segment, size }: JournalOptions, offsets: { output: number; input: number }) {
    this.#dir = dir;
    this.#bytesMax = bytesMax;
    this.offsets = offsets;
    this.size = size;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.#kept = segmentNumbers(readdirSync(dir)).map((number) => ({
      number,
      bytes: statSync(join(dir, segmentName(number))).size,
    }));
    this.segment = segment;
    this.#fd = this.#open();
    this.append(RECORD.size, encodeSize(size.cols, size.rows));
  }

  /** @throws what the disk says (ENOSPC); then nothing was written */
  append(kind: number, bytes: Uint8Array): void {
    const { output, input } = this.offsets;
    const offset = kind === RECORD.input ? input : output;
    const header = encodeRecordHeader({ kind, timeMs: Date.now(), offset, bytes });
    const length = header.length + bytes.length;
    let written = 0;
    try {
      // At its place: what a full disk has cut off is written over.
      written = writevSync(this.#fd, [header, bytes], this.segmentBytes);
      if (written < length) {
        const rest = Buffer.concat([header, bytes]).subarray(written);
        written += writeSync(this.#fd, rest, 0, rest.length, this.segmentBytes + written);
      }
      if (written < length) throw Object.assign(new Error("the disk is full"), { code: "ENOSPC" });
    } catch (error) {
      if (written > 0) ftruncateSync(this.#fd, this.segmentBytes);
      throw error;
    }
    this.segmentBytes += length;
    if (kind === RECORD.output) this.offsets.output += bytes.length;
    if (kind === RECORD.input) this.offsets.input += bytes.length - 8;
    this.#syncTimer ??= setTimeout(() => this.#sync(), SYNC_MS);
    if (this.segmentBytes > SEGMENT_BYTES) this.#rotate();
  }

  /** Frees space: the oldest segment goes, if it is not the one that is written. */
  dropOldest(): boolean {
    const oldest = this.#kept.shift();
    if (oldest) rmSync(join(this.#dir, segmentName(oldest.number)), { force: true });
    return oldest !== undefined;
  }

  close(): void {
    clearTimeout(this.#syncTimer);
    fdatasyncSync(this.#fd);
    closeSync(this.#fd);
  }

  #rotate(): void {
    const [fd, number, bytes] = [this.#fd, this.segment, this.segmentBytes];
    try {
      this.segment += 1;
      this.#fd = this.#open();
      this.segmentBytes = 0;
      this.append(RECORD.size, encodeSize(this.size.cols, this.size.rows));
    } catch {
      if (this.#fd !== fd) closeSync(this.#fd);
      [this.#fd, this.segment, this.segmentBytes] = [fd, number, bytes]; // no room for another: this one grows
      return;
    }
    fdatasync(fd, () => closeSync(fd));
    this.#kept.push({ number, bytes });
    const total = () => this.#kept.reduce((sum, one) => sum + one.bytes, this.segmentBytes);
    while (this.#bytesMax > 0 && total() > this.#bytesMax && this.dropOldest());
  }

  #open = (): number => openSync(join(this.#dir, segmentName(this.segment)), "wx", 0o600);

  #sync(): void {
    this.#syncTimer = undefined;
    fdatasync(this.#fd, () => {});
  }
}
