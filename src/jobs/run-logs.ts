import { existsSync, rmSync } from "node:fs";
import { filesOfRun } from "../runs/logs/files.ts";
import { findOrphans, removeOrphans } from "../runs/logs/orphans.ts";

/**
 * Before a run begins. What is there is not its own: of a job that had its id and was removed by a server that was killed before the files went, or of a
 * start that was taken back.
 */
export function clearLogs(logsDir: string, runId: string): void {
  for (const path of filesOfRun(logsDir, runId)) if (existsSync(path)) rmSync(path, { force: true });
}

export async function sweepOrphans(
  logsDir: string,
  knownRunIds: ReadonlySet<string>,
): Promise<{ files: number; bytes: number }> {
  const { fileCount, sizeBytes } = await removeOrphans(await findOrphans(logsDir, knownRunIds));
  return { files: fileCount, bytes: sizeBytes };
}
