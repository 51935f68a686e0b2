import { rm, stat } from "node:fs/promises";
import { droppedPathOf, logPaths } from "../runs/logs/files.ts";
import { findOrphans, removeOrphans } from "../runs/logs/orphans.ts";

/** Logs go with their run. Called after the rows are gone, so that a crash in between leaves files of no run, which `sweepOrphans` finds. */
export async function removeLogs(logsDir: string, runIds: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const runId of runIds) {
    const { stdoutPath, stderrPath, indexPath } = logPaths(logsDir, runId);
    for (const path of [stdoutPath, stderrPath, indexPath, droppedPathOf(stdoutPath), droppedPathOf(stderrPath)]) {
      bytes += await stat(path).then(
        ({ blocks }) => blocks * 512,
        () => 0,
      );
      await rm(path, { force: true });
    }
  }
  return bytes;
}

export async function sweepOrphans(
  logsDir: string,
  knownRunIds: ReadonlySet<string>,
): Promise<{ files: number; bytes: number }> {
  const { fileCount, sizeBytes } = await removeOrphans(await findOrphans(logsDir, knownRunIds));
  return { files: fileCount, bytes: sizeBytes };
}
