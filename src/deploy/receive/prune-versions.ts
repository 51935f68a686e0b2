import { rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Artefact, HostWorker } from "../messages.ts";
import { versionFiles, versionIn } from "./deployed-record.ts";

/** Removes the oldest versions of each worker beyond `keepCount`, never the one that was just deployed, nor one that is in use. */
export async function pruneVersions(
  dir: string,
  artefacts: readonly Artefact[],
  { keepCount, inUse }: { keepCount: number; inUse: ReadonlySet<string> },
): Promise<void> {
  for (const artefact of artefacts) {
    const { worker, version: current } = artefact;
    const files = await versionFiles(dir, artefact);
    const newestMs = new Map<string, number>();
    for (const path of files) {
      const version = versionIn(basename(path), worker)!;
      const { mtimeMs = 0 } = (await stat(join(dir, path)).catch(() => undefined)) ?? {};
      newestMs.set(version, Math.max(newestMs.get(version) ?? 0, mtimeMs));
    }
    const others = [...newestMs].filter(([version]) => version !== current).sort((a, b) => b[1] - a[1]);
    const gone = others
      .slice(Math.max(0, keepCount - 1))
      .map(([version]) => version)
      .filter((version) => !inUse.has(`${worker} ${version}`));
    for (const path of files)
      if (gone.includes(versionIn(basename(path), worker)!)) await rm(join(dir, path), { force: true });
  }
}

export const useOf = ({ name }: Pick<HostWorker, "name">, version: string): string => `${name} ${version}`;
