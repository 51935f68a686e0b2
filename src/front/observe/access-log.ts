import { constants } from "node:fs";
import { type FileHandle, lstat, open, rename } from "node:fs/promises";
import { type Clock, systemClock, timestamp } from "../../platform/clock.ts";
import type { ExchangeRecord } from "../proxy/responder.ts";

/**
 * The access log: one JSON object a line, written in batches, never waited for. What the disk does not take in time is dropped and counted, and a line says
 * how many were. The query of a target is left out: it may hold what is secret.
 */
/** Where lines go; an append may fail, and is not repeated. */
export interface AccessSink {
  append(text: string): Promise<void>;
  close(): Promise<void>;
}

/** A batch is written when this old, or this large. */
const BATCH_MS = 100;
const BATCH_CHARS = 64 * 1024;
/** Held while the disk is busy; past it lines are dropped. */
const BACKLOG_CHARS_MAX = 1024 * 1024;
const FILE_BYTES_MAX = 10 * 1024 * 1024;

export class AccessLog {
  readonly #sink: AccessSink;
  readonly #clock: Clock;
  #batch = "";
  #batchLines = 0;
  #cancelTimer: (() => void) | undefined;
  #writing: Promise<void> | undefined;
  #untoldDrops = 0;
  #second = { at: 0, text: "" };
  droppedLines = 0;

  constructor(sink: AccessSink, clock: Clock = systemClock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  record(record: ExchangeRecord): void {
    if (this.#batch.length >= BACKLOG_CHARS_MAX) {
      this.#drop(1);
      return;
    }
    this.#batch += this.#line(record);
    this.#batchLines++;
    if (this.#writing !== undefined) return;
    if (this.#batch.length >= BATCH_CHARS) this.#flush();
    else this.#cancelTimer ??= this.#clock.timer(BATCH_MS, () => this.#flush());
  }

  /** Writes what is held. */
  async close(): Promise<void> {
    await this.#writing;
    this.#flush();
    await this.#writing;
    await this.#sink.close();
  }

  #flush(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#batchLines === 0 || this.#writing !== undefined) return;
    const [text, lineCount, drops] = [this.#batch, this.#batchLines, this.#untoldDrops];
    this.#batch = "";
    this.#batchLines = 0;
    this.#untoldDrops = 0;
    const told = drops === 0 ? "" : `{"at":"${timestamp(this.#clock.wallMs())}","dropped_lines":${drops}}\n`;
    this.#writing = this.#sink.append(told + text).then(
      () => this.#written(),
      () => {
        this.#untoldDrops += drops;
        this.#drop(lineCount);
        this.#written();
      },
    );
  }

  #written(): void {
    this.#writing = undefined;
    if (this.#batch.length >= BATCH_CHARS) this.#flush();
    else if (this.#batchLines > 0) this.#cancelTimer ??= this.#clock.timer(BATCH_MS, () => this.#flush());
  }

  #drop(lineCount: number): void {
    this.droppedLines += lineCount;
    this.#untoldDrops += lineCount;
  }

  #line(record: ExchangeRecord): string {
    const { target, worker, instance, host } = record;
    const mark = target.indexOf("?");
    return `{"at":"${this.#timestamp()}","request_id":${quoted(record.requestId)},"remote":${quoted(record.remoteAddress)},"method":${quoted(
      record.method,
    )}${record.isSecure === true ? ',"tls":true' : ""},"host":${quoted(host ?? "")},"path":${quoted(mark < 0 ? target : target.slice(0, mark))},"worker":${
      worker === undefined ? "null" : quoted(worker)
    },"instance":${instance === undefined ? "null" : quoted(instance)},"status":${record.status},"bytes_in":${
      record.bytesIn
    },"bytes_out":${record.bytesOut},"duration_ms":${Math.round(record.durationMs * 1_000) / 1_000}}\n`;
  }

  /** The text of a second is kept: a date costs more than all the rest of a line. */
  #timestamp(): string {
    const nowMs = this.#clock.wallMs();
    const second = Math.floor(nowMs / 1_000);
    if (this.#second.at !== second) this.#second = { at: second, text: timestamp(second * 1_000).slice(0, 20) };
    return `${this.#second.text}${String(Math.floor(nowMs - second * 1_000)).padStart(3, "0")}Z`;
  }
}

/** As JSON has it. Nearly all that is logged has nothing to be escaped. */
const quoted = (text: string): string =>
  /["\\\x00-\x1f\ud800-\udfff]/.test(text) ? JSON.stringify(text) : `"${text}"`;

/** A file that is rotated once, to `<path>.1`, at `maxBytes` (default 10 MB). */
export class AccessFile implements AccessSink {
  readonly #path: string;
  readonly #maxBytes: number;
  #file: FileHandle | undefined;
  #sizeBytes = 0;
  /** The last line is only there in part: the next begins on a line of its own. */
  #isTorn = false;

  constructor(path: string, maxBytes = FILE_BYTES_MAX) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  async append(text: string): Promise<void> {
    if (this.#sizeBytes >= this.#maxBytes) await this.#rotate();
    this.#file ??= await this.#open();
    const bytes = Buffer.from(this.#isTorn ? `\n${text}` : text);
    const { bytesWritten } = await this.#file.write(bytes);
    this.#sizeBytes += bytesWritten;
    this.#isTorn = bytesWritten < bytes.length;
    if (this.#isTorn) throw new Error(`${this.#path}: the disk is full`);
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #open(): Promise<FileHandle> {
    const file = await open(this.#path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600);
    this.#sizeBytes = (await file.stat()).size;
    return file;
  }

  async #rotate(): Promise<void> {
    await this.close();
    this.#sizeBytes = 0;
    // A device or a pipe is written to for ever. A link of somebody's is not ours to move either.
    if (!(await lstat(this.#path).catch(() => undefined))?.isFile()) return;
    // Where it cannot be renamed, or somebody took it away, what is at the path is written on; the next batch tries again.
    await rename(this.#path, `${this.#path}.1`).catch(() => {});
  }
}
