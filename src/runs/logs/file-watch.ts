import { type FSWatcher, watch } from "node:fs";

/**
 * Tells that one of some files may have changed. By inotify; a file that cannot be watched (not there yet, no watch left) is looked for again at
 * every poll, so `next` returns at least every POLL_MS as long as one is unwatched, and every SAFETY_POLL_MS otherwise (some file systems accept a
 * watch and never report).
 */

const POLL_MS = 100;
const SAFETY_POLL_MS = 1_000;

export class FileWatch implements Disposable {
  readonly #watchers = new Map<string, FSWatcher | undefined>();
  #changed = false;
  #wake: (() => void) | undefined;

  constructor(paths: readonly string[]) {
    for (const path of paths) this.#watchers.set(path, undefined);
    this.#arm();
  }

  /** Call before looking at the files: a change from now on makes the following `next` return at once. */
  reset(): void {
    this.#changed = false;
  }

  /** Resolves on a change, on `touch`, or at the next poll. */
  async next(): Promise<void> {
    if (this.#changed) return;
    const isWatched = this.#arm();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, isWatched ? SAFETY_POLL_MS : POLL_MS);
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }

  /** As if a file had changed. */
  touch(): void {
    this.#changed = true;
    this.#wake?.();
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher?.close();
    this.#watchers.clear();
    this.touch();
  }

  /** True when every file is watched. */
  #arm(): boolean {
    let isWatched = true;
    for (const [path, watcher] of this.#watchers) {
      if (watcher !== undefined) continue;
      try {
        this.#watchers.set(path, this.#watch(path));
      } catch {
        isWatched = false;
      }
    }
    return isWatched;
  }

  #watch(path: string): FSWatcher {
    const watcher = watch(path, (event) => {
      // Renamed or removed: what has the name from now on is another file.
      if (event === "rename") this.#drop(path, watcher);
      this.touch();
    });
    watcher.on("error", () => this.#drop(path, watcher));
    return watcher;
  }

  #drop(path: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(path) === watcher) this.#watchers.set(path, undefined);
  }
}
