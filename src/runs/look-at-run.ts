import { statSync } from "node:fs";
import { isAlive, type ProcessIdentity } from "../platform/process.ts";
import { systemCode } from "../protocol/errors.ts";
import { type RunStatus, readStatusFile } from "./status-file.ts";

/** What became of a run that was started, looked at from outside: by whoever started it, or by whoever took it up. */
export type RunFound =
  /** Its shim lives, or, without that, its first process, whose status will not be known. */
  | { kind: "runs"; isShimLost: boolean }
  | { kind: "ended"; status: RunStatus & { exitStatus: number }; endedAtMs: number }
  /** Nobody is left, and nobody wrote down how it ended. */
  | { kind: "lost" };

export interface RunPlace {
  statusPath: string;
  job: ProcessIdentity;
  shim: ProcessIdentity | undefined;
}

/** @throws what reading the status file says, but that it is not there */
export async function lookAtRun(run: RunPlace): Promise<RunFound> {
  const ended = await writtenEnd(run.statusPath);
  if (ended) return ended;
  if (run.shim && isAlive(run.shim)) return { kind: "runs", isShimLost: false };
  const late = await writtenEnd(run.statusPath); // the shim may have written between the two looks
  if (late) return late;
  return isAlive(run.job) ? { kind: "runs", isShimLost: true } : { kind: "lost" };
}

/** The status file's last change is the moment of the end, also when nobody was there to see it. */
async function writtenEnd(path: string): Promise<Extract<RunFound, { kind: "ended" }> | undefined> {
  try {
    const { exitStatus, ...status } = await readStatusFile(path);
    if (exitStatus === undefined) return undefined;
    const changedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    return { kind: "ended", status: { ...status, exitStatus }, endedAtMs: Math.round(changedMs) };
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
