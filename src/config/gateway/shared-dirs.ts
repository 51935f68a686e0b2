import { resolve } from "node:path";
import { isFolder, isInside, isThere, realPathOf } from "./places.ts";
import type { WrittenWorker } from "./worker-config.ts";

/** `watch`: folders of the project that a worker is made of besides its own; each as a whole. */
export async function sharedDirsOf({ dir, file, source }: WrittenWorker, projectDir: string): Promise<string[]> {
  const dirs: string[] = [];
  for (const [index, text] of (file.watch ?? []).entries()) {
    const folder = text.replace(/(\/\*\*(\/\*)?|\/)$/, "");
    const above = folderAbove(folder);
    const path = resolve(dir, folder);
    const message =
      above === undefined ? await refusalOf(path, { dir, projectDir }) : "is a pattern; a folder is watched whole";
    const meant = above === undefined || above === "" ? undefined : `did you mean "${above}"?`;
    if (message !== undefined) source.report(`watch[${index}]`, `${JSON.stringify(text)} ${message}`, meant);
    else if (!isInside(path, dir)) dirs.push(path);
  }
  return [...new Set(dirs)];
}

/** Of a pattern: the folder that it is about. */
function folderAbove(folder: string): string | undefined {
  const mark = folder.search(/[*?{}[\]]/);
  return mark < 0 ? undefined : folder.slice(0, mark).replace(/\/[^/]*$/, "");
}

async function refusalOf(
  path: string,
  { dir, projectDir }: { dir: string; projectDir: string },
): Promise<string | undefined> {
  if (!isInside(await realPathOf(path), await realPathOf(projectDir))) return "lies outside of the project";
  if (isInside(dir, path)) return "holds the worker itself; name the folder that is shared";
  if (await isFolder(path)) return undefined;
  return (await isThere(path)) ? "is not a folder; name the one that it is in" : `does not exist: ${path}`;
}
