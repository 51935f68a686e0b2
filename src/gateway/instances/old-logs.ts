import { readdir, stat } from "node:fs/promises";
import { logPaths } from "../../runs/logs/files.ts";
import { removeLogs } from "../../runs/logs/remove.ts";

/** Of a worker's instances that have ended, so many keep their logs: those that were written last. Each save makes an instance, and often a spare. */
export const ENDED_KEPT = 30;

/** `<worker>-<when it was first started>-<number>` */
const INSTANCE_LOG = /^((.+)-[0-9a-z]+-[0-9]+)\.stdout\.log$/;

/** @param isKnown it runs, or may come to run */
export async function removeOldLogs(logsDir: string, isKnown: (instance: string) => boolean): Promise<void> {
  const byWorker = new Map<string, { id: string; writtenMs: number }[]>();
  for (const file of await readdir(logsDir)) {
    const [, id, worker] = INSTANCE_LOG.exec(file) ?? [];
    if (id === undefined || worker === undefined || isKnown(id)) continue;
    const ended = byWorker.get(worker) ?? [];
    ended.push({ id, writtenMs: await lastWrite(logsDir, id) });
    byWorker.set(worker, ended);
  }
  for (const ended of byWorker.values()) {
    const old = ended.sort((a, b) => b.writtenMs - a.writtenMs).slice(ENDED_KEPT);
    await removeLogs(
      logsDir,
      old.map(({ id }) => id).filter((id) => !isKnown(id)),
    );
  }
}

async function lastWrite(logsDir: string, id: string): Promise<number> {
  const { stdoutPath, stderrPath } = logPaths(logsDir, id);
  const times = await Promise.all(
    [stdoutPath, stderrPath].map((path) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return Math.max(...times);
}
