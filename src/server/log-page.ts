import type { LogPiece } from "../protocol/units.ts";
import { type Positions, type RunLogPaths, STREAMS, type Stream } from "../runs/logs/files.ts";
import { followRun } from "../runs/logs/follow.ts";
import type { LogItem } from "../runs/logs/log-item.ts";
import { openRunLog } from "../runs/logs/log-source.ts";
import { selectLines } from "../runs/logs/select.ts";

/**
 * A part of a run's log, for whoever has no file system in common with this server: from a position or a restriction on, at most a page, with the place
 * where the next part begins.
 */
export interface PageWanted {
  streams?: readonly Stream[] | undefined;
  from?: Positions | undefined;
  since_ms?: number | undefined;
  tail_lines?: number | undefined;
  max_bytes?: number | undefined;
  keep?: "first" | "last" | undefined;
  unterminated?: boolean | undefined;
}

export interface LogPage {
  items: LogPiece[];
  next: Positions;
  isMore: boolean;
}

/** Of lines, newlines included: as JSON it is at most six times as much, below what a client takes as a line. */
const PAGE_BYTES = 128 * 1024;
/** Of `wait_ms`. */
export const WAIT_MS_MAX = 60_000;

export async function readPage(paths: RunLogPaths, wanted: PageWanted, isRunning: boolean): Promise<LogPage> {
  const { streams = STREAMS, from, since_ms, tail_lines, max_bytes, keep = "first", unterminated } = wanted;
  await using log = await openRunLog(paths);
  const selection = selectLines(log, {
    streams,
    ...(from === undefined ? {} : { from }),
    ...(since_ms === undefined ? {} : { sinceMs: since_ms }),
    ...(tail_lines === undefined ? {} : { tailLines: tail_lines }),
    maxBytes: { bytes: Math.min(max_bytes ?? PAGE_BYTES, PAGE_BYTES), keep },
    holdUnterminated: isRunning && unterminated !== true,
  });
  const items: LogPiece[] = [];
  let isMore = false;
  for await (const item of selection) {
    // Of a page's end, the next page tells; what the caller has limited is said.
    if (item.kind === "omitted" && item.reason === "limit" && keep === "first") isMore = true;
    else items.push(pieceOf(item));
  }
  return { items, next: selection.consumed(), isMore };
}

function pieceOf(item: LogItem): LogPiece {
  if (item.kind === "omitted") {
    const { stream, reason, bytes, lines } = item;
    return { kind: "omitted", reason, bytes, ...(stream ? { stream } : {}), ...(lines === undefined ? {} : { lines }) };
  }
  const { stream, offsetBytes, bytes, complete, continues, timeMs } = item;
  const text = bytes.toString("utf8");
  const isText = Buffer.from(text).equals(bytes);
  return {
    kind: "line",
    stream,
    offset: offsetBytes,
    ...(isText ? { line: text } : { base64: bytes.toString("base64") }),
    ...(complete ? {} : { complete }),
    ...(continues ? { continues } : {}),
    ...(timeMs === undefined ? {} : { time_ms: timeMs }),
  };
}

/** Resolves when there is more behind `from`, `ended` has resolved, or `signal` aborts. */
export async function more(
  paths: RunLogPaths,
  from: Positions,
  { ended, signal }: { ended: Promise<unknown>; signal: AbortSignal },
): Promise<void> {
  for await (const _ of followRun({ paths, start: { kind: "positions", positions: from }, ended, signal })) return;
}
