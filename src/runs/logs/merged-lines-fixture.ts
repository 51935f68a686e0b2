import { STREAMS, type Stream } from "./files.ts";
import type { LogItem } from "./log-item.ts";
import { endsOf, type RunLog } from "./log-source.ts";
import { Merger } from "./merger.ts";
import { type Start, startPositions } from "./start.ts";

export interface MergedLinesOptions {
  /** Default: from the beginning. */
  start?: Start;
  /** Default: both. */
  streams?: readonly Stream[];
  /** Give out an unfinished last line, with `complete: false`. Default: true. */
  unterminated?: boolean;
}

/** What the log holds now, from `start` on: bytes that are written meanwhile are not included. Ends when the caller stops iterating, too. */
export async function* mergedLines(log: RunLog, options: MergedLinesOptions = {}): AsyncGenerator<LogItem, void> {
  const streams = options.streams ?? STREAMS;
  const extents = await log.extents();
  const from = await startPositions(log, extents, options.start, streams);
  await log.order.load(from);
  const { unterminated = true } = options;
  yield* new Merger(log, streams, from).lines(endsOf(extents), { unterminated });
}
