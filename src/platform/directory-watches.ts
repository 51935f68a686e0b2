import { type BigIntStats, type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { systemCode } from "../protocol/errors.ts";
import { exactStatOrUndefined } from "./stat.ts";

/**
 * One inotify watch for each directory (inotify(7)), however many are interested in it. Not recursive: who is interested in what is below watches each.
 *
 * A directory that was removed and made again has another watch, also under the inode number of before: from the moment that the system tells of its end, or
 * `add` is called again. Where the system gives no watch (ENOSPC: the user's
 * are used up; EMFILE) the directory is in `unwatched`, and who is interested has to look.
 */
export type OnDirectoryEvent = (event: { dir: string; name: string | undefined; isRename: boolean }) => void;

/** A file system gives the inode number of what is gone to the next that is made. */
type Identity = Pick<BigIntStats, "ino" | "birthtimeNs">;

interface Watched {
  watcher: FSWatcher;
  /** Of the directory that is watched; undefined once that has gone from its place. */
  identity: Identity | undefined;
  listeners: Map<object, OnDirectoryEvent>;
}

export interface DirectoryWatchesOptions {
  /** Once for each time that a first directory cannot be watched. */
  onUnwatched?: (reason: string) => void;
  /** For tests that let it fail. */
  watch?: typeof watch;
}

export class DirectoryWatches {
  readonly #watched = new Map<string, Watched>();
  readonly #unwatched = new Map<string, Set<object>>();
  readonly #watch: typeof watch;
  readonly #onUnwatched: (reason: string) => void;

  constructor(options: DirectoryWatchesOptions = {}) {
    this.#watch = options.watch ?? watch;
    this.#onUnwatched = options.onUnwatched ?? (() => {});
  }

  /** Whether this owner is interested in a directory that is not watched. */
  isBlind(owner: object): boolean {
    for (const owners of this.#unwatched.values()) if (owners.has(owner)) return true;
    return false;
  }

  get isAnyBlind(): boolean {
    return this.#unwatched.size > 0;
  }

  /** From now on each change directly in `dir` is told. False: there is no such directory, or no watch. Twice changes nothing. */
  add(dir: string, owner: object, listener: OnDirectoryEvent): boolean {
    const found = directoryAt(dir);
    if (!found) {
      this.remove(dir, owner);
      return false;
    }
    const watched = this.#watched.get(dir);
    if (watched?.identity && isSame(watched.identity, found)) {
      watched.listeners.set(owner, listener);
      return true;
    }
    const listeners = watched?.listeners ?? new Map<object, OnDirectoryEvent>();
    this.#watched.delete(dir);
    const isOpen = this.#open(dir, found, listeners.set(owner, listener));
    watched?.watcher.close(); // afterwards: where both are of the same directory, no event between them is lost
    return isOpen;
  }

  /**
   * The nearest directory at or above `dir` that is there is watched from now on. One below it that comes meanwhile is not passed over: then that one is watched
   * too. Answers with all of them, for `remove`.
   */
  addNearest(dir: string, owner: object, listener: OnDirectoryEvent): string[] {
    const added: string[] = [];
    for (let there = nearestDirectory(dir); added.at(-1) !== there; there = nearestDirectory(dir)) {
      this.add(there, owner, listener);
      added.push(there);
    }
    return added;
  }

  remove(dir: string, owner: object): void {
    this.#forgetUnwatched(dir, owner);
    const watched = this.#watched.get(dir);
    if (!watched) return;
    watched.listeners.delete(owner);
    if (watched.listeners.size > 0) return;
    watched.watcher.close();
    this.#watched.delete(dir);
  }

  close(): void {
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
    this.#unwatched.clear();
  }

  get count(): number {
    return this.#watched.size;
  }

  #open(dir: string, identity: Identity, listeners: Map<object, OnDirectoryEvent>): boolean {
    let watcher: FSWatcher;
    try {
      watcher = this.#watch(dir, { persistent: false });
    } catch (error) {
      if (systemCode(error) !== "ENOENT") this.#noteUnwatched(dir, listeners, systemCode(error) ?? String(error));
      return false;
    }
    for (const owner of listeners.keys()) this.#forgetUnwatched(dir, owner);
    const watched: Watched = { watcher, identity, listeners };
    this.#watched.set(dir, watched);
    watcher.on("change", (type, name) => {
      if (type === "rename" && String(name) === basename(dir)) this.#renew(dir, watched);
      const event = { dir, name: name === null ? undefined : String(name), isRename: type === "rename" };
      for (const listener of [...listeners.values()]) listener(event);
    });
    watcher.on("error", (error) => {
      watcher.close();
      if (this.#watched.get(dir) !== watched) return;
      this.#watched.delete(dir);
      this.#noteUnwatched(dir, listeners, systemCode(error) ?? String(error));
    });
    return true;
  }

  /** The system tells of a directory's own end under its name: the watch is dead. What stands there now has another; where nothing does, `add` opens it. */
  #renew(dir: string, watched: Watched): void {
    if (this.#watched.get(dir) !== watched) return;
    watched.identity = undefined;
    const found = directoryAt(dir);
    if (found) this.#open(dir, found, watched.listeners);
    watched.watcher.close();
  }

  #noteUnwatched(dir: string, listeners: Map<object, OnDirectoryEvent>, reason: string): void {
    const isFirst = this.#unwatched.size === 0;
    this.#unwatched.set(dir, new Set([...(this.#unwatched.get(dir) ?? []), ...listeners.keys()]));
    if (isFirst) this.#onUnwatched(reason);
  }

  #forgetUnwatched(dir: string, owner: object): void {
    const owners = this.#unwatched.get(dir);
    owners?.delete(owner);
    if (owners?.size === 0) this.#unwatched.delete(dir);
  }
}

function directoryAt(dir: string): BigIntStats | undefined {
  const found = exactStatOrUndefined(dir);
  return found?.isDirectory() ? found : undefined;
}

const isSame = (one: Identity, other: Identity): boolean =>
  one.ino === other.ino && one.birthtimeNs === other.birthtimeNs;

function nearestDirectory(dir: string): string {
  let there = dir;
  while (!directoryAt(there) && there !== dirname(there)) there = dirname(there);
  return there;
}
