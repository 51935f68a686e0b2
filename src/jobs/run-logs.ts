import { existsSync, rmSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { droppedPathOf, logPaths } from "../runs/logs/files.ts";
import { findOrphans, removeOrphans } from "../runs/logs/orphans.ts";

/** Logs go with their run. Called after the rows are gone, so that a crash in between leaves files of no run, which `sweepOrphans` finds. */
export async function removeLogs(logsDir: string, runIds: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const runId of runIds) {
    for (const path of pathsOf(logsDir, runId)) {
      bytes += await stat(path).then(
        ({ blocks }) => blocks * 512,
        () => 0,
      );
      await rm(path, { force: true });
    }
  }
  return bytes;
}

/**
 * Before a run begins. What is there is not its own: of a job that had its id and was removed by a server that was killed before the files went, or of a
 * start that was taken back.
 */
export function clearLogs(logsDir: string, runId: string): void {
  for (const path of pathsOf(logsDir, runId)) if (existsSync(path)) rmSync(path, { force: true });
}

function pathsOf(logsDir: string, runId: string): string[] {
  const { stdoutPath, stderrPath, indexPath } = logPaths(logsDir, runId);
  return [stdoutPath, stderrPath, indexPath, droppedPathOf(stdoutPath), droppedPathOf(stderrPath)];
}

export async function sweepOrphans(
  logsDir: string,
  knownRunIds: ReadonlySet<string>,
): Promise<{ files: number; bytes: number }> {
  const { fileCount, sizeBytes } = await removeOrphans(await findOrphans(logsDir, knownRunIds));
  return { files: fileCount, bytes: sizeBytes };
}
