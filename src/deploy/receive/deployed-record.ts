import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DEPLOYED_FILE } from "../../config/gateway/deployed-file.ts";
import { readJsonIfExists } from "../../platform/atomic-file.ts";
import type { Artefact, Placement } from "../messages.ts";
import type { Changes } from "./placed-files.ts";

/** What the last deploy has put into a project's folder, in `.warren-deploy/deployed.json`; from it, what the next one has to take away. */
export interface DeployedRecord {
  format: 1;
  /** RFC 3339. */
  at: string;
  by: string;
  /** Relative to the project. */
  files: string[];
  artefacts: Artefact[];
}

function readDeployed(dir: string): DeployedRecord | undefined {
  const record = readJsonIfExists<DeployedRecord>(join(dir, DEPLOYED_FILE));
  return record?.format === 1 ? record : undefined;
}

export const recordOf = ({ files, artefacts, by }: Placement, at: string): DeployedRecord => ({
  ...{ format: 1, at, by, files, artefacts },
});

/**
 * Artefacts come before what speaks of them, the configuration of all after everything that it speaks of, the links last. Each place is named once, however
 * often it came: a worker that is not built any more has its former artefacts in its folder, a folder that is included may be a worker's.
 */
export async function changesTo(dir: string, placement: Placement): Promise<Changes> {
  const { files, artefacts } = placement;
  const before = readDeployed(dir);
  const wanted = new Set(files);
  const removed = (before?.files ?? []).filter((path) => !wanted.has(path));
  for (const old of before?.artefacts ?? []) {
    if (artefacts.some((artefact) => artefact.dir === old.dir && artefact.worker === old.worker)) continue;
    removed.push(...(await versionFiles(dir, old)), `${old.dir}/bin/${old.worker}`);
  }
  // Beside an artefact that was built here once there is what it was built from: it would say that its sources are here.
  removed.push(...artefacts.map(({ dir: folder, worker, version }) => `${folder}/bin/.${worker}-${version}.json`));
  const isOfProject = (path: string): boolean => !path.includes("/");
  const links = Object.fromEntries(artefacts.map(({ dir: folder, worker, name }) => [`${folder}/bin/${worker}`, name]));
  const placed = new Set([
    ...artefacts.flatMap((artefact) => artefact.files),
    ...files.filter((path) => !isOfProject(path)),
    ...files.filter(isOfProject),
    DEPLOYED_FILE,
  ]);
  for (const path of Object.keys(links)) placed.delete(path);
  return {
    files: [...placed],
    links,
    removed: [...new Set(removed)].filter((path) => !placed.has(path) && !Object.hasOwn(links, path)),
  };
}

/** The files of every version of a worker that is there. */
export async function versionFiles(dir: string, { dir: folder, worker }: Artefact): Promise<string[]> {
  const names = await readdir(join(dir, folder, "bin")).catch(() => []);
  return names.filter((name) => versionIn(name, worker) !== undefined).map((name) => `${folder}/bin/${name}`);
}

/** Of an artefact's name, or of its map's. */
export const versionIn = (name: string, worker: string): string | undefined =>
  name.startsWith(`${worker}-`)
    ? /^([0-9a-f]+)(\.[cm]js(\.map)?)?$/.exec(name.slice(worker.length + 1))?.[1]
    : undefined;
