import { setTimeout as delay } from "node:timers/promises";
import { FileWatch } from "./file-watch.ts";
import { type Positions, pathOf, type RunLogPaths, STREAMS, type Stream } from "./files.ts";
import { READ_BYTES_MAX } from "./line-reader.ts";
import type { LogItem } from "./log-item.ts";
import { endsOf, type OpenLogFile, openRunLog, type RunLog, StreamLog } from "./log-source.ts";
import { Merger } from "./merger.ts";
import { laterOf, type Start, startPositions } from "./start.ts";

/**
 * Following a run to its end. Nothing is lost and nothing comes twice, because a follower is only a reader with a position: events merely wake it.
 * It reads at the pace of its consumer, 256 kB at a time, and after `ended` it reads up to the final size, an unfinished last line included.
 *
 * Order: bytes of one stream that are seen while the other has none unread are given out at once. When both have bytes that the index does not cover
 * yet, it gets SETTLE_MS in SETTLE_TRIES steps to be written; after that (no server watches) stdout comes first.
 */

const SETTLE_MS = 10;
const SETTLE_TRIES = 3;
const PIECE_BYTES = 64 * 1024;
/** An item's own share of a piece. */
const ITEM_BYTES = 64;

export interface FollowOptions {
  paths: RunLogPaths;
  /** Default: from the beginning. */
  start?: Start;
  /** Default: both. */
  streams?: readonly Stream[];
  /** Resolves (or rejects), or is aborted, when the run has ended: all that it wrote is in the files by then. */
  ended: End;
  /** Ends the iteration, quietly. */
  signal?: AbortSignal;
  openFile?: OpenLogFile;
}

/** What waits for a promise stays with it until it settles; for a run that outlives many followers, a signal. */
type End = Promise<unknown> | AbortSignal;

export async function* followRun(options: FollowOptions): AsyncGenerator<LogItem, void> {
  for await (const items of followPieces(options)) {
    for (const item of items) {
      yield item;
      if (options.signal?.aborted) return;
    }
  }
}

/** As `followRun`; what is there already comes together, about PIECE_BYTES of it at most. */
export async function* followPieces(options: FollowOptions): AsyncGenerator<LogItem[], void> {
  const { paths, streams = STREAMS, signal } = options;
  await using log = await openRunLog(paths, options);
  using wake = new Wake(
    streams.map((stream) => pathOf(paths, stream)),
    options,
  );
  const extents = await log.extents();
  const from = await startPositions(log, extents, options.start, streams);
  await log.order.load(from);
  const merger = new Merger(log, streams, from);
  while (!wake.isAborted) {
    const isLast = wake.prepare();
    const until = await settledEnds(log, streams);
    let piece: LogItem[] = [];
    let pieceBytes = 0;
    for await (const item of merger.lines(until, { unterminated: isLast })) {
      piece.push(item);
      pieceBytes += ITEM_BYTES + (item.kind === "line" ? item.bytes.length : 0);
      if (pieceBytes < PIECE_BYTES) continue;
      yield piece;
      if (signal?.aborted) return;
      piece = [];
      pieceBytes = 0;
    }
    if (piece.length > 0) yield piece;
    if (isLast || signal?.aborted) return;
    await wake.next();
  }
}

export interface FollowBytesOptions {
  /** A log file. */
  path: string;
  /** Absolute offset. Default: 0. */
  fromBytes?: number;
  ended: End;
  signal?: AbortSignal;
  openFile?: OpenLogFile;
  /** Told when bytes were dropped before they could be read; the next buffer follows the gap. */
  onDropped?: (bytes: number) => void;
}

/** One log file's bytes as they are, at most 256 kB at a time, until the run has ended and the file is read to its end. */
export async function* followBytes(options: FollowBytesOptions): AsyncGenerator<Buffer, void> {
  // The name of the stream matters to merging only.
  const log = new StreamLog("stdout", options.path, options.openFile);
  using wake = new Wake([options.path], options);
  try {
    let position = options.fromBytes ?? 0;
    while (!wake.isAborted) {
      const isLast = wake.prepare();
      const { endBytes } = await log.extent();
      while (position < endBytes && !wake.isAborted) {
        const chunk = await log.read(position, Math.min(READ_BYTES_MAX, endBytes - position));
        if (chunk.offsetBytes > position) options.onDropped?.(chunk.offsetBytes - position);
        const isStuck = chunk.bytes.length === 0 && chunk.offsetBytes === position;
        position = chunk.offsetBytes + chunk.bytes.length;
        if (isStuck) break;
        if (chunk.bytes.length > 0) yield chunk.bytes;
      }
      if (isLast) return;
      await wake.next();
    }
  } finally {
    await log.close();
  }
}

/** What a follower waits for: growth, the end of the run, or its own abort. */
class Wake implements Disposable {
  readonly #files: FileWatch;
  readonly #signal: AbortSignal | undefined;
  readonly #touch = (): void => this.#files.touch();
  readonly #end: End;
  #hasEnded = false;
  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.#files.touch();
  };

  constructor(paths: readonly string[], options: { ended: End; signal?: AbortSignal }) {
    this.#files = new FileWatch(paths);
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#touch);
    this.#end = options.ended;
    if (this.#end instanceof Promise) this.#end.then(this.#onEnd, this.#onEnd);
    else if (this.#end.aborted) this.#onEnd();
    else this.#end.addEventListener("abort", this.#onEnd);
  }

  get isAborted(): boolean {
    return this.#signal?.aborted === true;
  }

  /** Before sizes are looked at. True when the run has ended: the sizes that follow are final. */
  prepare(): boolean {
    this.#files.reset();
    return this.#hasEnded;
  }

  async next(): Promise<void> {
    if (!this.isAborted) await this.#files.next();
  }

  [Symbol.dispose](): void {
    this.#signal?.removeEventListener("abort", this.#touch);
    if (!(this.#end instanceof Promise)) this.#end.removeEventListener("abort", this.#onEnd);
    this.#files[Symbol.dispose]();
  }
}

/** How far to read now: the ends of both streams, once the index covers all that is new in one of them. */
async function settledEnds(log: RunLog, streams: readonly Stream[]): Promise<Positions> {
  const ends = endsOf(await log.extents());
  await log.order.refresh();
  for (let tries = 0; streams.length > 1 && tries < SETTLE_TRIES && isUnsettled(log, ends); tries++) {
    await delay(SETTLE_MS);
    await log.order.refresh();
  }
  // What the index knows of one stream goes before what it knows of the other, so both are read as far as it reaches.
  const { last } = log.order;
  return last === undefined ? ends : laterOf(ends, last);
}

function isUnsettled(log: RunLog, ends: Positions): boolean {
  const { last } = log.order;
  return last !== undefined && last.stdout < ends.stdout && last.stderr < ends.stderr;
}
