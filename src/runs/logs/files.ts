import { basename, dirname, join } from "node:path";

/**
 * Names of a run's files in the log directory. The job writes the two logs itself (O_APPEND); the server writes the order index beside them, and
 * a log that lost its oldest bytes has a sidecar `<log>.dropped` (cap.ts).
 */

export const STREAMS = ["stdout", "stderr"] as const;
export type Stream = (typeof STREAMS)[number];

/** Absolute offsets, one per stream: bytes that the job has written to it since it started, whether or not they are still on disk. */
export interface Positions {
  stdout: number;
  stderr: number;
}

export interface RunLogPaths {
  /** `4xc-3` */
  runId: string;
  stdoutPath: string;
  stderrPath: string;
  indexPath: string;
}

const RUN_FILE = /^([0-9][0-9A-Za-z]{2,}-[0-9]+)(\.stdout\.log|\.stderr\.log|\.order)(\.dropped|\..*\.tmp)?$/;

export function logPaths(logDir: string, runId: string): RunLogPaths {
  return {
    runId,
    stdoutPath: join(logDir, `${runId}.stdout.log`),
    stderrPath: join(logDir, `${runId}.stderr.log`),
    indexPath: join(logDir, `${runId}.order`),
  };
}

/** For a run as the protocol describes it, which names its two logs but not the index. */
export function logPathsOfRun(run: { id: string; stdout_path: string; stderr_path: string }): RunLogPaths {
  return {
    runId: run.id,
    stdoutPath: run.stdout_path,
    stderrPath: run.stderr_path,
    indexPath: join(dirname(run.stdout_path), `${run.id}.order`),
  };
}

/** The run that a file in the log directory belongs to; undefined for a file that is not a run's. */
export const runIdOfFile = (path: string): string | undefined => RUN_FILE.exec(basename(path))?.[1];

export const droppedPathOf = (logPath: string): string => `${logPath}.dropped`;

/** All that a run may have in the log directory. */
export function filesOfRun(logsDir: string, runId: string): string[] {
  const { stdoutPath, stderrPath, indexPath } = logPaths(logsDir, runId);
  return [stdoutPath, stderrPath, indexPath, droppedPathOf(stdoutPath), droppedPathOf(stderrPath)];
}

export const pathOf = (paths: RunLogPaths, stream: Stream): string =>
  stream === "stdout" ? paths.stdoutPath : paths.stderrPath;
