import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";

/** Facts of /proc (proc(5)) about a group of processes. */

export interface Memory {
  /** Proportional set size, in megabytes (10^6). */
  pssMB: number;
  /** What of it is data of their own and no file: what grows in a leak. */
  ownMB: number;
}

export async function memoryOf(pids: readonly number[]): Promise<Memory> {
  const memory = { pssMB: 0, ownMB: 0 };
  for (const pid of pids) {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
    memory.pssMB += (Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024) / 1e6;
    memory.ownMB += (Number(/^Pss_Anon:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024) / 1e6;
  }
  return memory;
}

export interface MemoryAt extends Memory {
  /** Minutes since the first. */
  minute: number;
}

/** One look each second, for as long as is said. */
export async function watchMemory(pids: readonly number[], durationMs: number): Promise<MemoryAt[]> {
  const startMs = performance.now();
  const seen: MemoryAt[] = [];
  while (performance.now() - startMs < durationMs) {
    seen.push({ minute: (performance.now() - startMs) / 60_000, ...(await memoryOf(pids)) });
    await sleep(LOOK_MS);
  }
  return seen;
}

const LOOK_MS = 1_000;

/** CPU seconds that all of them have used so far. From the scheduler's counters, in nanoseconds; utime and stime count in steps of 10 ms. */
export async function cpuSeconds(pids: readonly number[]): Promise<number> {
  let nanoseconds = 0;
  for (const pid of pids) {
    for (const thread of await readdir(`/proc/${pid}/task`)) {
      const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8").catch(() => "0");
      nanoseconds += Number(text.split(" ")[0]);
    }
  }
  return nanoseconds / 1e9;
}

/** What each group of processes uses of one core, in per cent, over a time in which nothing is asked of them. */
export async function idleCpu(groups: readonly (readonly number[])[], durationMs: number): Promise<number[]> {
  const read = (): Promise<number[]> => Promise.all(groups.map((pids) => cpuSeconds(pids)));
  const startMs = performance.now();
  const before = await read();
  await sleep(durationMs);
  const after = await read();
  const percent = 100_000 / (performance.now() - startMs);
  return after.map((seconds, at) => (seconds - before[at]!) * percent);
}

/** {@link cpuSeconds} from utime + stime of /proc/PID/stat, in steps of 10 ms (USER_HZ is 100 on every Linux that Node runs on). */
export async function cpuSecondsByTicks(pids: readonly number[]): Promise<number> {
  let ticks = 0;
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / 100;
}

/** Arguments joined by blanks; processes that have gone are left out. */
export const commandLines = (pids: readonly number[]): string[] =>
  pids.flatMap((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1).join(" ");
    } catch {
      return [];
    }
  });

export const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

/** Of its main thread, at this moment. */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}
