import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../../protocol/errors.ts";
import { runIdOfFile } from "./files.ts";

/** Logs of runs that nobody knows any more: left by a crash between removing a run and removing its files. Files that are not a run's are never named. */
export interface Orphan {
  path: string;
  runId: string;
  /** What its removal frees: holes are not counted. */
  sizeBytes: number;
}

/** A younger file may belong to a run that was made after the known runs were listed. */
const AGE_MIN_MS = 60_000;
const STAT_BLOCK_BYTES = 512;

export async function findOrphans(
  logDir: string,
  knownRunIds: ReadonlySet<string>,
  options: { nowMs?: number; minAgeMs?: number } = {},
): Promise<Orphan[]> {
  const youngestMs = (options.nowMs ?? Date.now()) - (options.minAgeMs ?? AGE_MIN_MS);
  const orphans: Orphan[] = [];
  for (const name of await namesIn(logDir)) {
    const runId = runIdOfFile(name);
    if (runId === undefined || knownRunIds.has(runId)) continue;
    const path = join(logDir, name);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() && found.mtimeMs <= youngestMs) {
      orphans.push({ path, runId, sizeBytes: found.blocks * STAT_BLOCK_BYTES });
    }
  }
  return orphans;
}

/** Removes them; one that is gone already is not counted, one that cannot be removed stays and is not counted. */
export async function removeOrphans(orphans: readonly Orphan[]): Promise<{ fileCount: number; sizeBytes: number }> {
  const removed = { fileCount: 0, sizeBytes: 0 };
  for (const orphan of orphans) {
    const isRemoved = await rm(orphan.path).then(
      () => true,
      () => false,
    );
    if (!isRemoved) continue;
    removed.fileCount += 1;
    removed.sizeBytes += orphan.sizeBytes;
  }
  return removed;
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
