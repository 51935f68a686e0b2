import type { watch } from "node:fs";
import { basename, join } from "node:path";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { DirectoryWatches, type OnDirectoryEvent } from "../../platform/directory-watches.ts";
import { statOrUndefined } from "../../platform/stat.ts";
import type { WatchedSources } from "../../protocol/front-messages.ts";

/**
 * Signs that a worker's sources may have changed, seen in the loop in which requests are taken: a change that came before a request is seen before it, however
 * late both are. What it means the server finds out; until it has said so, the sign is unseen.
 *
 * 1. Each sign has a number, upwards from 1 among all workers. `seen` of one is said when the server has looked at what was there after it.
 * 2. A folder that is watched from now on gives a sign: what came into it meanwhile was told to nobody.
 * 3. A server that does not answer holds nobody for ever: a sign is given up after `SEEN_MAX_MS`.
 * 4. What a server followed is followed for so long after its end as well: the next one is told what is unseen by then. What none takes up is forgotten.
 */
export interface SourceSignsOptions {
  /** A worker has an unseen sign from now on: in the very tick in which the system tells of something. */
  onUnseen: (worker: string) => void;
  /** What the server is to be told: once for all that the system tells at a time. */
  onSign: (worker: string, sign: number) => void;
  /** It has none any more. */
  onClear: (worker: string) => void;
  /** Folders cannot be watched: the server still does. */
  onUnwatched?: (reason: string) => void;
  clock?: Clock;
  /** For tests that let it fail. */
  watch?: typeof watch;
}

/** From here on the server holds the worker itself, if it lives. */
const SEEN_MAX_MS = 10_000;

interface Followed {
  worker: string;
  dirs: Set<string>;
  files: ReadonlySet<string>;
  names: RegExp;
  noFolders: RegExp;
  apart: ReadonlySet<string>;
  onEvent: OnDirectoryEvent;
}

interface Unseen {
  sign: number;
  /** The server is about to be told of it. */
  telling: NodeJS.Immediate | undefined;
  cancelTimer: () => void;
}

export class SourceSigns {
  readonly #options: SourceSignsOptions;
  readonly #clock: Clock;
  readonly #watches: DirectoryWatches;
  readonly #followed = new Map<string, Followed>();
  readonly #unseen = new Map<string, Unseen>();
  /** Workers that no server has taken up since the last one went. */
  readonly #orphans = new Set<string>();
  #cancelOrphans = (): void => {};
  #sign = 0;

  constructor(options: SourceSignsOptions) {
    const { onUnwatched, watch: open } = options;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#watches = new DirectoryWatches({
      ...(onUnwatched === undefined ? {} : { onUnwatched }),
      ...(open === undefined ? {} : { watch: open }),
    });
  }

  isUnseen(worker: string): boolean {
    return this.#unseen.has(worker);
  }

  /** In the place of what was followed of that worker. */
  follow(worker: string, { dirs, files, names, noFolders, apart }: WatchedSources): void {
    if (dirs.length === 0) return this.#forget(worker);
    this.#orphans.delete(worker);
    const before = this.#followed.get(worker);
    const followed: Followed = before ?? {
      worker,
      dirs: new Set(),
      files: new Set(),
      names: /^/,
      noFolders: /^/,
      apart: new Set(),
      onEvent: (event) => this.#hear(followed, event),
    };
    this.#followed.set(worker, followed);
    followed.files = new Set(files);
    followed.names = new RegExp(names);
    followed.noFolders = new RegExp(noFolders);
    followed.apart = new Set(apart);
    const wanted = new Set(dirs);
    for (const dir of followed.dirs) if (!wanted.has(dir)) this.#watches.remove(dir, followed);
    const isGrown = dirs.some((dir) => !followed.dirs.has(dir));
    for (const dir of dirs) this.#watches.add(dir, followed, followed.onEvent);
    followed.dirs = wanted;
    // Who was told of an unseen one may be there no more.
    if (before && (isGrown || this.isUnseen(worker))) this.#give(worker);
  }

  /** The server has looked at what was there after this sign, and has said what follows. */
  seen(worker: string, sign: number): void {
    const unseen = this.#unseen.get(worker);
    if (unseen && sign >= unseen.sign) this.#clear(worker);
  }

  /** The last server has gone: one that was killed has a successor within moments. */
  alone(): void {
    this.#cancelOrphans();
    for (const worker of this.#followed.keys()) this.#orphans.add(worker);
    this.#cancelOrphans = this.#clock.timer(SEEN_MAX_MS, () => {
      for (const worker of [...this.#orphans]) this.#forget(worker);
    });
  }

  /** It ends. */
  forgetAll(): void {
    this.#cancelOrphans();
    for (const worker of [...this.#followed.keys()]) this.#forget(worker);
  }

  #hear(followed: Followed, { dir, name, isRename }: Parameters<OnDirectoryEvent>[0]): void {
    if (name === undefined) return this.#give(followed.worker);
    const path = join(dir, name);
    if (followed.files.has(path) || (isRename && isOther(followed, path))) this.#give(followed.worker);
  }

  #give(worker: string): void {
    const before = this.#unseen.get(worker);
    if (before?.telling) return;
    before?.cancelTimer();
    const unseen: Unseen = {
      sign: ++this.#sign,
      telling: setImmediate(() => {
        unseen.telling = undefined;
        this.#options.onSign(worker, unseen.sign);
      }),
      cancelTimer: this.#clock.timer(SEEN_MAX_MS, () => this.#clear(worker)),
    };
    this.#unseen.set(worker, unseen);
    if (!before) this.#options.onUnseen(worker);
  }

  #clear(worker: string): void {
    const unseen = this.#unseen.get(worker);
    if (!unseen) return;
    unseen.cancelTimer();
    clearImmediate(unseen.telling);
    this.#unseen.delete(worker);
    this.#options.onClear(worker);
  }

  #forget(worker: string): void {
    const followed = this.#followed.get(worker);
    this.#followed.delete(worker);
    this.#orphans.delete(worker);
    for (const dir of followed?.dirs ?? []) this.#watches.remove(dir, followed!);
    this.#clear(worker);
  }
}

/** A source file that comes or goes, or a folder. */
function isOther({ dirs, names, noFolders, apart }: Followed, path: string): boolean {
  const name = basename(path);
  if (dirs.has(path) || names.test(name)) return true;
  return !noFolders.test(name) && !apart.has(path) && (statOrUndefined(path)?.isDirectory() ?? false);
}
