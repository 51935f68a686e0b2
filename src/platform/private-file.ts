import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "../protocol/errors.ts";
import { makeDirectories } from "./directories.ts";
import { replaceFile } from "./replace-file.ts";

/** Small texts that hold secrets: of one user, and nobody else's to read. */
const OTHERS = 0o077;

/** Undefined: there is none. @throws what `openTo` makes of a file that others may read, of the given mode */
export async function readPrivateFile(
  path: string,
  openTo: (path: string, mode: number) => Error,
): Promise<string | undefined> {
  try {
    const mode = (await stat(path)).mode & 0o777;
    if (mode & OTHERS) throw openTo(path, mode);
    return await readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Whole or not at all; on disk when it resolves. Its directory is made where there is none. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  makeDirectories(dirname(path), 0o700);
  await replaceFile(path, text);
}
