import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";

/** Looks at files and folders that configuration speaks of. What cannot be looked at is not there. */

export const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() === true;

export const isFile = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isFile() === true;

/** Also a symlink that leads nowhere. */
export const isThere = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => undefined)) !== undefined;

/** Where it really is; the path itself when it is not there. */
export const realPathOf = (path: string): Promise<string> => realpath(path).catch(() => path);

export const namesIn = async (path: string): Promise<string[]> => (await readdir(path).catch(() => [])).sort();

/** The same, or below. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** The first of these files that is there. */
export async function firstFile(dir: string, names: readonly string[]): Promise<string | undefined> {
  const found = await Promise.all(names.map((name) => isFile(join(dir, name))));
  const name = names[found.indexOf(true)];
  return name === undefined ? undefined : join(dir, name);
}
