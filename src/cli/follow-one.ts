import { existsSync } from "node:fs";
import { join } from "node:path";
import { EXIT } from "../protocol/outcome.ts";
import { advanceCursor, positionsAfter, readCursor } from "../runs/logs/cursor.ts";
import type { Positions } from "../runs/logs/files.ts";
import type { Start } from "../runs/logs/start.ts";
import type { Context } from "./context.ts";
import type { LogSelection } from "./log-flags.ts";
import { LogPrinter } from "./log-printer.ts";
import { commandText, exitCodeText } from "./render/job-text.ts";
import { endHoweverLong } from "./run-end.ts";
import type { NamedRun } from "./run-of.ts";
import { isRemoved, outputOf } from "./run-output.ts";

/** `logs NAME -f`: the run's lines until it ends; with a cursor, from where its reader was, and moved on when this ends. */
export async function followOne(context: Context, run: NamedRun, wanted: LogSelection): Promise<number> {
  const { output, places } = context;
  const interrupted = context.interrupted();
  const printer = new LogPrinter(output, wanted.json ? "json" : "tagged");
  const cursor = wanted.cursor === undefined ? undefined : { cursorsDir: places.cursorsDir, name: wanted.cursor };
  const before = cursor ? readCursor(cursor).positions[run.runId] : undefined;
  const tag = run.job.name ?? run.job.id;
  const ended = run.isRunning ? endHoweverLong(context, run.job, interrupted) : Promise.resolve(undefined);
  const start = startOf(wanted, before);
  let positions: Positions = before ?? { stdout: 0, stderr: 0 };
  const source = await outputOf(context);
  for await (const item of source.follow(run, { streams: wanted.streams, ended, signal: interrupted, ...start })) {
    if (item.kind === "omitted" || !wanted.grep || wanted.grep(item.bytes)) await printer.item(item, tag);
    await printer.flush();
    positions = positionsAfter(positions, item, !interrupted.aborted);
  }
  const end = await ended.catch((error: unknown) => {
    if (isRemoved(error)) return undefined;
    throw error;
  });
  if (cursor)
    advanceCursor(cursor, { [run.runId]: positions }, (runId) =>
      existsSync(join(places.logsDir, `${runId}.stdout.log`)),
    );
  if (end?.kind === "ended") {
    await printer.note(
      `process stopped: ${commandText(run.job)} (pid:${run.job.pid} id:${run.job.id}) exit: ${exitCodeText(end.run.outcome)}`,
    );
  }
  await printer.flush();
  if (!interrupted.aborted) return EXIT.ok;
  output.errorLine(`Stopped following; job ${tag} goes on.`);
  return EXIT.interrupted;
}

function startOf({ tailLines, sinceMs }: LogSelection, before: Positions | undefined): { start?: Start } {
  if (before !== undefined) return { start: { kind: "positions", positions: before } };
  if (tailLines !== undefined) return { start: { kind: "tail", lines: tailLines } };
  return sinceMs === undefined ? {} : { start: { kind: "since", timeMs: sinceMs } };
}
