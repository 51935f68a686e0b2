import type { Extent, StreamLog } from "../../runs/logs/log-source.ts";
import { holds } from "../model/find.ts";
import type { LogLine, LogRange, LogWindow } from "../model/model.ts";
import { cleanLine, withoutSgr } from "../text/ansi.ts";

/** Windows of a log file as lines for display: one bounded read each, whatever the size of the file or of its lines. */

export const READ_BYTES = 64 * 1024;
/** A longer line is shown as several. */
export const LINE_BYTES_MAX = 8 * 1024;
const SEARCH_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

export async function readWindow(log: StreamLog, range: LogRange): Promise<LogWindow> {
  const extent = await log.extent();
  const { from, to, mayCutFirst } = spanOf(range, extent);
  // One byte earlier tells whether a line begins at `from`.
  const readFrom = mayCutFirst && from > extent.startBytes ? from - 1 : from;
  const { offsetBytes, bytes } = await log.read(readFrom, to - readFrom);
  const isCut = mayCutFirst && readFrom < from && offsetBytes === readFrom;
  const lines = cutLines(bytes, offsetBytes, {
    skipFirst: isCut,
    dropLast: to < extent.endBytes && range.kind !== "before",
  });
  return { lines, startBytes: extent.startBytes, endBytes: extent.endBytes };
}

/**
 * The start of the first line from `fromByte` on that holds `query`, or, upwards, of the last one before it; null when there is none. Reads the file by
 * windows until it is found; stops with null when `signal` aborts.
 */
export async function findLine(
  log: StreamLog,
  query: string,
  fromByte: number,
  direction: 1 | -1,
  signal: AbortSignal,
): Promise<number | null> {
  const extent = await log.extent();
  let at = fromByte;
  while (!signal.aborted && (direction === 1 ? at < extent.endBytes : at > extent.startBytes)) {
    const from = direction === 1 ? at : Math.max(extent.startBytes, at - SEARCH_BYTES);
    const to = direction === 1 ? Math.min(extent.endBytes, at + SEARCH_BYTES) : at;
    const { offsetBytes, bytes } = await log.read(from, to - from);
    const skipFirst = direction === -1 && from > extent.startBytes;
    const lines = cutLines(bytes, offsetBytes, { skipFirst, dropLast: direction === 1 && to < extent.endBytes });
    const isIn = (line: LogLine): boolean => holds(withoutSgr(line.text), query);
    const found = direction === 1 ? lines.find(isIn) : lines.findLast(isIn);
    if (found) return found.startByte;
    const next = direction === 1 ? lines.at(-1)?.endByte : lines[0]?.startByte;
    if (next === undefined || next === at) return null;
    at = next;
  }
  return null;
}

interface Span {
  from: number;
  to: number;
  /** `from` may stand in the middle of a line. */
  mayCutFirst: boolean;
}

function spanOf(range: LogRange, { startBytes, endBytes }: Extent): Span {
  const tail = { from: Math.max(startBytes, endBytes - READ_BYTES), to: endBytes, mayCutFirst: true };
  const upTo = (from: number): number => Math.min(endBytes, from + READ_BYTES);
  switch (range.kind) {
    case "tail":
      return tail;
    case "head":
      return { from: startBytes, to: upTo(startBytes), mayCutFirst: false };
    case "before":
      return {
        from: Math.max(startBytes, range.byte - READ_BYTES),
        to: Math.max(startBytes, range.byte),
        mayCutFirst: true,
      };
    case "after":
      return { from: Math.max(startBytes, range.byte), to: upTo(Math.max(startBytes, range.byte)), mayCutFirst: false };
    case "latest":
      if (endBytes - range.byte > READ_BYTES) return tail;
      return { from: Math.max(startBytes, range.byte), to: endBytes, mayCutFirst: false };
    case "around": {
      const from = Math.max(startBytes, range.byte - READ_BYTES / 2);
      return { from, to: upTo(from), mayCutFirst: true };
    }
  }
}

/** `skipFirst`: the bytes begin in the middle of a line; `dropLast`: they may end in one. A single line that fills all of it is kept in pieces. */
export function cutLines(
  bytes: Buffer,
  offsetBytes: number,
  { skipFirst, dropLast }: { skipFirst: boolean; dropLast: boolean },
): LogLine[] {
  const lines: LogLine[] = [];
  const firstNewline = bytes.indexOf(NEWLINE);
  const hasNewline = firstNewline !== -1 && firstNewline < bytes.length - 1;
  let at = skipFirst && hasNewline ? firstNewline + 1 : 0;
  while (at < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, at);
    const isComplete = newline !== -1;
    if (!isComplete && dropLast && lines.length > 0) break;
    const end = isComplete ? newline : bytes.length;
    pushPieces(lines, bytes, at, end, offsetBytes, isComplete);
    at = isComplete ? end + 1 : end;
  }
  return lines;
}

function pushPieces(
  lines: LogLine[],
  bytes: Buffer,
  from: number,
  to: number,
  offsetBytes: number,
  isComplete: boolean,
): void {
  let at = from;
  do {
    const end = Math.min(to, at + LINE_BYTES_MAX);
    const isLast = end === to;
    lines.push({
      startByte: offsetBytes + at,
      endByte: offsetBytes + end + (isLast && isComplete ? 1 : 0),
      text: cleanLine(bytes.toString("utf8", at, end)),
    });
    at = end;
  } while (at < to);
}
