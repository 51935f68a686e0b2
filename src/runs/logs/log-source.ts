import { open } from "node:fs/promises";
import { systemCode } from "../../protocol/errors.ts";
import { type DropState, dropStateOf } from "./dropped.ts";
import { type Positions, pathOf, type RunLogPaths, STREAMS, type Stream } from "./files.ts";
import { OrderIndex } from "./order-index.ts";

/**
 * A run's logs, opened for reading: nothing is read until it is asked for, and then by windows, so a log of any size opens at once. Works on a
 * run that is being written, on one that has not begun (no file yet), and on one whose oldest bytes are dropped while it is read.
 */

/** What a log is read through; a parameter so that a test can count the bytes. */
export interface LogFile {
  sizeBytes(): Promise<number>;
  /** Fills `buffer` from `position`; answers how many bytes there were. */
  read(buffer: Buffer, position: number): Promise<number>;
  close(): Promise<void>;
}
/** Resolves to undefined when there is no such file (yet). */
export type OpenLogFile = (path: string) => Promise<LogFile | undefined>;

/** The absolute offsets that can be read now: from `startBytes` (what lies before is dropped) up to `endBytes`. */
export interface Extent {
  startBytes: number;
  endBytes: number;
}

/** `offsetBytes` is later than what was asked for when the bytes between are dropped. */
export interface Chunk {
  offsetBytes: number;
  bytes: Buffer;
}

export class StreamLog {
  readonly stream: Stream;
  readonly path: string;
  readonly #openFile: OpenLogFile;
  /** One open at a time, whoever asks first; asked again when there was no file yet. */
  #opening: Promise<LogFile | undefined> | undefined;
  #isClosed = false;
  #drop: DropState = { droppedBytes: 0, baseBytes: 0 };

  constructor(stream: Stream, path: string, openFile: OpenLogFile = openLogFile) {
    this.stream = stream;
    this.path = path;
    this.#openFile = openFile;
  }

  async extent(): Promise<Extent> {
    const file = await this.#open();
    const sizeBytes = (await file?.sizeBytes()) ?? 0;
    this.#drop = await dropStateOf(this.path);
    const endBytes = this.#drop.baseBytes + sizeBytes;
    return { startBytes: Math.min(this.#drop.droppedBytes, endBytes), endBytes };
  }

  /** Up to `lengthBytes` from the absolute offset `fromBytes` on; fewer at the end of the file. */
  async read(fromBytes: number, lengthBytes: number): Promise<Chunk> {
    const file = await this.#open();
    for (;;) {
      const drop = this.#drop;
      const offsetBytes = Math.max(fromBytes, drop.droppedBytes);
      const length = Math.max(0, fromBytes + lengthBytes - offsetBytes);
      const buffer = Buffer.allocUnsafe(length);
      const count = length === 0 ? 0 : ((await file?.read(buffer, offsetBytes - drop.baseBytes)) ?? 0);
      // A cap writes the sidecar before it punches: what was read is good only if it is not dropped now.
      this.#drop = await dropStateOf(this.path);
      const isGood = this.#drop.droppedBytes <= offsetBytes && this.#drop.baseBytes === drop.baseBytes;
      if (isGood || length === 0) return { offsetBytes, bytes: buffer.subarray(0, count) };
    }
  }

  /** Also ends an open that is still on its way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const file = await this.#opening;
    this.#opening = undefined;
    await file?.close();
  }

  async #open(): Promise<LogFile | undefined> {
    if (this.#isClosed) return undefined;
    this.#opening ??= this.#openFile(this.path);
    const file = await this.#opening;
    if (file === undefined) this.#opening = undefined;
    return file;
  }
}

export interface RunLog extends AsyncDisposable {
  runId: string;
  stdout: StreamLog;
  stderr: StreamLog;
  order: OrderIndex;
  /** Both are looked at together, so that what is seen of one is hardly newer than what is not seen of the other. */
  extents(): Promise<Record<Stream, Extent>>;
  close(): Promise<void>;
}

export async function openRunLog(paths: RunLogPaths, options: { openFile?: OpenLogFile } = {}): Promise<RunLog> {
  const stdout = new StreamLog("stdout", pathOf(paths, "stdout"), options.openFile);
  const stderr = new StreamLog("stderr", pathOf(paths, "stderr"), options.openFile);
  const order = new OrderIndex(paths.indexPath);
  const close = async (): Promise<void> => {
    await Promise.all([stdout.close(), stderr.close(), order.close()]);
  };
  return {
    runId: paths.runId,
    stdout,
    stderr,
    order,
    async extents() {
      const [out, err] = await Promise.all([stdout.extent(), stderr.extent()]);
      return { stdout: out, stderr: err };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

export const endsOf = (extents: Record<Stream, Extent>): Positions => ({
  stdout: extents.stdout.endBytes,
  stderr: extents.stderr.endBytes,
});

export const startsOf = (extents: Record<Stream, Extent>): Positions => ({
  stdout: extents.stdout.startBytes,
  stderr: extents.stderr.startBytes,
});

export const mapStreams = async (task: (stream: Stream) => Promise<number>): Promise<Positions> => {
  const [stdout, stderr] = await Promise.all(STREAMS.map(task));
  return { stdout: stdout!, stderr: stderr! };
};

export const openLogFile: OpenLogFile = async (path) => {
  try {
    const handle = await open(path, "r");
    return {
      sizeBytes: async () => (await handle.stat()).size,
      read: async (buffer, position) => (await handle.read(buffer, 0, buffer.length, position)).bytesRead,
      close: () => handle.close(),
    };
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
};
