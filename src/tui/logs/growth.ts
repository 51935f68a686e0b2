import { type FSWatcher, watch } from "node:fs";
import { stat } from "node:fs/promises";

/**
 * Tells when a file grows. By inotify; after each notice the watch rests for REST_MS and then looks at the size, so a flood costs at most a notice
 * every REST_MS and no growth is missed. A file that cannot be watched (not there yet) is looked at every POLL_MS. An idle file costs nothing.
 */

const REST_MS = 50;
const POLL_MS = 250;

export function watchGrowth(path: string, onGrowth: () => void, signal: AbortSignal): void {
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  let seenBytes = -1;

  const notice = (): void => {
    if (signal.aborted) return;
    onGrowth();
    rest(REST_MS);
  };
  const rest = (restMs: number): void => {
    watcher?.close();
    watcher = undefined;
    clearTimeout(timer);
    if (!signal.aborted) timer = setTimeout(() => void look(), restMs);
  };
  const look = async (): Promise<void> => {
    // Watch first, look after: nothing falls between.
    const isWatched = arm();
    const sizeBytes = await stat(path).then(
      (found) => found.size,
      () => -1,
    );
    if (signal.aborted) {
      watcher?.close();
      return;
    }
    const grew = sizeBytes !== seenBytes;
    seenBytes = sizeBytes;
    if (grew) notice();
    else if (!isWatched) rest(POLL_MS);
  };
  const arm = (): boolean => {
    try {
      watcher ??= watch(path, { persistent: false }, notice);
      watcher.on("error", () => rest(POLL_MS));
      return true;
    } catch {
      return false;
    }
  };

  signal.addEventListener(
    "abort",
    () => {
      watcher?.close();
      clearTimeout(timer);
    },
    { once: true },
  );
  void look();
}
