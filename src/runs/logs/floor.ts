import { rm, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "../../protocol/errors.ts";
import { capRunLog, type Punch } from "./cap.ts";
import { droppedPathOf, logPaths } from "./files.ts";

/**
 * The free-space floor: when the disk that holds the logs gets full, the oldest output goes, so that running jobs can go on writing. A job whose
 * write fails with ENOSPC decides for itself; nobody can take the file from under it.
 *
 * Policy: logs of ended runs are deleted, oldest first; when that does not do, logs of live runs are punched down to LIVE_KEEP_BYTES each, in
 * the same order. It frees a quarter more than what is missing, so that it does not act again at the next look.
 */

/** The newest output of a live run that the floor never takes. */
const LIVE_KEEP_BYTES = 1024 * 1024;
const HEADROOM = 1.25;
const STAT_BLOCK_BYTES = 512;

export interface FloorCandidate {
  /** A log file. */
  path: string;
  runId: string;
  live: boolean;
}

export interface SizedCandidate extends FloorCandidate {
  /** What it takes on disk, holes not counted. */
  diskBytes: number;
}

export type FloorStep = { kind: "delete" | "punch"; candidate: SizedCandidate };

export interface Freed {
  kind: "delete" | "punch";
  runId: string;
  path: string;
  freedBytes: number;
  /** Absolute offset in the stream before which all is gone; for a deleted log, its end. */
  droppedBytes: number;
}

export interface FloorResult {
  /** What an unprivileged user can still write, after this call. */
  freeBytes: number;
  freed: Freed[];
}

export interface FloorOptions {
  dir: string;
  floorBytes: number;
  /** Oldest first. */
  candidates: readonly FloorCandidate[];
  punch?: Punch;
  freeBytesOf?: (dir: string) => Promise<number>;
}

/** Safe to call at any time; touches nothing while there is enough space. A file that cannot be freed is passed over. */
export async function enforceFreeSpaceFloor(options: FloorOptions): Promise<FloorResult> {
  const freeBytesOf = options.freeBytesOf ?? freeSpaceOf;
  const freeBytes = await freeBytesOf(options.dir);
  if (freeBytes >= options.floorBytes) return { freeBytes, freed: [] };
  const sized = await Promise.all(
    options.candidates.map(async (candidate) => ({ ...candidate, diskBytes: await diskBytesOf(candidate.path) })),
  );
  const freed: Freed[] = [];
  for (const step of decideFloor(freeBytes, options.floorBytes, sized)) {
    const done = await take(step, options.punch).catch(() => undefined);
    if (done !== undefined) freed.push(done);
  }
  return { freeBytes: await freeBytesOf(options.dir), freed };
}

/** What to do, in order: no more than needed. */
export function decideFloor(freeBytes: number, floorBytes: number, candidates: readonly SizedCandidate[]): FloorStep[] {
  const steps: FloorStep[] = [];
  let missingBytes = freeBytes >= floorBytes ? 0 : (floorBytes - freeBytes) * HEADROOM;
  for (const candidate of candidates) {
    if (missingBytes <= 0) return steps;
    if (candidate.live || candidate.diskBytes === 0) continue;
    steps.push({ kind: "delete", candidate });
    missingBytes -= candidate.diskBytes;
  }
  for (const candidate of candidates) {
    if (missingBytes <= 0) return steps;
    if (!candidate.live || candidate.diskBytes <= LIVE_KEEP_BYTES) continue;
    steps.push({ kind: "punch", candidate });
    missingBytes -= candidate.diskBytes - LIVE_KEEP_BYTES;
  }
  return steps;
}

async function take({ kind, candidate }: FloorStep, punch: Punch | undefined): Promise<Freed> {
  const { path, runId, diskBytes } = candidate;
  if (kind === "delete") {
    const droppedBytes = (await stat(path)).size;
    await rm(path);
    await rm(droppedPathOf(path), { force: true });
    await removeIndexOfNothing(path, runId);
    return { kind, runId, path, freedBytes: diskBytes, droppedBytes };
  }
  const { droppedBytes } = await capRunLog(path, LIVE_KEEP_BYTES, punch === undefined ? {} : { punch });
  return { kind, runId, path, freedBytes: Math.max(0, diskBytes - (await diskBytesOf(path))), droppedBytes };
}

/** An index without logs orders nothing. */
async function removeIndexOfNothing(logPath: string, runId: string): Promise<void> {
  const paths = logPaths(dirname(logPath), runId);
  const left = await Promise.all([paths.stdoutPath, paths.stderrPath].map(diskBytesOf));
  if (left.every((bytes) => bytes === 0)) await rm(paths.indexPath, { force: true });
}

async function diskBytesOf(path: string): Promise<number> {
  try {
    return (await stat(path)).blocks * STAT_BLOCK_BYTES;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return 0;
    throw error;
  }
}

/** statfs(2): blocks for an unprivileged user. */
async function freeSpaceOf(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}
