import { closeSync, fdatasync, ftruncateSync, openSync, readdirSync, rmSync, statSync, writevSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../protocol/errors.ts";
import {
  encodeRecordHeader,
  encodeSize,
  INPUT_SOURCE_BYTES,
  RECORD,
  SEGMENT_BYTES,
  segmentName,
  segmentNumbers,
} from "../protocol/journal-records.ts";
import type { ChannelSpec } from "../protocol/keeper-calls.ts";

/**
 * Appends what passes through a channel to its segments. Each segment begins with the size that holds there. A record is whole or not there: a write that
 * fails half way is taken back. Synced once in `SYNC_MS` while there is something to sync, and at the end.
 */
const SYNC_MS = 1_000;

export class Journal {
  /** Bytes of output and input so far, of those before this program too. */
  output: number;
  input: number;
  size: { cols: number; rows: number };
  hasEnded = false;
  readonly #dir: string;
  readonly #bytesMax: number;
  /** Oldest first; the last one is written. */
  readonly #segments: { number: number; bytes: number }[];
  #fd = -1;
  #syncTimer: NodeJS.Timeout | undefined;

  /** @throws what the file system says */
  constructor(spec: ChannelSpec, size: { cols: number; rows: number }) {
    const { journalDir, journalBytesMax, startOutput = 0, startInput = 0, startSegment = 1 } = spec;
    this.output = startOutput;
    this.input = startInput;
    this.size = size;
    this.#dir = journalDir;
    this.#bytesMax = journalBytesMax;
    this.#segments = segmentNumbers(readdirSync(journalDir)).map((number) => ({
      number,
      bytes: statSync(this.#path(number)).size,
    }));
    this.#begin(startSegment);
    try {
      this.append(RECORD.size, encodeSize(size.cols, size.rows));
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  get end(): { number: number; bytes: number } {
    return this.#segments.at(-1)!;
  }

  /** Room on a full disk is made of the oldest segments. @throws what the disk says; then nothing was written */
  append(kind: number, bytes: Uint8Array): void {
    for (;;) {
      try {
        return this.#append(kind, bytes);
      } catch (error) {
        if (systemCode(error) !== "ENOSPC" || !this.#dropOldest()) throw error;
      }
    }
  }

  /** Takes back a journal whose program could not be started. */
  discard(): void {
    this.#close();
    rmSync(this.#path(this.end.number), { force: true });
  }

  #append(kind: number, bytes: Uint8Array): void {
    if (this.end.bytes > SEGMENT_BYTES) this.#begin(this.end.number + 1);
    const isFirst = this.end.bytes === 0 && kind !== RECORD.size;
    const size = encodeSize(this.size.cols, this.size.rows);
    const parts = [...(isFirst ? [this.#header(RECORD.size, size), size] : []), this.#header(kind, bytes), bytes];
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (writevSync(this.#fd, parts) < length) {
      ftruncateSync(this.#fd, this.end.bytes);
      throw Object.assign(new Error("the disk is full"), { code: "ENOSPC" });
    }
    this.end.bytes += length;
    if (kind === RECORD.output) this.output += bytes.length;
    if (kind === RECORD.input) this.input += bytes.length - INPUT_SOURCE_BYTES;
    this.hasEnded = kind === RECORD.end;
    if (this.hasEnded) return this.#close();
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      fdatasync(this.#fd, () => {});
    }, SYNC_MS);
  }

  #header(kind: number, bytes: Uint8Array): Buffer {
    return encodeRecordHeader({
      kind,
      timeMs: Date.now(),
      offset: kind === RECORD.input ? this.input : this.output,
      bytes,
    });
  }

  #begin(number: number): void {
    const fd = openSync(this.#path(number), "ax", 0o600);
    if (this.#fd !== -1) this.#close();
    this.#fd = fd;
    this.#segments.push({ number, bytes: 0 });
    const total = (): number => this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
    while (this.#bytesMax > 0 && total() > this.#bytesMax && this.#dropOldest());
  }

  #dropOldest(): boolean {
    if (this.#segments.length === 1) return false;
    rmSync(this.#path(this.#segments.shift()!.number), { force: true });
    return true;
  }

  #close(): void {
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    const fd = this.#fd;
    fdatasync(fd, () => closeSync(fd));
  }

  #path = (number: number): string => join(this.#dir, segmentName(number));
}
