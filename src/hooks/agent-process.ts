import { hasEnded, readProcess } from "../platform/process.ts";

/** A process that is meant for good: its pid, and when it started, in ticks after boot. */
export interface ProcessRef {
  pid: number;
  start: string;
}

const SHELLS = new Set(["sh", "dash", "bash", "zsh", "ksh", "fish", "busybox"]);

/** The agent that has called a hook: the nearest ancestor that is no shell. Undefined when the shell's starter is gone. */
export function agentOf(parentPid: number): ProcessRef | undefined {
  let found = readProcess(parentPid);
  while (found && SHELLS.has(found.comm)) found = readProcess(found.ppid);
  return found === undefined || found.pid <= 1 ? undefined : { pid: found.pid, start: String(found.startTicks) };
}

export function ownProcess(): ProcessRef {
  return { pid: process.pid, start: String(readProcess(process.pid)?.startTicks ?? "") };
}

export function isRunning({ pid, start }: ProcessRef): boolean {
  const found = readProcess(pid);
  return found !== undefined && !hasEnded(found) && (start === "" || String(found.startTicks) === start);
}

export const isSame = (a: ProcessRef | undefined, b: ProcessRef | undefined): boolean =>
  a !== undefined && b !== undefined && a.pid === b.pid && a.start === b.start;
