import { statSync } from "node:fs";
import { advanceCursor, readCursor } from "../runs/logs/cursor.ts";
import type { Positions } from "../runs/logs/files.ts";
import type { SelectOptions } from "../runs/logs/select.ts";
import type { Context } from "./context.ts";
import type { LogSelection } from "./log-flags.ts";
import { LogPrinter } from "./log-printer.ts";
import { type NamedRun, namedRun } from "./run-of.ts";
import { type OutputRun, outputOf } from "./run-output.ts";

/** Whose lines they are, and where: a run of a job, or an instance of a worker. */
export type ShownRun = OutputRun &
  Pick<NamedRun, "isRunning"> & {
    job: { id: string; name?: string | undefined };
  };

/** Prints what is there of some runs, one after the other, and moves the cursor on when there is one. */
export async function showLogs(context: Context, runs: readonly ShownRun[], wanted: LogSelection): Promise<void> {
  const form = wanted.json ? "json" : runs.length > 1 && !isOneJob(runs) ? "tagged" : "raw";
  const printer = new LogPrinter(context.output, form);
  const cursor =
    wanted.cursor === undefined ? undefined : { cursorsDir: context.places.cursorsDir, name: wanted.cursor };
  const before = cursor ? readCursor(cursor).positions : {};
  const after: Record<string, Positions> = {};
  const pathOfRun = new Map(runs.map(({ runId, paths }) => [runId, paths.stdoutPath]));
  let leftBytes = wanted.maxBytes;
  const source = await outputOf(context);
  for (const run of runs) {
    const selection = source.select(run, optionsOf(run, wanted, before[run.runId], leftBytes));
    for await (const item of selection) {
      if (item.kind === "line" && leftBytes !== undefined) leftBytes = Math.max(0, leftBytes - item.bytes.length - 1);
      await printer.item(item, run.job.name ?? run.job.id);
    }
    after[run.runId] = selection.consumed();
  }
  await printer.flush();
  await context.output.flushed();
  if (cursor) advanceCursor(cursor, after, (runId) => exists(pathOfRun.get(runId) ?? logBeside(context, runId)));
}

/**
 * The runs of a job that a cursor's reader has not read to their end: from the one that it read last, or only the latest at its first time.
 */
export async function runsSinceCursor(context: Context, latest: NamedRun, name: string): Promise<NamedRun[]> {
  const { positions } = readCursor({ cursorsDir: context.places.cursorsDir, name });
  const { runs, job } = await context.client().request("runs", { job_id: latest.job.id });
  const lastRead = runs.findIndex(({ id }) => positions[id] !== undefined);
  if (lastRead === -1) return [latest];
  return runs
    .slice(0, lastRead + 1)
    .reverse()
    .map((run) => namedRun(job, run));
}

function optionsOf(
  run: ShownRun,
  wanted: LogSelection,
  from: Positions | undefined,
  leftBytes: number | undefined,
): SelectOptions {
  const { streams, sinceMs, grep, tailLines, cursor } = wanted;
  return {
    streams,
    ...(from === undefined ? {} : { from }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(grep === undefined ? {} : { grep }),
    ...(tailLines === undefined ? {} : { tailLines }),
    // A cursor's reader comes back for the rest, so it reads page by page.
    ...(leftBytes === undefined
      ? {}
      : { maxBytes: { bytes: leftBytes, keep: cursor === undefined ? ("last" as const) : ("first" as const) } }),
    ...(cursor === undefined ? {} : { holdUnterminated: run.isRunning }),
  };
}

const isOneJob = (runs: readonly ShownRun[]): boolean => runs.every(({ job }) => job.id === runs[0]?.job.id);

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

const logBeside = ({ places }: Context, runId: string): string => `${places.logsDir}/${runId}.stdout.log`;
