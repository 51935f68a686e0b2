import { readProcess } from "../platform/process.ts";

/** Deeper chains are cut: no shell nests so far, and a table that changes while it is read must not loop. */
const DEPTH_MAX = 64;

/** `pid` and the processes above it. */
export function ancestorsOf(pid: number): number[] {
  const chain: number[] = [];
  for (let current = pid; current > 1 && chain.length < DEPTH_MAX && !chain.includes(current); ) {
    chain.push(current);
    current = readProcess(current)?.ppid ?? 0;
  }
  return chain;
}
