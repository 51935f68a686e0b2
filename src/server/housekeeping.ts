import type { Build } from "../platform/build.ts";
import type { Log } from "../platform/log.ts";
import type { Places } from "../platform/paths.ts";
import { copyRuntimeIfNeeded, pruneBuilds } from "../registry/builds.ts";
import { readEntries } from "../registry/entries.ts";

/** When nobody waits for the server any more. */
const AFTER_MS = 30_000;

/** Once in a server's life: builds that no server uses go, and the runtime that this build needs is kept with it. */
export function keepHouseLater(options: { places: Places; build: Build; log: Log; signal: AbortSignal }): void {
  const { places, build, log, signal } = options;
  const timer = setTimeout(() => {
    const used = readEntries(places.serversDir).map(({ git_hash }) => git_hash);
    pruneBuilds(places.buildsDir, new Set([build.hash, ...used]));
    copyRuntimeIfNeeded(places.buildsDir).catch((error) => log.warn("runtime_not_kept", { error: String(error) }));
  }, AFTER_MS);
  timer.unref();
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
}
