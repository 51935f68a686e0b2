import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** One state of Warren's own code. `scripts/build.mjs` stamps it into the bundle; the directory that holds the bundle holds `build.json` too. */
export interface Build {
  /** Short commit, plus a digest of uncommitted source in a checkout; the digest alone outside of one. */
  hash: string;
  version: string;
  /** Milliseconds since 1970; orders builds of one version. */
  builtAtMs: number;
  /** The directory of the bundle. */
  dir: string;
}

/** The build that this process runs from. */
export function thisBuild(): Build {
  const dir = findBuildDir(dirname(fileURLToPath(import.meta.url)));
  return readBuild(dir);
}

export function readBuild(dir: string): Build {
  const stamp = JSON.parse(readFileSync(join(dir, "build.json"), "utf8"));
  return { hash: stamp.hash, version: stamp.version, builtAtMs: stamp.built_at_ms, dir };
}

/** Positive when `a` is the newer build: by version, then by the time it was built. */
export function compareBuilds(
  a: Pick<Build, "version" | "builtAtMs">,
  b: Pick<Build, "version" | "builtAtMs">,
): number {
  const left = a.version.split(".").map(Number);
  const right = b.version.split(".").map(Number);
  for (let at = 0; at < 3; at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference) return difference;
  }
  return a.builtAtMs - b.builtAtMs;
}

/** From a bundle: its own directory. From source: the checkout's dist/, which the build script made. */
function findBuildDir(start: string): string {
  for (let dir = start; dir !== dirname(dir); dir = dirname(dir)) {
    if (existsSync(join(dir, "build.json"))) return dir;
    if (existsSync(join(dir, "dist", "build.json"))) return join(dir, "dist");
  }
  throw new Error("no build.json beside the bundle: run `npm run build`");
}
