import { existsSync, type FSWatcher, watch } from "node:fs";
import { join } from "node:path";
import { makeDirectories } from "../platform/directories.ts";

/**
 * Whether this home uses mail: its log is there. Until then a server starts no leader and is nobody's member, so a home without mail has no process for it;
 * that it is used from now on is told by inotify(7), once.
 */
const POLL_MS = 1_000;

/** Resolves when the log is there, at once or later; never, once `signal` is aborted. */
export function mailIsUsed(mailDir: string, signal: AbortSignal): Promise<void> {
  const isUsed = (): boolean => existsSync(join(mailDir, "log.db"));
  return new Promise((resolve) => {
    if (isUsed()) return resolve();
    const stop = onChange(mailDir, () => {
      if (!isUsed()) return;
      stop();
      signal.removeEventListener("abort", stop);
      resolve();
    });
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
  });
}

/** Calls `look` after each change in the directory, and once soon. Where the system gives no watch, every second. */
function onChange(dir: string, look: () => void): () => void {
  let watcher: FSWatcher | undefined;
  let poll: NodeJS.Timeout | undefined;
  const pollInstead = (): void => {
    watcher?.close();
    poll ??= setInterval(look, POLL_MS).unref();
  };
  try {
    makeDirectories(dir, 0o700);
    watcher = watch(dir, { persistent: false }, look);
    watcher.on("error", pollInstead);
  } catch {
    pollInstead(); // ENOSPC, EMFILE, a home that cannot be written
  }
  const soon = setImmediate(look); // it may have come between the look before and the watch
  return () => {
    clearImmediate(soon);
    clearInterval(poll);
    watcher?.close();
  };
}
