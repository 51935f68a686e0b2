import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { systemCode } from "../protocol/errors.ts";

/**
 * Makes a directory and those above it, like `mkdir -p`; one that is there stays as it is. The outermost that was made, as Node says it. Not Node's own `recursive`: that one tries for ever where a
 * file system answers ENOENT to mkdir although the parent exists, as /proc does.
 */
export function makeDirectories(path: string, mode = 0o777): string | undefined {
  try {
    return makeDirectory(path, mode);
  } catch (error) {
    if (systemCode(error) !== "ENOENT" || dirname(path) === path) throw error;
    const above = makeDirectories(dirname(path), mode);
    const made = makeDirectory(path, mode);
    return above ?? made;
  }
}

function makeDirectory(path: string, mode: number): string | undefined {
  try {
    mkdirSync(path, { mode });
    return path;
  } catch (error) {
    if (systemCode(error) !== "EEXIST" || !statSync(path).isDirectory()) throw error;
    return undefined;
  }
}
