import { decodeSize, type JournalRecord, RECORD } from "../../protocol/journal-records.ts";

/**
 * A session as an asciinema recording (asciicast v2: a header, then one event a line, times in seconds). Characters that are cut in two by a piece of
 * output come whole, with the later piece.
 */
export interface CastHeader {
  title?: string | undefined;
  command: string;
  env: Readonly<Record<string, string>>;
}

export interface CastOptions {
  /** Pauses are shortened to this. */
  idleMaxMs?: number;
}

export async function* castLines(
  records: AsyncIterable<JournalRecord>,
  { title, command, env }: CastHeader,
  { idleMaxMs = Number.POSITIVE_INFINITY }: CastOptions = {},
): AsyncIterableIterator<string> {
  const decoder = new TextDecoder();
  let lastMs: number | undefined;
  let atMs = 0;
  let size = { cols: 80, rows: 24 };
  for await (const { kind, timeMs, bytes } of records) {
    if (kind !== RECORD.output && kind !== RECORD.size) continue;
    atMs += Math.min(idleMaxMs, Math.max(0, timeMs - (lastMs ?? timeMs))); // a clock that was set back stands still
    if (lastMs === undefined) {
      if (kind === RECORD.size) size = decodeSize(bytes);
      const { cols, rows } = size;
      yield JSON.stringify({
        version: 2,
        width: cols,
        height: rows,
        timestamp: Math.floor(timeMs / 1000),
        command,
        ...(title === undefined ? {} : { title }),
        env,
      });
      lastMs = timeMs;
      if (kind === RECORD.size) continue;
    }
    lastMs = timeMs;
    const seconds = Math.round(atMs * 1000) / 1e6;
    if (kind === RECORD.size) {
      const { cols, rows } = decodeSize(bytes);
      const isSame = size.cols === cols && size.rows === rows;
      size = { cols, rows };
      if (isSame) continue; // each part of the journal begins with its size
      yield JSON.stringify([seconds, "r", `${cols}x${rows}`]);
      continue;
    }
    const text = decoder.decode(bytes, { stream: true });
    if (text !== "") yield JSON.stringify([seconds, "o", text]);
  }
}
