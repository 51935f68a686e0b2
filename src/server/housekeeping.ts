import type { Build } from "../platform/build.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Places } from "../platform/paths.ts";
import { copyRuntimeIfNeeded, pruneBuilds } from "../registry/builds.ts";
import { readEntries } from "../registry/entries.ts";
import { removeUnfinished } from "./unfinished-files.ts";

/** When nobody waits for the server any more. */
const AFTER_MS = 30_000;

export interface HouseOptions {
  places: Places;
  build: Build;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

/** Once in a server's life: builds that no server uses go, what killed writers have left, and the runtime that this build needs is kept with it. */
export function keepHouseLater({ places, build, clock, log, signal }: HouseOptions): void {
  const timer = setTimeout(() => {
    try {
      const used = readEntries(places.serversDir).map(({ git_hash }) => git_hash);
      pruneBuilds(places.buildsDir, new Set([build.hash, ...used]));
    } catch (error) {
      log.warn("builds_not_removed", { error: String(error) });
    }
    removeUnfinished(places, clock).catch((error) => log.warn("unfinished_not_removed", { error: String(error) }));
    copyRuntimeIfNeeded(places.buildsDir).catch((error) => log.warn("runtime_not_kept", { error: String(error) }));
  }, AFTER_MS);
  timer.unref();
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
}
