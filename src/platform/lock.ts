import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/**
 * An exclusive lock that the kernel frees when its holder dies: SQLite's own file lock (fcntl), held by an open exclusive transaction on an empty
 * database. It is bound to the inode, so it is the same for every network namespace and container that shares the directory, and no child process
 * inherits it (fcntl(2): record locks are not inherited). The file is never deleted.
 */
export interface Lock {
  release(): void;
}

/** SQLITE_BUSY: somebody else holds it. */
const SQLITE_BUSY = 5;

/** Takes the lock, or answers undefined at once when it is held. */
export function tryLock(path: string): Lock | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("pragma journal_mode=memory; begin exclusive");
  } catch (error) {
    database.close();
    if (error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
  if (!statSync(path, { throwIfNoEntry: false })) {
    database.close();
    return undefined; // the file was replaced under us: whoever made the new one decides
  }
  return { release: () => database.close() };
}

/** Takes the lock as soon as it is free, asking every `intervalMs`; undefined after `timeoutMs` or when aborted. */
export async function waitForLock(
  path: string,
  { timeoutMs, intervalMs = 5, signal }: { timeoutMs: number; intervalMs?: number; signal?: AbortSignal },
): Promise<Lock | undefined> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const lock = tryLock(path);
    if (lock) return lock;
    if (signal?.aborted || performance.now() >= deadlineMs) return undefined;
    await new Promise((wake) => setTimeout(wake, intervalMs));
  }
}
