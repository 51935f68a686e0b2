import { readdirSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { memoryOf } from "../../bench/processes.ts";
import type { HomeProcess } from "../harness/processes.ts";
import type { Ground } from "./ground.ts";

/** What the processes of a run and their files take up, look by look. */
export interface Taken {
  /** Proportional set size, in megabytes (10^6). */
  pssMB: number;
  /** What of it is data of their own: what grows in a leak. */
  ownMB: number;
  descriptors: number;
  threads: number;
  processes: number;
}

export const GROUPS = ["server", "keeper", "front", "mail leaders", "hubs", "workers", "shims", "programs"] as const;
export type Group = (typeof GROUPS)[number];

/** Beside each other in a home; `the rest` is everything else of it. */
export const FOLDERS = [
  "state.db",
  "sessions",
  "own logs",
  "logs",
  "gateway",
  "mail",
  "remote",
  "hubs",
  "the rest",
] as const;
export type Folder = (typeof FOLDERS)[number];

export interface Look {
  atMs: number;
  groups: Record<Group, Taken>;
  diskMB: Record<Folder, number>;
  /** Of the home, whatever is in them. */
  fileCount: number;
}

export async function look(ground: Ground): Promise<Look> {
  const atMs = ground.incidents.nowMs();
  const groups = {} as Record<Group, Taken>;
  for (const [group, pids] of Object.entries(pidsOf(ground))) groups[group as Group] = await taken(pids);
  return { atMs, groups, diskMB: await diskOf(ground), fileCount: await filesBelow(ground.house.home) };
}

/** Of those of them that are still there. */
export async function taken(pids: readonly number[]): Promise<Taken> {
  const sum: Taken = { pssMB: 0, ownMB: 0, descriptors: 0, threads: 0, processes: 0 };
  for (const pid of pids) {
    try {
      const { pssMB, ownMB } = await memoryOf([pid]);
      const descriptors = readdirSync(`/proc/${pid}/fd`).length;
      const threads = readdirSync(`/proc/${pid}/task`).length;
      sum.pssMB += pssMB;
      sum.ownMB += ownMB;
      sum.descriptors += descriptors;
      sum.threads += threads;
      sum.processes += 1;
    } catch {
      // it has ended meanwhile
    }
  }
  return sum;
}

function pidsOf({ house, hubs, site }: Ground): Record<Group, number[]> {
  const pids = Object.fromEntries(GROUPS.map((group) => [group, []])) as unknown as Record<Group, number[]>;
  for (const one of house.processes()) pids[groupOf(one)].push(one.pid);
  for (const hub of hubs) pids.hubs.push(hub.running.pid);
  pids.workers = site.workerProcesses().map(({ pid }) => pid);
  return pids;
}

function groupOf({ role, argv }: HomeProcess): Group {
  if (role === "server" || role === "keeper") return role;
  if (role === "mail") return "mail leaders";
  if (role === "shim") return "shims";
  return argv.some((part) => part.endsWith("/front.js")) ? "front" : "programs";
}

async function diskOf({ house, hubs }: Ground): Promise<Record<Folder, number>> {
  const disk = Object.fromEntries(FOLDERS.map((folder) => [folder, 0])) as Record<Folder, number>;
  for (const name of await namesIn(house.home)) {
    const path = join(house.home, name);
    const isLogs = name === "logs";
    const bytes = isLogs ? await blocksOf(path, isOwnLog) : 0;
    if (isLogs) disk["own logs"] += bytes / 1e6;
    disk[folderOf(name)] += ((await blocksOf(path)) - bytes) / 1e6;
  }
  for (const hub of hubs) disk.hubs += (await blocksOf(hub.house.places.hubDir)) / 1e6;
  return disk;
}

/** Servers' and the keeper's: they are rotated. */
const isOwnLog = (path: string): boolean => path.includes("/logs/servers/") || path.includes("/logs/keeper.log");

function folderOf(name: string): Folder {
  if (name.startsWith("state.db")) return "state.db";
  return (FOLDERS as readonly string[]).includes(name) ? (name as Folder) : "the rest";
}

/** Bytes on the disk of all files below, or of those that are meant. */
async function blocksOf(path: string, isMeant: (path: string) => boolean = () => true): Promise<number> {
  const facts = await lstat(path).catch(() => undefined);
  if (!facts) return 0; // it has gone meanwhile
  if (!facts.isDirectory()) return isMeant(path) ? facts.blocks * 512 : 0;
  let bytes = 0;
  for (const name of await namesIn(path)) bytes += await blocksOf(join(path, name), isMeant);
  return bytes;
}

async function filesBelow(path: string): Promise<number> {
  const facts = await lstat(path).catch(() => undefined);
  if (!facts?.isDirectory()) return facts ? 1 : 0;
  let count = 0;
  for (const name of await namesIn(path)) count += await filesBelow(join(path, name));
  return count;
}

const namesIn = (path: string): Promise<string[]> => readdir(path).catch(() => []);
