import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { availableParallelism, release, totalmem } from "node:os";
import { promisify } from "node:util";
import type { Peer } from "./peers/peer.ts";
import { root } from "./stage.ts";

/** What the figures were taken on and with, one line each. */
export async function machineFacts(peers: readonly Peer[]): Promise<string[]> {
  const cpu = /^model name\s*:\s*(.+)$/m.exec(await readFile("/proc/cpuinfo", "utf8"))?.[1] ?? "unknown CPU";
  const memoryGB = (totalmem() / 1e9).toFixed(0);
  const system = /^PRETTY_NAME="(.+)"$/m.exec(await readFile("/etc/os-release", "utf8"))?.[1] ?? "Linux";
  return [
    `${cpu}, ${availableParallelism()} cores, ${memoryGB} GB; ${system}, kernel ${release()}`,
    `Node ${process.versions.node} (the pinned runtime, for the peers too)`,
    `${peers.map(({ name, version }) => `${name} ${version}`).join(", ")}; commit ${await commit()}`,
    `${new Date().toISOString().slice(0, 10)}`,
  ];
}

/** The load averages of one, five and fifteen minutes. Ours is in it. */
export const loadAverage = async (): Promise<string> =>
  (await readFile("/proc/loadavg", "utf8")).split(" ").slice(0, 3).join(" ");

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
