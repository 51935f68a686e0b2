import { copyFileSync, cpSync, existsSync, linkSync, readdirSync, realpathSync, renameSync, rmSync } from "node:fs";
import { constants, copyFile, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readJsonIfExists, readTextIfExists, writeFileAtomic } from "../platform/atomic-file.ts";
import { type Build, readBuild } from "../platform/build.ts";
import { makeDirectories } from "../platform/directories.ts";
import { commandLines } from "../platform/process.ts";

/**
 * Builds that run are kept in `builds/<hash>/`, with the runtime beside them, so that a restart needs nothing of the installation that started
 * them: an upgrade may replace it at any time. `builds/last-good.json` names the last build that served.
 */
interface LastGood {
  format: 1;
  oldest_reader: 1;
  hash: string;
}

/** Copies the build to its kept place, once; answers the kept build. What cannot be copied whole (a full disk) leaves nothing. */
export function keepBuild(buildsDir: string, build: Build): Build {
  const dir = join(buildsDir, build.hash);
  if (build.dir === dir) return build;
  if (!existsSync(join(dir, "build.json"))) {
    const fresh = `${dir}.${process.pid}.tmp`;
    makeDirectories(buildsDir, 0o700);
    try {
      cpSync(build.dir, fresh, { recursive: true });
      for (const name of [TERMINAL_LIBRARY, ...BUNDLER]) keepPackage(name, build.dir, fresh);
      renameSync(fresh, dir);
    } catch (error) {
      rmSync(fresh, { recursive: true, force: true });
      if (!existsSync(join(dir, "build.json"))) throw error; // else somebody else was first
    }
  }
  return { ...build, dir };
}

/** What is native is no part of the bundle: these packages come along, from wherever the installation has them. */
const TERMINAL_LIBRARY = `@lydell/node-pty-${process.platform}-${process.arch}`;
const BUNDLER = ["esbuild", `@esbuild/${process.platform}-${process.arch}`];

function keepPackage(name: string, from: string, to: string): void {
  const dir = packageDir(name, from);
  // Not installed: whoever opens a terminal, or builds a worker, is told.
  if (dir !== undefined) linkTree(dir, join(to, "node_modules", name));
}

function packageDir(name: string, from: string): string | undefined {
  try {
    return realpathSync(dirname(createRequire(join(from, "keeper.js")).resolve(`${name}/package.json`)));
  } catch {
    return undefined;
  }
}

/** Hard links, which cost nothing and outlive an upgrade of the installation; copies where the file system allows none. */
function linkTree(from: string, to: string): void {
  makeDirectories(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkTree(source, target);
    else if (entry.isFile()) linkOrCopy(source, target);
  }
}

function linkOrCopy(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
}

const runtimePath = (buildsDir: string): string => join(buildsDir, `runtime-${process.version}`, "node");

/** The runtime to start servers with: the kept one, made by a hard link where the file system allows it, else the caller's own. */
export function keptRuntime(buildsDir: string): string {
  const kept = runtimePath(buildsDir);
  if (existsSync(kept)) return kept;
  try {
    makeDirectories(join(kept, ".."), 0o700);
    linkSync(process.execPath, kept);
    return kept;
  } catch {
    return process.execPath;
  }
}

/** Copies the runtime where it could not be linked (another file system); for a server that has time. */
export async function copyRuntimeIfNeeded(buildsDir: string): Promise<void> {
  const kept = runtimePath(buildsDir);
  if (existsSync(kept) || process.execPath.startsWith(buildsDir)) return;
  const fresh = `${kept}.${process.pid}.tmp`;
  try {
    await copyFile(process.execPath, fresh, constants.COPYFILE_FICLONE);
    await rename(fresh, kept);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

export function markGood(buildsDir: string, hash: string): void {
  const path = join(buildsDir, "last-good.json");
  if (readJsonIfExists<LastGood>(path)?.hash === hash) return;
  writeFileAtomic(path, `${JSON.stringify({ format: 1, oldest_reader: 1, hash } satisfies LastGood)}\n`);
}

/** The last build that served, when it is still kept. */
export function lastGoodBuild(buildsDir: string): Build | undefined {
  const hash = readJsonIfExists<LastGood>(join(buildsDir, "last-good.json"))?.hash;
  if (!hash) return undefined;
  try {
    return readBuild(join(buildsDir, hash));
  } catch {
    return undefined;
  }
}

/** The name that a server of this build had last: it gets it again, so that a name means the same server after a crash of everything. */
export const lastNameOf = (buildsDir: string, hash: string): string | undefined =>
  readTextIfExists(join(buildsDir, hash, "name"))?.trim() || undefined;

export function rememberName(buildsDir: string, hash: string, name: string): void {
  if (lastNameOf(buildsDir, hash) !== name) writeFileAtomic(join(buildsDir, hash, "name"), `${name}\n`);
}

/**
 * Removes kept builds that nobody uses: all but those that a process runs from (a keeper outlives many upgrades, and loads its terminals' library
 * with the first one), those that are `used` besides, the last good one and the two newest others.
 */
export function pruneBuilds(buildsDir: string, used: ReadonlySet<string>, running = commandLines()): string[] {
  const keep = new Set([...used, lastGoodBuild(buildsDir)?.hash]);
  const isRunFrom = (name: string): boolean => running.some((line) => line.includes(`${join(buildsDir, name)}/`));
  const others: Build[] = [];
  for (const name of readdirSync(buildsDir)) {
    if (keep.has(name) || name.startsWith("runtime-") || name.includes(".") || isRunFrom(name)) continue;
    try {
      others.push(readBuild(join(buildsDir, name)));
    } catch {
      // no build of ours
    }
  }
  const unused = others.sort((a, b) => b.builtAtMs - a.builtAtMs).slice(2);
  for (const { dir } of unused) rmSync(dir, { recursive: true, force: true });
  return unused.map(({ hash }) => hash);
}
