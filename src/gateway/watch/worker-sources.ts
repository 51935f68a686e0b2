import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { systemCode } from "../../protocol/errors.ts";
import type { SourceSpec } from "../build/source-spec.ts";
import { digestOf, FileHashes, type HashesOfFiles } from "./file-hashes.ts";
import { SourceNames } from "./source-names.ts";

/**
 * What a worker is made of now, and which version that is.
 *
 * 1. A version is a hash of everything that may matter: all source files of its folder, what else is known to go into it, its configuration.
 * 2. A build says what did go in. As long as exactly that is unchanged and no file has come or gone, the sources still are that version: an edit of a file
 *    that nothing imports is no change.
 * 3. So going back to what was built before needs no build.
 */
export interface BuiltFrom {
  version: string;
  /** Absolute. */
  inputs: readonly string[];
  /** Hash of the inputs' names and contents as the build saw them, and of how it was to build them. */
  inputsDigest: string;
  /** Hash of the names of all source files at that time. */
  namesDigest: string;
}

export interface Look {
  version: string;
  /** It was built from just this. */
  isBuilt: boolean;
}

/** Whoever watches them. */
export interface SourcesFollower {
  /** There may have been a change that was not told. */
  onSuspect(): void;
  /** Other files than before matter now. */
  onLearned(): void;
}

export interface Listing {
  files: string[];
  namesDigest: string;
}

export interface Survey extends Listing {
  version: string;
}

const VERSION_DIGITS = 12;
/** Of folders below a root: a way out of a tree that has grown without end. */
const DEPTH_MAX = 32;
/** Beside a worker's sources, in its folder and in those above it up to the project's: what says how they are built, and that packages were installed. */
const SURROUNDINGS = ["package.json", "tsconfig.json", join("node_modules", ".package-lock.json")];

export class WorkerSources {
  readonly spec: SourceSpec;
  readonly #hashes: FileHashes;
  readonly #names: SourceNames;
  readonly #surroundings: ReadonlySet<string>;
  /** The newest first. */
  #built: BuiltFrom[] = [];
  #inputs: ReadonlySet<string> | undefined;
  /** The last build has failed: what it would have taken in is not known. */
  #isUnsure = false;
  /** Where it failed, outside of the roots. */
  #failedAt: readonly string[] = [];
  #listed: ReadonlySet<string> = new Set();
  #follower: SourcesFollower | undefined;

  constructor(spec: SourceSpec, hashes: FileHashes = new FileHashes()) {
    this.spec = spec;
    this.#hashes = hashes;
    this.#names = new SourceNames(spec);
    this.#surroundings = new Set(surroundingsOf(spec));
  }

  get name(): string {
    return this.spec.name;
  }

  /** Folders whose whole content may matter. */
  get roots(): string[] {
    return [this.spec.dir, ...(this.spec.sharedDirs ?? [])];
  }

  /** Single files that matter and are no source files of a root: what says how to build, and what the last build has taken from elsewhere. */
  get outsiders(): string[] {
    const inputs = [...(this.#inputs ?? []), ...this.#failedAt].filter((path) => !this.#listed.has(path));
    return [...new Set([...this.#surroundings, ...inputs])];
  }

  /** Files whose every change matters; of others it matters that they come and go. */
  get known(): string[] {
    const inputs = this.#isUnsure || this.#inputs === undefined ? this.#listed : this.#inputs;
    return [...new Set([...inputs, ...this.outsiders])].sort();
  }

  /** By their names alone, for those who do not know what is there. */
  get patterns(): { names: string; noFolders: string; apart: string[] } {
    const { filePattern, noFolderPattern, apart } = this.#names;
    return { names: filePattern, noFolders: noFolderPattern, apart };
  }

  /**
   * Which version the sources are. `onDir` is called with each folder before it is read, so that who watches it from there on misses nothing.
   * A source that changes meanwhile gives some version: look again after it has told.
   */
  async look(onDir: (dir: string) => void = () => {}): Promise<Look> {
    const listing = await this.#list(onDir);
    const hashes = this.#hashes.asOfNow();
    for (const built of this.#built) {
      if (built.namesDigest !== listing.namesDigest) continue;
      if ((await this.inputsDigest(built.inputs, hashes)) === built.inputsDigest)
        return { version: built.version, isBuilt: true };
    }
    return { version: await this.#versionOf(listing, hashes), isBuilt: false };
  }

  /** The source files of the roots, and what `look` would say if nothing were known of any build. */
  async survey(): Promise<Survey> {
    const listing = await this.#list(() => {});
    return { ...listing, version: await this.#versionOf(listing) };
  }

  /** Of the inputs, and of how they are built: the same files under another configuration are another version. */
  async inputsDigest(inputs: readonly string[], hashes: HashesOfFiles = this.#hashes): Promise<string> {
    const content = await hashes.ofAll([...inputs, ...this.#surroundings], (path) => this.#nameOf(path));
    return digestOf([content, ...this.#how]);
  }

  /** Of a build, the newest last: its inputs are what matters from now on. */
  learn(built: BuiltFrom): void {
    this.#built = [built, ...this.#built.filter(({ version }) => version !== built.version)];
    this.#inputs = new Set(built.inputs);
    this.#isUnsure = false;
    this.#failedAt = [];
    this.#follower?.onLearned();
  }

  /** A build has failed at these files: until one succeeds, every source file may be what mends it. */
  learnFailure(paths: readonly string[]): void {
    this.#isUnsure = true;
    this.#failedAt = paths;
    this.#follower?.onLearned();
  }

  /** Its artefact is gone. */
  forget(versions: ReadonlySet<string>): void {
    this.#built = this.#built.filter(({ version }) => !versions.has(version));
  }

  /** Whether an event at this path can be a change. Wrong only to the side of yes. */
  concerns(path: string): boolean {
    if (this.#inputs?.has(path) || this.#failedAt.includes(path)) return true;
    if (this.#surroundings.has(path)) return true;
    if (!this.#names.isSourceFile(path) || !this.roots.some((root) => isInside(path, root))) return false;
    // Of those that no build has taken in, only that they come and go.
    return this.#isUnsure || this.#inputs === undefined || this.#listed.has(path) !== existsSync(path);
  }

  isSourceDir(path: string): boolean {
    return (
      this.roots.some((root) => isInside(path, root)) && (this.roots.includes(path) || this.#names.isSourceDir(path))
    );
  }

  /** What we know may be behind. */
  suspect(): void {
    this.#follower?.onSuspect();
  }

  follow(follower: SourcesFollower | undefined): void {
    this.#follower = follower;
  }

  async #versionOf({ files }: Listing, hashes: HashesOfFiles = this.#hashes): Promise<string> {
    const content = await hashes.ofAll([...files, ...this.outsiders], (path) => this.#nameOf(path));
    return digestOf([content, ...this.#how]).slice(0, VERSION_DIGITS);
  }

  get #how(): string[] {
    const { program, configText = "" } = this.spec;
    const how = program.kind === "node" ? this.#nameOf(program.entry) : JSON.stringify(program.build ?? null);
    return [program.kind, how, configText];
  }

  async #list(onDir: (dir: string) => void): Promise<Listing> {
    const files: string[] = [];
    const visit = async (dir: string, depth: number): Promise<void> => {
      onDir(dir);
      const entries = await entriesOf(dir);
      if (entries === undefined) return;
      const below: Promise<void>[] = [];
      for (const entry of entries) {
        const path = join(dir, entry.name);
        if (entry.isDirectory()) {
          if (depth < DEPTH_MAX && this.#names.isSourceDir(path)) below.push(visit(path, depth + 1));
        } else if (this.#names.isSourceFile(path)) files.push(path);
      }
      await Promise.all(below);
    };
    await Promise.all(this.roots.map((root) => visit(root, 0)));
    files.sort();
    this.#listed = new Set(files);
    return { files, namesDigest: digestOf(files.map((path) => this.#nameOf(path))) };
  }

  /** The same wherever the project lies. */
  #nameOf(path: string): string {
    return relative(this.spec.projectDir, path);
  }
}

export const isInside = (path: string, dir: string): boolean => path === dir || path.startsWith(dir + sep);

function surroundingsOf({ dir, projectDir, program }: SourceSpec): string[] {
  if (program.kind === "command") return [];
  const dirs: string[] = [];
  for (let at = dir; ; at = dirname(at)) {
    dirs.push(at);
    if (at === projectDir || at === dirname(at) || !isInside(at, projectDir)) break;
  }
  return dirs.flatMap((at) => SURROUNDINGS.map((name) => join(at, name)));
}

async function entriesOf(dir: string) {
  try {
    return await readdir(dir, { withFileTypes: true });
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES"].includes(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}
