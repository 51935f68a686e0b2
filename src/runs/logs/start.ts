import { stat } from "node:fs/promises";
import { type Positions, STREAMS, type Stream } from "./files.ts";
import { endOfLine } from "./log-item.ts";
import { type Extent, endsOf, mapStreams, type RunLog, startsOf } from "./log-source.ts";
import { Merger } from "./merger.ts";
import { lineStartAt, startOfLastLines } from "./tail.ts";

/** Where reading begins. */
export type Start =
  | { kind: "beginning" }
  /** Exactly there; what is dropped after it is reported. */
  | { kind: "positions"; positions: Positions }
  /** The last lines of the chosen streams together. */
  | { kind: "tail"; lines: number }
  /** Lines that were finished at or after this wall time. Without an index: everything, or nothing when the files are older. */
  | { kind: "since"; timeMs: number }
  /** All of these restrictions hold: the latest of them, stream by stream. */
  | { kind: "all"; of: readonly Start[] };

/** Offsets for a start in a log that has these extents. */
export async function startPositions(
  log: RunLog,
  extents: Record<Stream, Extent>,
  start: Start = { kind: "beginning" },
  streams: readonly Stream[] = STREAMS,
): Promise<Positions> {
  switch (start.kind) {
    case "beginning":
      return { stdout: 0, stderr: 0 };
    case "positions":
      return start.positions;
    case "tail":
      return tailPositions(log, extents, start.lines, streams);
    case "since":
      return sincePositions(log, extents, start.timeMs);
    case "all": {
      let latest: Positions = { stdout: 0, stderr: 0 };
      for (const one of start.of) latest = laterOf(latest, await startPositions(log, extents, one, streams));
      return latest;
    }
  }
}

/** The later of two positions, stream by stream. */
export const laterOf = (a: Positions, b: Positions): Positions => ({
  stdout: Math.max(a.stdout, b.stdout),
  stderr: Math.max(a.stderr, b.stderr),
});

/**
 * The last lines of each stream are found from its end; merged, they are at most `lines` too many, which are passed over in order.
 */
async function tailPositions(
  log: RunLog,
  extents: Record<Stream, Extent>,
  lines: number,
  streams: readonly Stream[],
): Promise<Positions> {
  let lineCount = 0;
  const from = await mapStreams(async (stream) => {
    if (!streams.includes(stream)) return extents[stream].endBytes;
    const tail = await startOfLastLines(log[stream], extents[stream], lines);
    lineCount += tail.lineCount;
    return tail.offsetBytes;
  });
  let surplus = lineCount - lines;
  if (surplus <= 0) return from;
  await log.order.load(from);
  const reached = { ...from };
  for await (const item of new Merger(log, streams, from).lines(endsOf(extents), { unterminated: true })) {
    if (item.kind === "omitted") continue;
    reached[item.stream] = endOfLine(item);
    if (!item.continues) surplus -= 1;
    if (surplus === 0) break;
  }
  return reached;
}

async function sincePositions(log: RunLog, extents: Record<Stream, Extent>, timeMs: number): Promise<Positions> {
  const before = await log.order.positionsBefore(timeMs);
  if (before === undefined) {
    return mapStreams(async (stream) =>
      (await modifiedAtMs(log[stream].path)) < timeMs ? extents[stream].endBytes : extents[stream].startBytes,
    );
  }
  const starts = startsOf(extents);
  return mapStreams(async (stream) =>
    Math.max(starts[stream], await lineStartAt(log[stream], extents[stream], before[stream])),
  );
}

async function modifiedAtMs(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return 0;
  }
}
