import { readdir, readFile } from "node:fs/promises";

/** Facts of /proc (proc(5)) about a group of processes. */

/** Proportional set size of all, in megabytes (10^6). */
export async function pssMB(pids: readonly number[]): Promise<number> {
  let bytes = 0;
  for (const pid of pids) {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
    bytes += Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
  }
  return bytes / 1e6;
}

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

/** The same from utime + stime of /proc/PID/stat, in steps of 10 ms (USER_HZ is 100 on every Linux that Node runs on). */
export async function cpuSecondsByTicks(pids: readonly number[]): Promise<number> {
  let ticks = 0;
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / 100;
}

export const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));
