import { type FileHandle, open, rename, rm } from "node:fs/promises";
import {
  decodeOrder,
  decodeTime,
  encodeOrder,
  isOrderHeader,
  ORDER_RECORD_BYTES,
  type OrderRecord,
  orderHeader,
  recordCountOf,
  recordPosition,
} from "./order-record.ts";

/**
 * Appends records to an order index. One writer per index: the server that watches the run.
 *
 * Invariants: (1) the file is whole records after a header; a write that failed half-way (ENOSPC) is overwritten by the next one, because each
 * goes to the position where the last good one ended. (2) A write that fails drops its records and nothing else: order becomes coarser, the next
 * record is tried as usual. (3) The file holds at most ORDER_BYTES_MAX; when it is full, the older half keeps every second record (so the order of
 * old output becomes coarser each time, that of new output never) in a new file that is renamed over the old one.
 * Writes are asynchronous and one at a time; what arrives meanwhile goes out together.
 */

/** 466,000 records; past it the older half is thinned. */
const ORDER_BYTES_MAX = 8 * 1024 * 1024;
/** Records waiting for a slow disk; past it the oldest waiting ones are dropped, which makes the order coarser. */
const QUEUED_RECORDS_MAX = 4096;

export interface OrderWriterOptions {
  bytesMax?: number;
  /** `open` of node:fs/promises; a parameter for tests of a failing disk. */
  openFile?: (path: string, flags: string, mode: number) => Promise<FileHandle>;
}

export class OrderWriter {
  /** The last record that the file holds or will hold; undefined when there is none. */
  last: OrderRecord | undefined;
  readonly #path: string;
  readonly #bytesMax: number;
  readonly #openFile: NonNullable<OrderWriterOptions["openFile"]>;
  #file: FileHandle | undefined;
  #sizeBytes = 0;
  #queue: OrderRecord[] = [];
  #writing: Promise<void> | undefined;

  constructor(path: string, options: OrderWriterOptions = {}) {
    this.#path = path;
    this.#bytesMax = options.bytesMax ?? ORDER_BYTES_MAX;
    this.#openFile = options.openFile ?? open;
  }

  /** Opens or makes the file and finds its end. A failure is kept quiet: the next write tries again. */
  async open(): Promise<void> {
    try {
      await this.#ensureOpen();
    } catch {
      // No index: the order between the streams is then unknown, which readers can live with.
    }
  }

  append(record: OrderRecord): void {
    const timeMs = Math.max(record.timeMs, this.last?.timeMs ?? 0);
    this.last = { ...record, timeMs };
    this.#queue.push(this.last);
    if (this.#queue.length > QUEUED_RECORDS_MAX) this.#queue.shift();
    this.#writing ??= this.#drain();
  }

  /** Resolves when all that was appended is written or dropped. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#file?.close().catch(() => {});
    this.#file = undefined;
  }

  async #drain(): Promise<void> {
    // Records of the same turn of the loop go out in one write.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const records = this.#queue;
      this.#queue = [];
      await this.#write(Buffer.concat(records.map(encodeOrder))).catch(() => {});
    }
    this.#writing = undefined;
  }

  async #write(bytes: Buffer): Promise<void> {
    const file = await this.#ensureOpen();
    if (this.#sizeBytes + bytes.length > this.#bytesMax) return this.#thin(file, bytes);
    let written = 0;
    while (written < bytes.length) {
      const result = await file.write(bytes, written, bytes.length - written, this.#sizeBytes + written);
      written += result.bytesWritten;
    }
    this.#sizeBytes += written;
  }

  async #ensureOpen(): Promise<FileHandle> {
    if (this.#file !== undefined) return this.#file;
    const file = await this.#openFile(this.#path, "a", 0o600).then(async (made) => {
      await made.close();
      return this.#openFile(this.#path, "r+", 0o600);
    });
    try {
      await this.#findEnd(file);
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#file = file;
    return file;
  }

  async #findEnd(file: FileHandle): Promise<void> {
    const { size } = await file.stat();
    const header = Buffer.alloc(ORDER_RECORD_BYTES);
    await file.read(header, 0, header.length, 0);
    if (!isOrderHeader(header)) {
      await file.truncate(0);
      await file.write(orderHeader(), 0, ORDER_RECORD_BYTES, 0);
      this.#sizeBytes = ORDER_RECORD_BYTES;
      return;
    }
    let count = recordCountOf(size);
    const record = Buffer.alloc(ORDER_RECORD_BYTES);
    for (; count > 0; count--) {
      await file.read(record, 0, record.length, recordPosition(count - 1));
      // A power failure may leave zeroes where records were; they must not stay in the middle of the file.
      if (decodeTime(record, 0) > 0) break;
    }
    this.#sizeBytes = recordPosition(count);
    if (count > 0) this.last ??= decodeOrder(record, 0);
  }

  /** Invariant 3. `added` goes to the end of the new file. */
  async #thin(file: FileHandle, added: Buffer): Promise<void> {
    const old = Buffer.alloc(this.#sizeBytes - ORDER_RECORD_BYTES);
    await file.read(old, 0, old.length, ORDER_RECORD_BYTES);
    const bytes = Buffer.concat([orderHeader(), thinOlderHalf(old), added]);
    const temporary = `${this.#path}.${process.pid}.tmp`;
    let thinned: FileHandle | undefined;
    try {
      thinned = await this.#openFile(temporary, "w+", 0o600);
      let written = 0;
      while (written < bytes.length) written += (await thinned.write(bytes, written)).bytesWritten;
      await rename(temporary, this.#path);
    } catch (error) {
      await thinned?.close();
      await rm(temporary, { force: true });
      throw error;
    }
    await file.close();
    this.#file = thinned;
    this.#sizeBytes = bytes.length;
  }
}

/** Every second record of the older half (the later of each pair, so that no offset is passed over), the newer half whole. */
function thinOlderHalf(records: Buffer): Buffer {
  const count = Math.floor(records.length / ORDER_RECORD_BYTES);
  const half = count >> 1;
  const kept: Buffer[] = [];
  for (let index = 1; index < half; index += 2) {
    kept.push(records.subarray(index * ORDER_RECORD_BYTES, (index + 1) * ORDER_RECORD_BYTES));
  }
  kept.push(records.subarray((half - (half % 2)) * ORDER_RECORD_BYTES));
  return Buffer.concat(kept);
}
