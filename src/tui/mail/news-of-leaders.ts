import { existsSync, type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import type { Places } from "../../platform/paths.ts";

/** A leader that nobody sees come, as where the directory of sockets is not there yet, is looked for after this time. */
const LOOK_MS = 3_000;

/** Resolves when somebody may lead the mailbox by now, or `signal` aborts: when its socket has appeared. */
export function leaderMayBeThere({ mailSocket }: Places, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let watcher: FSWatcher | undefined;
    const done = (): void => {
      watcher?.close();
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, LOOK_MS);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) return done();
    try {
      watcher = watch(dirname(mailSocket), (_, file) => {
        if (file === basename(mailSocket) && existsSync(mailSocket)) done();
      });
      watcher.on("error", () => {}); // the timer remains
    } catch {
      // no such directory yet
    }
  });
}
