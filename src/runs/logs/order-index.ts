import { type FileHandle, open, stat } from "node:fs/promises";
import { systemCode } from "../../protocol/errors.ts";
import type { Positions, Stream } from "./files.ts";
import {
  decodeEnd,
  decodeOrder,
  decodeTime,
  isOrderHeader,
  ORDER_RECORD_BYTES,
  type OrderRecord,
  recordCountOf,
  recordPosition,
} from "./order-record.ts";

/**
 * Reads an order index (format: order-record.ts). Holds the records from the position that the reader starts at, at most the file's 8 MB, so
 * that looking up a line needs no I/O. An index that is absent, of another version, or still empty says nothing, which is not an error: lines then
 * have no known order between the streams and no time.
 */
export class OrderIndex {
  readonly #path: string;
  #file: { handle: FileHandle; inode: number } | undefined;
  /** Records in the file that are loaded or skipped. */
  #consumedCount = 0;
  #records: Buffer = Buffer.alloc(0);
  #count = 0;
  readonly #hint: Record<Stream, number> = { stdout: 0, stderr: 0 };
  #from: Positions = { stdout: 0, stderr: 0 };

  constructor(path: string) {
    this.#path = path;
  }

  get last(): OrderRecord | undefined {
    return this.#count === 0 ? undefined : decodeOrder(this.#records, this.#count - 1);
  }

  /** Forgets what is loaded, then loads what concerns bytes after `from`. */
  async load(from: Positions): Promise<void> {
    await this.close();
    this.#from = { ...from };
    await this.refresh();
  }

  /** Takes in what was written since; true when there was something. A thinned index (another inode) is loaded anew. */
  async refresh(): Promise<boolean> {
    const inode = await inodeOf(this.#path);
    if (this.#file !== undefined && inode !== undefined && this.#file.inode !== inode) await this.close();
    const isNew = this.#file === undefined;
    const handle = await this.#open();
    if (handle === undefined) return false;
    const fileCount = recordCountOf((await handle.stat()).size);
    if (isNew) this.#consumedCount = await firstRecordAfter(handle, fileCount, this.#from);
    if (fileCount <= this.#consumedCount) return false;
    const added = await readRecords(handle, this.#consumedCount, fileCount);
    this.#consumedCount += recordCountOf(added.length + ORDER_RECORD_BYTES);
    this.#append(added);
    return true;
  }

  /**
   * The number of the first record that covers the byte before `endBytes`; `Number.POSITIVE_INFINITY` when none does (yet). Numbers order lines;
   * they hold until the next `load` or `refresh`.
   */
  segmentOf(stream: Stream, endBytes: number): number {
    let low = 0;
    const hint = this.#hint[stream];
    // Lines come in order, so the answer is mostly that of the line before, or the next one.
    if (hint < this.#count && (hint === 0 || decodeEnd(this.#records, hint - 1, stream) < endBytes)) {
      if (decodeEnd(this.#records, hint, stream) >= endBytes) return hint;
      low = hint + 1;
    }
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (decodeEnd(this.#records, middle, stream) < endBytes) low = middle + 1;
      else high = middle;
    }
    this.#hint[stream] = low;
    return low === this.#count ? Number.POSITIVE_INFINITY : low;
  }

  /** When the segment's bytes were seen; undefined for bytes that no record covers. */
  timeOf(segment: number): number | undefined {
    return segment < this.#count ? decodeTime(this.#records, segment) : undefined;
  }

  /** The offsets that the streams had reached before `timeMs`; undefined when there is no index. */
  async positionsBefore(timeMs: number): Promise<Positions | undefined> {
    const handle = await this.#open();
    if (handle === undefined) return undefined;
    const count = recordCountOf((await handle.stat()).size);
    if (count === 0) return undefined;
    const first = await firstRecordWhere(handle, count, (record) => record.timeMs >= timeMs);
    if (first === 0) return { stdout: 0, stderr: 0 };
    const { stdout, stderr } = decodeOrder(await readRecords(handle, first - 1, first), 0);
    return { stdout, stderr };
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#records = Buffer.alloc(0);
    this.#count = 0;
    this.#consumedCount = 0;
    this.#hint.stdout = 0;
    this.#hint.stderr = 0;
    await file?.handle.close();
  }

  async #open(): Promise<FileHandle | undefined> {
    if (this.#file !== undefined) return this.#file.handle;
    const handle = await openIfExists(this.#path);
    if (handle === undefined) return undefined;
    const header = Buffer.alloc(ORDER_RECORD_BYTES);
    await handle.read(header, 0, header.length, 0);
    if (!isOrderHeader(header)) {
      await handle.close();
      return undefined;
    }
    this.#file = { handle, inode: (await handle.stat()).ino };
    return handle;
  }

  /** Keeps the records that do not go down. */
  #append(added: Buffer): void {
    const addedCount = added.length / ORDER_RECORD_BYTES;
    const needed = (this.#count + addedCount) * ORDER_RECORD_BYTES;
    if (needed > this.#records.length) {
      const grown = Buffer.allocUnsafe(this.#count === 0 ? needed : needed * 2);
      this.#records.copy(grown, 0, 0, this.#count * ORDER_RECORD_BYTES);
      this.#records = grown;
    }
    let last = this.last ?? { timeMs: 0, stdout: 0, stderr: 0 };
    for (let index = 0; index < addedCount; index++) {
      const record = decodeOrder(added, index);
      if (record.stdout < last.stdout || record.stderr < last.stderr) continue;
      added.copy(
        this.#records,
        this.#count * ORDER_RECORD_BYTES,
        index * ORDER_RECORD_BYTES,
        (index + 1) * ORDER_RECORD_BYTES,
      );
      this.#count += 1;
      last = record;
    }
  }
}

/** The first record that covers a byte after `from`. */
const firstRecordAfter = (handle: FileHandle, count: number, from: Positions): Promise<number> =>
  firstRecordWhere(handle, count, ({ stdout, stderr }) => stdout > from.stdout || stderr > from.stderr);

/** Binary search on disk: `isAfter` holds for no record, or for one and all that follow. Zeroes stand only at the end, so they count as after. */
async function firstRecordWhere(
  handle: FileHandle,
  count: number,
  isAfter: (record: OrderRecord) => boolean,
): Promise<number> {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    const record = await readRecords(handle, middle, middle + 1);
    if (record.length > 0 && decodeTime(record, 0) > 0 && !isAfter(decodeOrder(record, 0))) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function readRecords(handle: FileHandle, first: number, end: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe((end - first) * ORDER_RECORD_BYTES);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, recordPosition(first));
  return buffer.subarray(0, bytesRead - (bytesRead % ORDER_RECORD_BYTES));
}

async function openIfExists(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
