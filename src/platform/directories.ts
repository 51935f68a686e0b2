import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { systemCode } from "../protocol/errors.ts";

/**
 * Makes a directory and those above it, like `mkdir -p`; one that is there stays as it is. Not Node's own `recursive`: that one tries for ever where a
 * file system answers ENOENT to mkdir although the parent exists, as /proc does.
 */
export function makeDirectories(path: string, mode: number): void {
  try {
    makeDirectory(path, mode);
  } catch (error) {
    if (systemCode(error) !== "ENOENT" || dirname(path) === path) throw error;
    makeDirectories(dirname(path), mode);
    makeDirectory(path, mode);
  }
}

function makeDirectory(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
  }
}
