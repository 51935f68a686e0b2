import type { ChildProcess } from "node:child_process";
import { watch } from "node:fs";
import type { Clock } from "../platform/clock.ts";
import { bootId, type ProcessIdentity, readProcess } from "../platform/process.ts";
import { type RunStatus, readStatusFile } from "./status-file.ts";

/** Waits for the line in which a shim says who the job is, and turns what a status file says into identities. */

export interface RunIdentities {
  shim: ProcessIdentity;
  job: ProcessIdentity;
}

export type StartedStatus = RunStatus & { job: NonNullable<RunStatus["job"]> };

/** The command's process exists, or existed; one that was killed before it said `run` counts, by its exit status. */
export const hasStarted = (status: RunStatus): status is StartedStatus =>
  status.job !== undefined && !status.isVoid && (status.isRun === true || status.exitStatus !== undefined);

export function identitiesIn(status: StartedStatus): RunIdentities {
  const boot = status.bootId ?? bootId();
  const shim = status.shim ?? { pid: status.job.shimPid, startTicks: 0 };
  return { shim: identity(boot, shim), job: identity(boot, status.job) };
}

/** Where the shim could not tell its start time, the living process does. */
function identity(boot: string, { pid, startTicks }: { pid: number; startTicks: number }): ProcessIdentity {
  return { bootId: boot, pid, startTicks: startTicks || (readProcess(pid)?.startTicks ?? 0) };
}

/** Behind the file's watch, for a system that gives no more watches and for an event that comes before it. */
const POLL_MS = 50;

interface JobLineWait {
  path: string;
  /** The shim. */
  child: ChildProcess;
  clock: Clock;
  deadlineMs: number;
}

/** @throws the spawn's error, or one that says how the shim ended or that the deadline passed. */
export async function awaitJobLine({ path, child, clock, deadlineMs }: JobLineWait): Promise<StartedStatus> {
  const done = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<StartedStatus>();
  const look = async (whenAbsent?: () => Error) => {
    const status = await readStatusFile(path);
    if (hasStarted(status)) resolve(status);
    else if (whenAbsent !== undefined) reject(whenAbsent());
  };
  const check = (whenAbsent?: () => Error) => void look(whenAbsent).catch(reject);
  child.once("error", reject);
  const onExit = (code: number | null, signal: string | null) =>
    check(() => new Error(`the shim ended with ${signal ?? `status ${code}`}`));
  child.once("exit", onExit);
  const cancelDeadline = clock.timer(deadlineMs, () => {
    check(() => new Error(`the shim did not answer within ${deadlineMs} ms`));
  });
  const poll = setInterval(check, POLL_MS);
  try {
    watchFile(path, () => check(), done.signal);
    check();
    return await promise;
  } finally {
    done.abort();
    child.off("error", reject).off("exit", onExit);
    clearInterval(poll);
    cancelDeadline();
  }
}

/** Without a watch (EMFILE, ENOSPC: the user has too many) the poll alone does it. */
function watchFile(path: string, onChange: () => void, signal: AbortSignal): void {
  try {
    watch(path, { signal }, onChange).on("error", () => {});
  } catch {
    // polled
  }
}
