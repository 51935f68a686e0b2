import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  encodeRecordHeader,
  encodeSize,
  INPUT_SOURCE_BYTES,
  RECORD,
  segmentName,
} from "../../../protocol/journal-records.ts";
import type { JournalEnd } from "../../keeper-port.ts";

/** Writes a journal as the keeper does, in a temporary session's directory; segments are as long as a test wants them. */
export class JournalWriter implements Disposable {
  readonly sessionDir: string;
  readonly dir: string;
  output = 0;
  input = 0;
  segment = 0;
  segmentBytes = 0;
  size = { cols: 80, rows: 24 };
  #timeMs = 1_000;

  constructor({ cols = 80, rows = 24 } = {}) {
    this.sessionDir = mkdtempSync(join(tmpdir(), "warren-journal-"));
    this.dir = join(this.sessionDir, "journal");
    mkdirSync(this.dir);
    this.size = { cols, rows };
    this.rotate();
  }

  get end(): JournalEnd {
    const { output, segment, segmentBytes } = this;
    return { output, segment, segmentBytes };
  }

  get path(): string {
    return join(this.dir, segmentName(this.segment));
  }

  rotate(): void {
    this.segment += 1;
    this.segmentBytes = 0;
    this.append(RECORD.size, encodeSize(this.size.cols, this.size.rows));
  }

  append(kind: number, bytes: Uint8Array): void {
    const offset = kind === RECORD.input ? this.input : this.output;
    this.#timeMs += 1;
    const record = Buffer.concat([encodeRecordHeader({ kind, timeMs: this.#timeMs, offset, bytes }), bytes]);
    appendFileSync(this.path, record);
    this.segmentBytes += record.length;
    if (kind === RECORD.output) this.output += bytes.length;
    if (kind === RECORD.input) this.input += bytes.length - INPUT_SOURCE_BYTES;
  }

  write(output: string | Uint8Array): this {
    this.append(RECORD.output, Buffer.from(output as string));
    return this;
  }

  resize(cols: number, rows: number): void {
    this.size = { cols, rows };
    this.append(RECORD.size, encodeSize(cols, rows));
  }

  /** Bytes that are no record, or not a whole one. */
  appendRaw(bytes: Uint8Array): void {
    appendFileSync(this.path, bytes);
  }

  /** What a crash has left. */
  truncate(segmentBytes: number): void {
    truncateSync(this.path, segmentBytes);
  }

  get fileBytes(): number {
    return statSync(this.path).size;
  }

  [Symbol.dispose](): void {
    rmSync(this.sessionDir, { recursive: true, force: true });
  }
}
