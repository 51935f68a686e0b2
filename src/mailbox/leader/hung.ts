import type { ProcessInfo } from "../../platform/process.ts";
import { HUNG_MS, STOPPED_MS } from "./limits.ts";

/**
 * Whether a leader hangs. One that is stopped holds, as likely as not, the log's write lock, so it has to go; one that only does not answer gets longer.
 *
 * `silentMs`: since its last answer, or since we noticed that we had been stopped ourselves. `stoppedMs`: for how long it has been seen stopped, at each look.
 */
export const isHung = ({ silentMs, stoppedMs }: { silentMs: number; stoppedMs: number }): boolean =>
  stoppedMs >= STOPPED_MS || silentMs >= HUNG_MS;

/** By a signal, or by a debugger (proc_pid_stat(5)). */
export const isStopped = ({ state }: Pick<ProcessInfo, "state">): boolean => state === "T" || state === "t";
