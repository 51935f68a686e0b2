import { lstatSync, realpathSync } from "node:fs";
import { lstat, readdir, readlink, rename, rm, stat, symlink } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { readJsonIfExists } from "../../platform/atomic-file.ts";
import { makeDirectories } from "../../platform/directories.ts";
import { replaceFile } from "../../platform/replace-file.ts";
import { messageOf, systemCode, WarrenError } from "../../protocol/errors.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import type { BuiltFrom } from "../watch/worker-sources.ts";

/**
 * What was built of a worker, in its folder `bin/`:
 *
 *     <name>-<version>.mjs    an artefact (.cjs; or without extension what a build command made), whole as soon as it has this name
 *     <name>-<version>.mjs.map
 *     .<name>-<version>.json  what it was built from
 *     <name>                  a link to the one that serves
 */
export interface ArtefactsOptions {
  /** The worker's folder. */
  dir: string;
  name: string;
  /** How many are kept; default 5. */
  keepCount?: number;
}

const KEEP_COUNT = 5;
const MANIFEST_FORMAT = 1;
const MODE = 0o644;
const EXTENSIONS = [".mjs", ".cjs", ""];
/** Temporary files of a builder that was killed; older than this they are nobody's. */
const ABANDONED_MS = 600_000;

export type Linked =
  | { kind: "artefact"; version: string }
  | { kind: "nothing" }
  /** `reason` stands behind the link's path. */
  | { kind: "other"; reason: string };

interface Manifest extends BuiltFrom {
  format: number;
}

export class Artefacts {
  readonly name: string;
  readonly binDir: string;
  readonly #dir: string;
  readonly #keepCount: number;

  constructor({ dir, name, keepCount = KEEP_COUNT }: ArtefactsOptions) {
    this.name = name;
    this.#dir = dir;
    this.binDir = join(dir, "bin");
    this.#keepCount = keepCount;
  }

  /** Makes the folder. @throws BIN_REFUSED when it is a link that leads elsewhere, or no folder; BIN_UNWRITABLE */
  async open(): Promise<void> {
    try {
      makeDirectories(this.binDir);
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw unwritable(this.binDir, error);
    }
    this.#check();
  }

  /** The artefact's path, if it is there. @throws BIN_REFUSED */
  async find(version: string): Promise<string | undefined> {
    if (lstatSync(this.binDir, { throwIfNoEntry: false }) === undefined) return undefined;
    this.#check();
    for (const extension of EXTENSIONS) {
      const path = this.pathOf(version, extension);
      const found = await stat(path).catch(() => undefined);
      if (found?.isFile()) return path;
    }
    return undefined;
  }

  pathOf(version: string, extension: string): string {
    return join(this.binDir, `${this.name}-${version}${extension}`);
  }

  /** Where a build command may put what it makes. */
  temporaryPath(version: string): string {
    return join(this.binDir, `.${this.name}-${version}.new`);
  }

  /** @throws BIN_REFUSED, BIN_UNWRITABLE (also for a full disk); nothing is left then */
  async write(
    from: BuiltFrom,
    { extension, code, map }: { extension: string; code: string; map: string },
  ): Promise<string> {
    const path = this.pathOf(from.version, extension);
    return this.#writing(from, path, async () => {
      await replaceFile(`${path}.map`, map, MODE);
      await replaceFile(path, code, MODE);
    });
  }

  /** Takes a file that a build command has made. */
  async take(from: BuiltFrom, made: string): Promise<string> {
    const path = this.pathOf(from.version, "");
    return this.#writing(from, path, () => rename(made, path));
  }

  /** The link `bin/<name>`, in one step. */
  async setCurrent(version: string): Promise<void> {
    const path = await this.find(version);
    if (path === undefined)
      throw new WarrenError("ARTEFACT_MISSING", `${this.pathOf(version, "")} is not there any more.`);
    await this.pointTo(path.slice(this.binDir.length + 1));
  }

  /** Where the link is. */
  get path(): string {
    return this.#linkPath;
  }

  /** What the link leads to. */
  async linked(): Promise<Linked> {
    const found = await lstat(this.#linkPath).catch(() => undefined);
    if (!found) return { kind: "nothing" };
    if (!found.isSymbolicLink()) return { kind: "other", reason: "is no link to a version" };
    const target = await readlink(this.#linkPath);
    const version = this.#versionIn(target);
    if (version === undefined) return { kind: "other", reason: `leads to ${target}, which is no version of it` };
    if ((await this.find(version)) === undefined)
      return { kind: "other", reason: `leads to ${target}, which is not there` };
    return { kind: "artefact", version };
  }

  /** Of all artefacts, also of those of which nobody has written down what they were built from; the oldest first. */
  async versions(): Promise<string[]> {
    const found: { version: string; atMs: number }[] = [];
    for (const name of await readdir(this.binDir).catch(() => [])) {
      const version = this.#versionIn(name);
      const about = version === undefined ? undefined : await stat(join(this.binDir, name)).catch(() => undefined);
      if (version !== undefined && about?.isFile()) found.push({ version, atMs: about.mtimeMs });
    }
    return found.sort((a, b) => a.atMs - b.atMs).map(({ version }) => version);
  }

  /** The link's text: a name in `bin/`. Undefined: there is no link. */
  async link(): Promise<string | undefined> {
    return readlink(this.#linkPath).catch(() => undefined);
  }

  async pointTo(name: string): Promise<void> {
    this.#check();
    const temporary = join(this.binDir, `.${this.name}.link`);
    try {
      await rm(temporary, { force: true });
      await symlink(name, temporary);
      await rename(temporary, this.#linkPath);
    } catch (error) {
      throw unwritable(this.binDir, error);
    }
  }

  /** Before a build command, which may write where the link is: through it, into what serves. */
  async unlink(): Promise<void> {
    const found = await lstat(this.#linkPath).catch(() => undefined);
    if (found && !found.isDirectory()) await rm(this.#linkPath, { force: true });
  }

  /** A file (no link) that a build command has put where the link is. */
  async madeAtLink(): Promise<string | undefined> {
    const found = await lstat(this.#linkPath).catch(() => undefined);
    return found?.isFile() ? this.#linkPath : undefined;
  }

  /** What is there with what it was built from, the oldest first. */
  async known(): Promise<BuiltFrom[]> {
    if (!isOwnDirectory(this.binDir, this.#dir)) return [];
    const found: { built: BuiltFrom; atMs: number }[] = [];
    for (const version of await this.#versions()) {
      const manifest = readJsonIfExists<Manifest>(this.#manifestPath(version));
      if (manifest?.format !== MANIFEST_FORMAT || manifest.version !== version) continue;
      const path = await this.find(version);
      if (path === undefined) continue;
      const { inputs, inputsDigest, namesDigest } = manifest;
      const atMs = (await stat(path)).mtimeMs;
      found.push({
        built: { version, inputs: inputs.map((name) => join(this.#dir, name)), inputsDigest, namesDigest },
        atMs,
      });
    }
    return found.sort((a, b) => a.atMs - b.atMs).map(({ built }) => built);
  }

  /** Removes the oldest that are too many, never those in `keep` nor the one that the link names. Tells which are gone. */
  async prune(keep: ReadonlySet<string>): Promise<Set<string>> {
    const gone = new Set<string>();
    const linked = await this.link();
    const known = (await this.known()).map(({ version }) => version);
    for (const version of known.slice(0, Math.max(0, known.length - this.#keepCount))) {
      if (keep.has(version) || linked?.startsWith(`${this.name}-${version}`)) continue;
      await this.#remove(version);
      gone.add(version);
    }
    await this.#sweep();
    return gone;
  }

  /** Of an artefact's name. */
  #versionIn(name: string): string | undefined {
    const extension = EXTENSIONS.find((one) => one !== "" && name.endsWith(one)) ?? "";
    const version = name.slice(this.name.length + 1, name.length - extension.length);
    return name.startsWith(`${this.name}-`) && /^[0-9a-f]+$/.test(version) ? version : undefined;
  }

  get #linkPath(): string {
    return join(this.binDir, this.name);
  }

  #manifestPath(version: string): string {
    return join(this.binDir, `.${this.name}-${version}.json`);
  }

  /** What it was made of first: an artefact without that would be built again, one that is not whole would be run. */
  async #writing(from: BuiltFrom, path: string, put: () => Promise<void>): Promise<string> {
    this.#check();
    const inputs = from.inputs.map((input) => relative(this.#dir, input));
    const manifest: Manifest = { format: MANIFEST_FORMAT, ...from, inputs };
    try {
      await replaceFile(this.#manifestPath(from.version), `${JSON.stringify(manifest)}\n`, MODE);
      await put();
      return path;
    } catch (error) {
      await this.#remove(from.version).catch(() => {});
      throw unwritable(this.binDir, error);
    }
  }

  async #remove(version: string): Promise<void> {
    for (const extension of EXTENSIONS) {
      await rm(this.pathOf(version, extension), { force: true });
      await rm(`${this.pathOf(version, extension)}.map`, { force: true });
    }
    await rm(this.#manifestPath(version), { force: true });
  }

  async #versions(): Promise<string[]> {
    const names = await readdir(this.binDir).catch(() => []);
    return names.flatMap((name) => {
      if (!name.startsWith(`.${this.name}-`) || !name.endsWith(".json")) return [];
      const version = name.slice(this.name.length + 2, -".json".length);
      return /^[0-9a-f]+$/.test(version) ? [version] : [];
    });
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(this.binDir).catch(() => [])) {
      if (!name.endsWith(".tmp") && !(name.startsWith(".") && name.endsWith(".new"))) continue;
      const path = join(this.binDir, name);
      const found = await lstat(path).catch(() => undefined);
      if (found && Date.now() - found.mtimeMs > ABANDONED_MS) await rm(path, { force: true, recursive: true });
    }
  }

  /** A link within the worker's folder is somebody's taste; one that leads out of it would have us write and delete there. */
  #check(): void {
    if (isOwnDirectory(this.binDir, this.#dir)) return;
    const found = lstatSync(this.binDir, { throwIfNoEntry: false });
    const target = realpathOf(this.binDir) ?? "nothing";
    const reason = found?.isSymbolicLink() ? `a link to ${target}` : found ? "no folder" : "not there";
    throw new WarrenError(
      "BIN_REFUSED",
      `${this.binDir} is ${reason}; artefacts go into a folder of the worker's own.`,
      {
        fix: `rm ${quoteWord(this.binDir)} && mkdir ${quoteWord(this.binDir)}`,
      },
    );
  }
}

function isOwnDirectory(binDir: string, dir: string): boolean {
  const found = lstatSync(binDir, { throwIfNoEntry: false });
  if (!found?.isSymbolicLink()) return found?.isDirectory() ?? false;
  const target = realpathOf(binDir);
  return target?.startsWith(realpathSync(dir) + sep) === true && lstatSync(target).isDirectory();
}

function realpathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function unwritable(dir: string, error: unknown): unknown {
  if (error instanceof WarrenError) return error;
  const isFull = systemCode(error) === "ENOSPC" || systemCode(error) === "EDQUOT";
  const reason = isFull ? "the disk is full" : messageOf(error);
  const fix = isFull ? `df -h ${quoteWord(dir)}` : `ls -ld ${quoteWord(dir)}`;
  return new WarrenError("BIN_UNWRITABLE", `The artefact cannot be written to ${dir}: ${reason}.`, {
    fix,
    cause: error,
  });
}
