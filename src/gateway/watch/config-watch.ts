import type { watch } from "node:fs";
import { dirname, join } from "node:path";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { DirectoryWatches, type OnDirectoryEvent } from "../../platform/directory-watches.ts";
import { PASSING } from "./source-names.ts";

/**
 * Tells when the files that a configuration was read from may say something else: when one of them, or what a watched folder holds, changes, comes or goes.
 * What is not there yet is waited for in the nearest folder above it that is.
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
    this.#paths = paths;
    // Above each first: it may come before what is above it is watched.
    const dirs = new Set(paths.flatMap((path) => this.#watches.addNearest(dirname(path), this, this.#hear)));
    for (const path of paths) if (this.#watches.add(path, this, this.#hear)) dirs.add(path);
    for (const dir of this.#dirs) if (!dirs.has(dir)) this.#watches.remove(dir, this);
    this.#dirs = dirs;
  }

  close(): void {
    this.#cancelTimer();
    this.#watches.close();
  }

  readonly #hear: OnDirectoryEvent = ({ dir, name }) => {
    if (name !== undefined && (PASSING.test(name) || !this.#concerns(dir, join(dir, name)))) return;
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.timer(this.#options.quietMs ?? QUIET_MS, () => this.#options.onChange());
  };

  #concerns(dir: string, path: string): boolean {
    return this.#paths.some((one) => one === path || one === dir || one.startsWith(`${path}/`));
  }
}
