import { cp, link, lstat, readlink, rename, rm, rmdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readJsonIfExists, writeFileAtomic } from "../../platform/atomic-file.ts";
import { makeDirectories } from "../../platform/directories.ts";
import { systemCode } from "../../protocol/errors.ts";

/**
 * Puts files in their places so that all of it can be taken back.
 *
 * 1. What is replaced or removed has a second name below `before/` first (a hard link: no byte is copied).
 * 2. Then the journal is written, and only then anything is touched. As long as it is there, `undo` leads back, also after a crash in between.
 * 3. Each file and link changes its content in one step: by rename(2).
 */
export interface Changes {
  /** Below `staging`, in the order in which they are put in place. */
  files: readonly string[];
  /** By path: what the link says. After the files. */
  links: Readonly<Record<string, string>>;
  /** Last. */
  removed: readonly string[];
}

interface Journal {
  format: 1;
  /** In the order in which they were changed. */
  changed: { path: string; existed: boolean }[];
}

export class PlacedFiles {
  readonly #dir: string;
  readonly #before: string;
  readonly #journalPath: string;

  /** `dir`: the project's; `stateDir`: on the same file system. */
  constructor({ dir, stateDir }: { dir: string; stateDir: string }) {
    this.#dir = dir;
    this.#before = join(stateDir, "before");
    this.#journalPath = join(stateDir, "journal.json");
  }

  /** Something was begun, and nobody has said that it is to stay. */
  get isOpen(): boolean {
    return this.#journal() !== undefined;
  }

  /** The number of places that have changed. @throws what the disk says; all is as before then */
  async put(staging: string, { files, links, removed }: Changes): Promise<number> {
    const changedFiles = await filterAsync(files, (path) => this.#differs(path, join(staging, path)));
    const changedLinks = await filterAsync(Object.keys(links), async (path) => {
      return (await readlink(this.#at(path)).catch(() => undefined)) !== links[path];
    });
    const gone = await filterAsync(removed, async (path) => (await about(this.#at(path))) !== undefined);
    const early = conflicting(gone, new Set([...files, ...Object.keys(links)]));
    const late = gone.filter((path) => !early.has(path));
    await this.#begin([...early, ...changedFiles, ...changedLinks, ...late]);
    try {
      for (const path of early) await this.#remove(path);
      for (const path of changedFiles) {
        makeDirectories(dirname(this.#at(path)));
        await rename(join(staging, path), this.#at(path));
      }
      for (const path of changedLinks) await this.#link(path, links[path]!);
      for (const path of late) await this.#remove(path);
    } catch (error) {
      await this.undo();
      throw error;
    }
    return early.size + changedFiles.length + changedLinks.length + late.length;
  }

  /** Back to what was before `put`, in the opposite order. Safe to call again. */
  async undo(): Promise<void> {
    for (const { path, existed } of (this.#journal()?.changed ?? []).toReversed()) {
      if (existed) await this.#restore(path);
      else await this.#remove(path);
    }
    await this.keep();
  }

  /** It is to stay. */
  async keep(): Promise<void> {
    await rm(this.#journalPath, { force: true });
    await rm(this.#before, { recursive: true, force: true });
  }

  async #begin(paths: readonly string[]): Promise<void> {
    await rm(this.#before, { recursive: true, force: true });
    const changed: Journal["changed"] = [];
    for (const path of paths) {
      const found = await about(this.#at(path));
      changed.push({ path, existed: found !== undefined });
      if (found) await sameAgain(this.#at(path), join(this.#before, path));
    }
    writeFileAtomic(this.#journalPath, `${JSON.stringify({ format: 1, changed } satisfies Journal)}\n`);
  }

  async #restore(path: string): Promise<void> {
    const saved = join(this.#before, path);
    const temporary = join(dirname(this.#at(path)), TEMPORARY);
    makeDirectories(dirname(this.#at(path)));
    await rm(temporary, { force: true });
    await sameAgain(saved, temporary);
    await rename(temporary, this.#at(path));
    await rm(temporary, { force: true }); // rename(2) does nothing when both names are of one file
  }

  async #link(path: string, target: string): Promise<void> {
    const temporary = join(dirname(this.#at(path)), TEMPORARY);
    makeDirectories(dirname(this.#at(path)));
    await rm(temporary, { force: true });
    await symlink(target, temporary);
    await rename(temporary, this.#at(path));
  }

  /** With the folders that it leaves empty: an empty public/ would be a worker. */
  async #remove(path: string): Promise<void> {
    if (await about(this.#at(path))) await rm(this.#at(path), { force: true });
    for (let at = dirname(path); at !== "."; at = dirname(at)) {
      try {
        await rmdir(this.#at(at));
      } catch {
        return; // something else is in it
      }
    }
  }

  /** By what they are, not by what is in them: rsync gives a file that is the same the same inode. */
  async #differs(path: string, staged: string): Promise<boolean> {
    const [there, next] = await Promise.all([about(this.#at(path)), lstat(staged)]);
    if (there && next.isSymbolicLink() && there.isSymbolicLink())
      return (await readlink(this.#at(path))) !== (await readlink(staged));
    return there?.ino !== next.ino || there.dev !== next.dev;
  }

  #journal(): Journal | undefined {
    const journal = readJsonIfExists<Journal>(this.#journalPath);
    return journal?.format === 1 ? journal : undefined;
  }

  #at(path: string): string {
    return join(this.#dir, path);
  }
}

const TEMPORARY = ".warren-deploy.new~";

/** Of a file or link; a folder has no place of its own here. */
async function about(path: string) {
  try {
    const found = await lstat(path);
    return found.isDirectory() ? undefined : found;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

const isAbsent = (error: unknown): boolean => ["ENOENT", "ENOTDIR"].includes(systemCode(error) ?? "");

/** Another name of the same file; a copy where the file system has no hard links. */
async function sameAgain(from: string, to: string): Promise<void> {
  makeDirectories(dirname(to));
  const found = await lstat(from);
  if (found.isSymbolicLink()) return symlink(await readlink(from), to);
  try {
    await link(from, to);
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "EMLINK", "EXDEV"].includes(systemCode(error) ?? "")) throw error;
    await cp(from, to, { preserveTimestamps: true });
  }
}

/** What stands where a folder is to be, or in a folder where a file is to be, goes first. */
function conflicting(removed: readonly string[], placed: ReadonlySet<string>): Set<string> {
  const foldersOfPlaced = new Set([...placed].flatMap(foldersOf));
  return new Set(
    removed.filter((path) => foldersOfPlaced.has(path) || foldersOf(path).some((folder) => placed.has(folder))),
  );
}

function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let at = dirname(path); at !== "."; at = dirname(at)) folders.push(at);
  return folders;
}

async function filterAsync<T>(items: readonly T[], isWanted: (item: T) => Promise<boolean>): Promise<T[]> {
  const wanted: T[] = [];
  for (const item of items) if (await isWanted(item)) wanted.push(item);
  return wanted;
}
