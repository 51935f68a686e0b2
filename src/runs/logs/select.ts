import { type Positions, STREAMS, type Stream } from "./files.ts";
import type { LineTest } from "./grep.ts";
import { lastBytes, lastLines } from "./line-window.ts";
import { endOfLine, type LogItem, type Omitted, printedBytes } from "./log-item.ts";
import { type Extent, endsOf, mapStreams, type RunLog } from "./log-source.ts";
import { Merger } from "./merger.ts";
import { laterOf, type Start, startPositions } from "./start.ts";
import { firstLineStartWithin } from "./tail.ts";

/**
 * What `logs` shows of one run as it stands now. Restrictions work in this order: from/since, then grep, then tail (so `--grep x --tail 5` gives the
 * last five lines that match), then the limit on bytes. Without grep only the bytes that can be shown are read.
 */
export interface SelectOptions {
  streams?: readonly Stream[];
  /** From here on, e.g. a cursor's positions. */
  from?: Positions;
  /** Wall time; see parseSince. */
  sinceMs?: number;
  grep?: LineTest;
  tailLines?: number;
  maxBytes?: ByteLimit;
  /** Leave an unfinished last line for the next time. Default: show it. */
  holdUnterminated?: boolean;
}

/**
 * At most this many bytes of lines, newlines included. `last` (the default: failures stand at the end) leaves out the oldest lines, and cuts only a
 * last line that is longer by itself. `first` is for reading on page by page: it ends after the first bytes, on a line's border where it can.
 */
export interface ByteLimit {
  bytes: number;
  keep: "first" | "last";
}

export interface Selection extends AsyncIterable<LogItem> {
  /** Up to where everything was shown, or left out on purpose, once the iteration has ended: what a cursor keeps. */
  consumed(): Positions;
}

export function selectLines(log: RunLog, options: SelectOptions = {}): Selection {
  const read = new SelectedLines(log, options);
  return { [Symbol.asyncIterator]: () => read.items(), consumed: () => ({ ...read.consumed }) };
}

class SelectedLines {
  consumed: Positions;
  readonly #log: RunLog;
  readonly #options: SelectOptions;
  readonly #streams: readonly Stream[];

  constructor(log: RunLog, options: SelectOptions) {
    this.#log = log;
    this.#options = options;
    this.consumed = { stdout: 0, stderr: 0, ...options.from };
    this.#streams = options.streams ?? STREAMS;
  }

  async *items(): AsyncGenerator<LogItem, void> {
    const { maxBytes, tailLines, grep } = this.#options;
    const extents = await this.#log.extents();
    const asked = await this.#start(extents);
    const from = maxBytes?.keep === "last" && !grep ? await this.#skipTo(asked, extents, maxBytes.bytes) : asked;
    for (const stream of this.#streams) this.consumed[stream] = from[stream];
    const read = this.#read(from, extents);
    const tail = grep && tailLines !== undefined ? lastLines(read, tailLines) : read;
    if (maxBytes === undefined) return yield* tail;
    if (maxBytes.keep === "first") return yield* this.#firstBytes(tail, endsOf(extents), maxBytes.bytes);
    const skipped = this.#skipped(asked, from, extents);
    yield* skipped.dropped;
    yield* lastBytes(tail, this.#log.runId, maxBytes.bytes, skipped.bytes);
  }

  /** Where the wanted lines begin, as far as that is known without looking into them. */
  async #start(extents: Record<Stream, Extent>): Promise<Positions> {
    const { from, sinceMs, tailLines, grep } = this.#options;
    const starts: Start[] = [];
    if (from !== undefined) starts.push({ kind: "positions", positions: from });
    if (sinceMs !== undefined) starts.push({ kind: "since", timeMs: sinceMs });
    if (tailLines !== undefined && !grep) starts.push({ kind: "tail", lines: tailLines });
    return startPositions(this.#log, extents, { kind: "all", of: starts }, this.#streams);
  }

  /** Passes over what cannot be among the last `bytes` bytes, without reading it. */
  async #skipTo(asked: Positions, extents: Record<Stream, Extent>, bytes: number): Promise<Positions> {
    const starts = await mapStreams(async (stream) => {
      if (!this.#streams.includes(stream)) return asked[stream];
      return firstLineStartWithin(this.#log[stream], extents[stream], bytes);
    });
    return laterOf(asked, starts);
  }

  /** What lies between `asked` and `from`: dropped, or left out by the limit. */
  #skipped(asked: Positions, from: Positions, extents: Record<Stream, Extent>): { dropped: Omitted[]; bytes: number } {
    const dropped: Omitted[] = [];
    let bytes = 0;
    const { runId } = this.#log;
    for (const stream of this.#streams) {
      const readableFrom = Math.max(asked[stream], Math.min(from[stream], extents[stream].startBytes));
      bytes += from[stream] - readableFrom;
      const lost = readableFrom - asked[stream];
      if (lost === 0) continue;
      dropped.push({ kind: "omitted", runId, stream, reason: "dropped", bytes: lost, resumeBytes: readableFrom });
    }
    return { dropped, bytes };
  }

  async *#read(from: Positions, extents: Record<Stream, Extent>): AsyncGenerator<LogItem, void> {
    const { grep, holdUnterminated } = this.#options;
    await this.#log.order.load(from);
    const merger = new Merger(this.#log, this.#streams, from);
    for await (const item of merger.lines(endsOf(extents), { unterminated: holdUnterminated !== true })) {
      this.#consume(item);
      if (item.kind === "omitted" || grep === undefined || grep(item.bytes)) yield item;
    }
  }

  #consume(item: LogItem): void {
    if (item.kind === "line") this.consumed[item.stream] = endOfLine(item);
    else if (item.stream !== undefined && item.resumeBytes !== undefined) this.consumed[item.stream] = item.resumeBytes;
  }

  async *#firstBytes(
    items: AsyncIterable<LogItem>,
    ends: Positions,
    limitBytes: number,
  ): AsyncGenerator<LogItem, void> {
    let leftBytes = limitBytes;
    for await (const item of items) {
      if (item.kind === "omitted" || printedBytes(item) <= leftBytes) {
        if (item.kind === "line") leftBytes -= printedBytes(item);
        yield item;
        continue;
      }
      this.consumed[item.stream] = item.offsetBytes;
      if (leftBytes === limitBytes) {
        this.consumed[item.stream] += limitBytes;
        yield { ...item, bytes: item.bytes.subarray(0, limitBytes), complete: false, continues: true };
      }
      return yield this.#leftOut(ends);
    }
  }

  #leftOut(ends: Positions): Omitted {
    const bytes = this.#streams.reduce((sum, stream) => sum + Math.max(0, ends[stream] - this.consumed[stream]), 0);
    return { kind: "omitted", runId: this.#log.runId, reason: "limit", bytes };
  }
}
