import type { Extent, StreamLog } from "./log-source.ts";

/** Finding line starts from the end of a log, by windows, so that the cost is that of the lines asked for and not of the log. */

const WINDOW_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * Where the last `lineCount` lines of the extent begin, and how many there are (fewer when the log is shorter). An unfinished last line counts.
 */
export async function startOfLastLines(
  log: StreamLog,
  extent: Extent,
  lineCount: number,
): Promise<{ offsetBytes: number; lineCount: number }> {
  if (lineCount <= 0 || extent.endBytes === extent.startBytes) return { offsetBytes: extent.endBytes, lineCount: 0 };
  let found = 0;
  // The newline that ends the last line begins no line.
  let before = extent.endBytes - 1;
  let readableFrom = extent.startBytes;
  while (before > readableFrom) {
    const window = await windowBefore(log, before, readableFrom);
    readableFrom = Math.max(readableFrom, window.droppedBytes);
    for (let at = window.bytes.lastIndexOf(NEWLINE); at !== -1; at = lastNewlineBefore(window.bytes, at)) {
      found += 1;
      if (found === lineCount) return { offsetBytes: window.offsetBytes + at + 1, lineCount };
    }
    before = window.offsetBytes;
  }
  return { offsetBytes: readableFrom, lineCount: found + 1 };
}

/** The start of the line that the byte at `offsetBytes` belongs to; `offsetBytes` itself when a line begins there. */
export async function lineStartAt(log: StreamLog, extent: Extent, offsetBytes: number): Promise<number> {
  let before = Math.min(offsetBytes, extent.endBytes);
  let readableFrom = extent.startBytes;
  while (before > readableFrom) {
    const window = await windowBefore(log, before, readableFrom);
    readableFrom = Math.max(readableFrom, window.droppedBytes);
    const at = window.bytes.lastIndexOf(NEWLINE);
    if (at !== -1) return window.offsetBytes + at + 1;
    before = window.offsetBytes;
  }
  return readableFrom;
}

/**
 * The first line start within the last `bytes` bytes of the extent. When the last line is longer than that, the offset of its last `bytes` bytes.
 */
export async function firstLineStartWithin(log: StreamLog, extent: Extent, bytes: number): Promise<number> {
  const cut = extent.endBytes - bytes;
  if (cut <= extent.startBytes) return extent.startBytes;
  // From one byte before: a line may begin right at the cut. The newline at the very end begins no line.
  for (let at = cut - 1; at < extent.endBytes - 1; ) {
    const chunk = await log.read(at, Math.min(WINDOW_BYTES, extent.endBytes - 1 - at));
    const newline = chunk.bytes.indexOf(NEWLINE);
    if (newline !== -1) return chunk.offsetBytes + newline + 1;
    if (chunk.bytes.length === 0 && chunk.offsetBytes === at) break;
    at = chunk.offsetBytes + chunk.bytes.length;
  }
  return cut;
}

interface Window {
  offsetBytes: number;
  bytes: Buffer;
  /** More than 0 when a cap dropped bytes of this window meanwhile: nothing before it can be read. */
  droppedBytes: number;
}

/** The bytes that end at `before`, gathered until they are complete: what is missing would look like the end of a line's search. */
async function windowBefore(log: StreamLog, before: number, readableFrom: number): Promise<Window> {
  const from = Math.max(readableFrom, before - WINDOW_BYTES);
  const first = await log.read(from, before - from);
  const parts = [first.bytes];
  for (let at = first.offsetBytes + first.bytes.length; at < before; ) {
    const { bytes } = await log.read(at, before - at);
    if (bytes.length === 0) break;
    parts.push(bytes);
    at += bytes.length;
  }
  const droppedBytes = first.offsetBytes > from ? first.offsetBytes : 0;
  return { offsetBytes: first.offsetBytes, bytes: Buffer.concat(parts), droppedBytes };
}

// lastIndexOf with a negative offset counts from the end.
const lastNewlineBefore = (bytes: Buffer, at: number): number => (at === 0 ? -1 : bytes.lastIndexOf(NEWLINE, at - 1));
