import { rename, rm } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { environHas, hasEnded, listProcesses } from "../platform/process.ts";
import { systemCode } from "../protocol/errors.ts";
import { exactEnvironmentPath } from "./exec-exact.ts";
import { hasStarted, identitiesIn, type RunIdentities } from "./job-line.ts";
import { type RunStatus, readStatusFile } from "./status-file.ts";

/**
 * For a server that comes back and finds that its predecessor had begun to start a run. The order that makes it exact: the shim writes its job line,
 * then looks whether the status file still has its name; the invalidator takes the name away, then looks for the job line. One of the two sees the
 * other, so a command is never executed behind an attempt that was found invalid.
 */

/** From a shim's job line to `run` or `void` it takes some microseconds; only a shim that is stopped just there takes longer, and counts as started. */
const DECISION_DEADLINE_MS = 2_000;
const DECISION_PAUSE_MS = 1;

export type Attempt =
  | ({ kind: "started"; status: RunStatus } & RunIdentities)
  /** A shim is on its way: look again, or invalidate. */
  | { kind: "pending"; pids: number[] }
  /** Nothing was run; `invalidateAttempt` makes sure that nothing will be. */
  | { kind: "absent" };

export async function findAttempt(statusPath: string, runId: string): Promise<Attempt> {
  const status = await statusOf(statusPath);
  if (status !== undefined && hasStarted(status)) return { kind: "started", status, ...identitiesIn(status) };
  const pids = status?.isVoid || status?.exitStatus !== undefined ? [] : processesOfRun(runId);
  return pids.length > 0 ? { kind: "pending", pids } : { kind: "absent" };
}

/**
 * Takes the status file away. After "invalidated" the attempt's command will never be executed; "started" means that it was, just before, and the
 * file is back in its place.
 */
export async function invalidateAttempt(statusPath: string): Promise<"invalidated" | "started"> {
  const aside = `${statusPath}.invalid`;
  try {
    await rename(statusPath, aside);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
  if (await isBeyondRecall(aside)) {
    await rename(aside, statusPath);
    return "started";
  }
  await rm(aside, { force: true });
  await rm(exactEnvironmentPath(statusPath), { force: true });
  return "invalidated";
}

/** Whether the shim had looked for its file before it was taken away; one that is just about to say so is waited for. */
async function isBeyondRecall(path: string): Promise<boolean> {
  const deadlineMs = performance.now() + DECISION_DEADLINE_MS;
  for (;;) {
    const status = await statusOf(path);
    if (status?.job === undefined || status.isVoid) return false;
    if (hasStarted(status) || performance.now() > deadlineMs) return true;
    await setTimeout(DECISION_PAUSE_MS);
  }
}

async function statusOf(path: string): Promise<RunStatus | undefined> {
  try {
    return await readStatusFile(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function processesOfRun(runId: string): number[] {
  return listProcesses()
    .filter((info) => !hasEnded(info) && info.pid !== process.pid && environHas(info.pid, `WARREN_RUN_ID=${runId}`))
    .map((info) => info.pid);
}
