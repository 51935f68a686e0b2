import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../platform/atomic-file.ts";
import { makeDirectories } from "../platform/directories.ts";
import { systemCode } from "../protocol/errors.ts";
import { keyFileOpen } from "./errors.ts";
import type { RemoteStore } from "./store.ts";

const OTHERS = 0o077;

/** The store in a directory of the home, which the user alone may open. */
export function homeStore(dir: string): RemoteStore {
  const pathOf: RemoteStore["pathOf"] = (name) => join(dir, name);
  return {
    pathOf,
    async read(name) {
      const path = pathOf(name);
      try {
        const mode = statSync(path).mode & 0o777;
        // Both hold secrets: the machine's key, and the login keys of its hubs.
        if (mode & OTHERS) throw keyFileOpen(path, mode);
        return await readFile(path, "utf8");
      } catch (error) {
        if (systemCode(error) === "ENOENT") return undefined;
        throw error;
      }
    },
    async write(name, text) {
      makeDirectories(dir, 0o700);
      await replaceFile(pathOf(name), text);
    },
  };
}
