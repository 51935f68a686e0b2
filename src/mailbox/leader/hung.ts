import type { ProcessInfo } from "../../platform/process.ts";
import { HUNG_LOOK_MS, HUNG_MS } from "./limits.ts";

/**
 * Whether a leader that has not answered for a while hangs. One that is stopped holds, as likely as not, the log's write lock, so it has to go; one that only
 * does not answer gets longer.
 *
 * `silentMs`: since its last answer, or since we noticed that we had been stopped ourselves.
 */
export function isHung(silentMs: number, info: Pick<ProcessInfo, "state"> | undefined): boolean {
  if (silentMs < HUNG_LOOK_MS || !info) return false; // without a process there is nothing to end: its lock is free
  return isStopped(info) || silentMs >= HUNG_MS;
}

/** By a signal, or by a debugger (proc_pid_stat(5)). */
const isStopped = ({ state }: Pick<ProcessInfo, "state">): boolean => state === "T" || state === "t";
