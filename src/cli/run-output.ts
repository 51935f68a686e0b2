import { WarrenError } from "../protocol/errors.ts";
import { logPathsOfRun, type Positions, pathOf, type RunLogPaths, type Stream } from "../runs/logs/files.ts";
import { followBytes, followRun } from "../runs/logs/follow.ts";
import type { LogItem } from "../runs/logs/log-item.ts";
import { openRunLog } from "../runs/logs/log-source.ts";
import { type Selection, type SelectOptions, selectLines } from "../runs/logs/select.ts";
import type { Start } from "../runs/logs/start.ts";
import type { Context } from "./context.ts";

/** Where the output of a run is read: in the files of this machine, or page by page of another one. */
export interface RunOutput {
  /** What is there of it now. */
  select(run: OutputRun, options: SelectOptions): Selection;
  /** And what comes, until it has ended. */
  follow(run: OutputRun, options: FollowOutput): AsyncIterable<LogItem>;
  /** Of one stream, as they are, up to `ended`. */
  bytes(run: OutputRun, stream: Stream, options: OutputBytes): AsyncIterable<Uint8Array>;
}

export interface OutputRun {
  /** A run of a job, or an instance of a worker in the project of `dir`. */
  of: { kind: "job"; id: string } | { kind: "worker"; name: string; dir: string };
  runId: string;
  paths: RunLogPaths;
}

/** A run of a job as the protocol describes it. */
export const outputRunOf = (
  jobId: string,
  run: { id: string; stdout_path: string; stderr_path: string },
): OutputRun => ({ of: { kind: "job", id: jobId }, runId: run.id, paths: logPathsOfRun(run) });

const NOT_THERE = new Set([
  "JOB_NOT_FOUND",
  "RUN_NOT_FOUND",
  "GATEWAY_NOT_FOUND",
  "WORKER_NOT_FOUND",
  "INSTANCE_NOT_FOUND",
]);

/** Whether that is said of a run, or an instance, that was there: it has ended, and was removed. */
export const isRemoved = (error: unknown): boolean => error instanceof WarrenError && NOT_THERE.has(error.code);

export interface FollowOutput {
  /** Default: from the beginning. */
  start?: Start;
  /** Default: both. */
  streams?: readonly Stream[];
  ended: Promise<unknown>;
  signal?: AbortSignal;
}

export interface OutputBytes {
  ended: Promise<unknown>;
  signal?: AbortSignal;
  onDropped: (bytes: number) => void;
}

/** What is not used is not loaded: files are read on the usual path. */
export async function outputOf(context: Context): Promise<RunOutput> {
  if (!context.machine) return FILES;
  const { OutputThere } = await import("./on/output-there.ts");
  return new OutputThere(context.client());
}

const FILES: RunOutput = {
  select(run, options) {
    let selection: Selection | undefined;
    const items = async function* (): AsyncGenerator<LogItem, void> {
      await using log = await openRunLog(run.paths);
      selection = selectLines(log, options);
      yield* selection;
    };
    return {
      [Symbol.asyncIterator]: items,
      consumed: (): Positions => selection?.consumed() ?? { stdout: 0, stderr: 0 },
    };
  },
  follow: ({ paths }, options) => followRun({ paths, ...options }),
  bytes: ({ paths }, stream, options) => followBytes({ path: pathOf(paths, stream), ...options }),
};
