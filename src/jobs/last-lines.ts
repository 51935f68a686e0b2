import type { RunLogPaths, Stream } from "../runs/logs/files.ts";
import { openRunLog } from "../runs/logs/log-source.ts";
import { selectLines } from "../runs/logs/select.ts";

/** At most this much of a line is shown: a page of minified script is no help. */
const LINE_BYTES_MAX = 2_000;

/** The last lines of one stream, as text; bytes that are not UTF-8 become U+FFFD. */
export async function lastLines(paths: RunLogPaths, stream: Stream, lineCount: number): Promise<string[]> {
  await using log = await openRunLog(paths);
  const lines: string[] = [];
  for await (const item of selectLines(log, { streams: [stream], tailLines: lineCount })) {
    if (item.kind === "line") lines.push(item.bytes.subarray(0, LINE_BYTES_MAX).toString("utf8"));
  }
  return lines;
}
