import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { availableParallelism, release, totalmem } from "node:os";
import { promisify } from "node:util";
import { sleep } from "./processes.ts";
import { root } from "./stage.ts";

/** What the figures were taken on and with, one line each. @param versions `pm2 7.0.4` of each tool */
export async function machineFacts(versions: readonly string[]): Promise<string[]> {
  const cpu = /^model name\s*:\s*(.+)$/m.exec(await readFile("/proc/cpuinfo", "utf8"))?.[1] ?? "unknown CPU";
  const memoryGB = (totalmem() / 1e9).toFixed(0);
  const system = /^PRETTY_NAME="(.+)"$/m.exec(await readFile("/etc/os-release", "utf8"))?.[1] ?? "Linux";
  return [
    `${cpu}, ${availableParallelism()} cores, ${memoryGB} GB; ${system}, kernel ${release()}`,
    `Node ${process.versions.node} (the pinned runtime, for the peers too)`,
    `${versions.join(", ")}; commit ${await commit()}`,
    `${new Date().toISOString().slice(0, 10)}`,
  ];
}

/** Others may use this share of the machine before a case begins; a case does not wait longer than QUIET_WAIT_MS for it. */
const QUIET_PERCENT = 15;
const QUIET_WAIT_MS = 120_000;
const QUIET_LOOK_MS = 3_000;

/** Waits, while we do nothing, until the machine is quiet; answers how busy the others were at the last look, in per cent of all cores. */
export async function quietMachine(wait: boolean): Promise<number> {
  const deadlineMs = performance.now() + QUIET_WAIT_MS;
  for (;;) {
    const before = await cpuTicks();
    await sleep(QUIET_LOOK_MS);
    const after = await cpuTicks();
    const percent = (100 * (after.busy - before.busy)) / Math.max(1, after.all - before.all);
    if (!wait || percent < QUIET_PERCENT || performance.now() > deadlineMs) return percent;
  }
}

/** The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, … */
async function cpuTicks(): Promise<{ busy: number; all: number }> {
  const fields = (await readFile("/proc/stat", "utf8")).split("\n")[0]!.trim().split(/\s+/).slice(1, 9).map(Number);
  const all = fields.reduce((sum, ticks) => sum + ticks, 0);
  return { all, busy: all - fields[3]! - fields[4]! };
}

async function commit(): Promise<string> {
  try {
    const git = (...args: string[]) => promisify(execFile)("git", ["-C", root, ...args]);
    const { stdout } = await git("rev-parse", "--short=7", "HEAD");
    const changed = await git("status", "--porcelain", "--", "src");
    return `${stdout.trim()}${changed.stdout ? " with changes" : ""}`;
  } catch {
    return "unknown";
  }
}
