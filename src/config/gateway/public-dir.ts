import { join, relative, resolve, sep } from "node:path";
import type { Source } from "./config-source.ts";
import { isFolder, isInside, isThere, realPathOf } from "./places.ts";

/** In a worker's folder, what must never be served. */
const OWN_DIRS = ["src", "private", "bin", "config"];

export interface PublicPlace {
  /** The folder of the worker, or of the project. */
  dir: string;
  /** As written, relative to it. */
  written: string;
  /** Where it must not lead out of. */
  within: string;
  /** Files that it must not hold. */
  hidden: readonly string[];
  key: string;
  source: Source;
}

/**
 * A public folder, which need not be there. It must be neither what holds sources, configuration or private files, nor in or around their folders, by its
 * name and by where symlinks lead.
 */
export async function publicDirOf(place: PublicPlace): Promise<string> {
  const { dir, written, within, key, source } = place;
  const path = resolve(dir, written);
  const refusal = await refusalOf(path, place);
  if (refusal !== undefined) source.report(key, `${relative(within, path) || "."} ${refusal}`);
  return path;
}

/** What is wrong with it, to stand behind its name. */
async function refusalOf(path: string, { dir, within, hidden }: PublicPlace): Promise<string | undefined> {
  const own = OWN_DIRS.map((name) => join(dir, name));
  const [real, realDir, realWithin] = await Promise.all([realPathOf(path), realPathOf(dir), realPathOf(within)]);
  const [folders, files] = await Promise.all([Promise.all(own.map(realPathOf)), Promise.all(hidden.map(realPathOf))]);
  if (!isInside(real, realWithin)) return `leads out of ${within}${path === real ? "" : `, to ${real}`}`;
  if (isInside(realDir, real)) return "is the folder of the sources; only a folder below it can be public";
  if (folders.some((folder) => isInside(real, folder) || isInside(folder, real)))
    return "is a folder of sources, builds, configuration or private files";
  if (relative(realWithin, real).split(sep).includes(".git")) return "is git's own";
  const file = files.find((one) => isInside(one, real));
  if (file !== undefined) return `holds a source or configuration, ${relative(real, file)}`;
  return (await isThere(path)) && !(await isFolder(path)) ? "is not a folder" : undefined;
}
