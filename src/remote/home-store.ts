import { join } from "node:path";
import { readPrivateFile, writePrivateFile } from "../platform/private-file.ts";
import { keyFileOpen } from "./errors.ts";
import type { RemoteStore } from "./store.ts";

/** The store in a directory of the home, which the user alone may open: it holds the machine's key, and the login keys of its hubs. */
export function homeStore(dir: string): RemoteStore {
  const pathOf: RemoteStore["pathOf"] = (name) => join(dir, name);
  return {
    pathOf,
    read: (name) => readPrivateFile(pathOf(name), keyFileOpen),
    write: (name, text) => writePrivateFile(pathOf(name), text),
  };
}
