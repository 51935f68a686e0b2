import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../platform/clock.ts";
import type { Places } from "../platform/paths.ts";

/** Files, and a build's folder, are written beside their place and renamed into it; whoever is killed in between leaves a `.tmp` that nobody looks for. */
const SUFFIX = ".tmp";
/** Nobody writes one of these for so long. */
const WRITTEN_MS_MAX = 10 * 60_000;

/** Takes away what was left so in the home; what cannot be looked at stays. */
export async function removeUnfinished(places: Places, clock: Clock): Promise<void> {
  const { home, serversDir, remoteDir, cursorsDir, mailDir, hubDir, buildsDir, sessionsDir, gatewayDir } = places;
  for (const dir of [home, serversDir, remoteDir, cursorsDir, mailDir, hubDir]) await clear(dir, clock);
  await clear(buildsDir, clock, { withFolders: true });
  for (const parent of [sessionsDir, gatewayDir, buildsDir])
    for (const name of await namesIn(parent)) await clear(join(parent, name), clock);
}

async function clear(dir: string, clock: Clock, { withFolders = false } = {}): Promise<void> {
  for (const name of await namesIn(dir)) {
    if (!name.endsWith(SUFFIX)) continue;
    const path = join(dir, name);
    const about = await stat(path).catch(() => undefined);
    if (!about?.isFile() && !(withFolders && about?.isDirectory())) continue;
    if (clock.wallMs() - about.mtimeMs > WRITTEN_MS_MAX) await rm(path, { force: true, recursive: true });
  }
}

const namesIn = (dir: string): Promise<string[]> => readdir(dir).catch(() => []);
