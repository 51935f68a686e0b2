import { readdirSync, type watch } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { DirectoryWatches, type OnDirectoryEvent } from "../../platform/directory-watches.ts";
import { statOrUndefined } from "../../platform/stat.ts";
import { PASSING } from "./source-names.ts";

/**
 * Tells of files that are served as they are. Nothing is built of them; the browsers that show them are told. Style sheets are told apart, since they can be
 * taken in without loading the page again. A folder that is not there yet is waited for.
 */
export interface AssetWatchOptions {
  /** Once it has been quiet for QUIET_MS. `key`: as it was added. */
  onAssets: (key: string, changed: AssetChange) => void;
  clock?: Clock;
  watch?: typeof watch;
}

/** Paths below the folder, beginning with a slash; files that are gone too. */
export interface AssetChange {
  css: string[];
  others: string[];
}

const QUIET_MS = 50;
const DEPTH_MAX = 32;

interface Folder {
  key: string;
  root: string;
  dirs: Set<string>;
  /** Of files that were told of: size and modification time. */
  seen: Map<string, string>;
  changed: Set<string>;
  cancelTimer: (() => void) | undefined;
  onEvent: OnDirectoryEvent;
}

export class AssetWatch {
  readonly #options: AssetWatchOptions;
  readonly #clock: Clock;
  readonly #watches: DirectoryWatches;
  readonly #folders = new Map<string, Folder>();

  constructor(options: AssetWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#watches = new DirectoryWatches(options.watch === undefined ? {} : { watch: options.watch });
  }

  /** Roots by key, in the place of those before; what is followed already goes on, with what it is about to tell. */
  follow(roots: ReadonlyMap<string, string>): void {
    for (const [key, { root }] of this.#folders) if (roots.get(key) !== root) this.remove(key);
    for (const [key, root] of roots) if (!this.#folders.has(key)) this.add(key, root);
  }

  /** `root`: absolute. Takes the place of what had that key. */
  add(key: string, root: string): void {
    this.remove(key);
    const folder: Folder = {
      key,
      root,
      dirs: new Set(),
      seen: new Map(),
      changed: new Set(),
      cancelTimer: undefined,
      onEvent: (event) => this.#hear(folder, event),
    };
    this.#folders.set(key, folder);
    this.#arm(folder, root, (path, signature) => folder.seen.set(path, signature));
  }

  remove(key: string): void {
    const folder = this.#folders.get(key);
    if (!folder) return;
    this.#folders.delete(key);
    folder.cancelTimer?.();
    for (const dir of folder.dirs) this.#watches.remove(dir, folder);
  }

  close(): void {
    for (const key of [...this.#folders.keys()]) this.remove(key);
    this.#watches.close();
  }

  #hear(folder: Folder, { dir, name, isRename }: Parameters<OnDirectoryEvent>[0]): void {
    if (name === undefined || name.startsWith(".") || PASSING.test(name)) return;
    const path = join(dir, name);
    const isAbove = folder.root === path || folder.root.startsWith(`${path}/`);
    if (!isAbove && !path.startsWith(`${folder.root}/`)) return;
    if (isRename && (isAbove || folder.dirs.has(path) || isDirectory(path))) {
      // What is in it by now was not told of.
      this.#arm(folder, isAbove ? folder.root : path, (file, signature) => this.#note(folder, file, signature));
      for (const file of folder.seen.keys()) if (isAbove || file.startsWith(`${path}/`)) this.#look(folder, file);
      return;
    }
    this.#look(folder, path);
  }

  #look(folder: Folder, path: string): void {
    const signature = signatureOf(path);
    if (signature === undefined && !folder.seen.has(path)) return;
    this.#note(folder, path, signature ?? "gone");
    if (signature === undefined) folder.seen.delete(path);
  }

  #note(folder: Folder, path: string, signature: string): void {
    if (folder.seen.get(path) === signature) return;
    folder.seen.set(path, signature);
    folder.changed.add(path);
    folder.cancelTimer?.();
    folder.cancelTimer = this.#clock.timer(QUIET_MS, () => this.#tell(folder));
  }

  #tell(folder: Folder): void {
    const paths = [...folder.changed].map((path) => `/${relative(folder.root, path)}`).sort();
    folder.changed.clear();
    const isCss = (path: string) => extname(path) === ".css";
    this.#options.onAssets(folder.key, { css: paths.filter(isCss), others: paths.filter((path) => !isCss(path)) });
  }

  /** First the watch, then what is there: nothing falls between. */
  #arm(folder: Folder, dir: string, onFile: (path: string, signature: string) => void, depth = 0): void {
    // Above the root first: it may come before what is above it is watched.
    if (dir === folder.root) this.#armAbove(folder);
    const isThere = this.#watches.add(dir, folder, folder.onEvent);
    folder.dirs.add(dir);
    if (!isThere || depth > DEPTH_MAX) return;
    for (const entry of entriesOf(dir)) {
      if (entry.name.startsWith(".") || PASSING.test(entry.name)) continue;
      const path = join(dir, entry.name);
      if (entry.isDirectory()) this.#arm(folder, path, onFile, depth + 1);
      else {
        const signature = signatureOf(path);
        if (signature !== undefined) onFile(path, signature);
      }
    }
  }

  #armAbove(folder: Folder): void {
    for (const dir of this.#watches.addNearest(dirname(folder.root), folder, folder.onEvent)) folder.dirs.add(dir);
  }
}

const isDirectory = (path: string): boolean => statOrUndefined(path)?.isDirectory() ?? false;

function entriesOf(dir: string) {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch {
    return []; // gone again
  }
}

function signatureOf(path: string): string | undefined {
  const found = statOrUndefined(path);
  return found?.isFile() ? `${found.ino}/${found.size}/${found.mtimeMs}` : undefined;
}
