import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";

/** The built app, held in memory: an upgrade that replaces its directory changes nothing for pages that are open. */
export interface AppFile {
  bytes: Buffer;
  type: string;
  /** Its name changes with its content, so it may be kept for ever. */
  isImmutable: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webmanifest": "application/manifest+json",
};
const HASHED = /-[0-9A-Z]{8}\.(js|css)$/;

/** By path, `/` being the page. @param dir where the build put the app */
export function readAppFiles(dir: string): ReadonlyMap<string, AppFile> {
  const files = new Map<string, AppFile>();
  for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const file = { bytes: readFileSync(join(dir, name)), type, isImmutable: HASHED.test(name) };
    files.set(`/${name}`, file);
    if (name === "index.html") files.set("/", file);
  }
  return files;
}
