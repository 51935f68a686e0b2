import type { watch } from "node:fs";
import { dirname, join } from "node:path";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { DirectoryWatches, type OnDirectoryEvent } from "../../platform/directory-watches.ts";
import { PASSING } from "./source-names.ts";

/**
 * Tells when the files that a configuration was read from may say something else: when one of them, or what a watched folder holds, changes, comes or goes.
 * What is not there yet is waited for in the nearest folder above it that is.
 *
 * What to follow is known only by reading it. So what is followed for the first time may be different by now, and is told once as if it were: it is read again,
 * behind the watch. That reading finds the same to follow, and nothing is told of it.
 */
export interface ConfigWatchOptions {
  /** Once it has been quiet for `quietMs`, default 50. */
  onChange: () => void;
  clock?: Clock;
  quietMs?: number;
  watch?: typeof watch;
}

const QUIET_MS = 50;

export class ConfigWatch {
  readonly #options: ConfigWatchOptions;
  readonly #clock: Clock;
  readonly #watches: DirectoryWatches;
  #paths: readonly string[] = [];
  #dirs = new Set<string>();
  #cancelTimer = (): void => {};

  constructor(options: ConfigWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#watches = new DirectoryWatches(options.watch === undefined ? {} : { watch: options.watch });
  }

  /** From now on these, absolute, in the place of those before. */
  follow(paths: readonly string[]): void {
    const known = new Set(this.#paths);
    this.#paths = paths;
    // Above each first: it may come before what is above it is watched.
    const dirs = new Set(paths.flatMap((path) => this.#watches.addNearest(dirname(path), this, this.#hear)));
    for (const path of paths) if (this.#watches.add(path, this, this.#hear)) dirs.add(path);
    const isNew = paths.some((path) => !known.has(path)) || [...dirs].some((dir) => !this.#dirs.has(dir));
    for (const dir of this.#dirs) if (!dirs.has(dir)) this.#watches.remove(dir, this);
    this.#dirs = dirs;
    if (isNew) this.#tellWhenQuiet();
  }

  close(): void {
    this.#cancelTimer();
    this.#watches.close();
  }

  readonly #hear: OnDirectoryEvent = ({ dir, name }) => {
    if (name !== undefined && (PASSING.test(name) || !this.#concerns(dir, join(dir, name)))) return;
    this.#tellWhenQuiet();
  };

  #tellWhenQuiet(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.timer(this.#options.quietMs ?? QUIET_MS, () => this.#options.onChange());
  }

  #concerns(dir: string, path: string): boolean {
    return this.#paths.some((one) => one === path || one === dir || one.startsWith(`${path}/`));
  }
}
