import type { watch } from "node:fs";
import { dirname, join } from "node:path";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { DirectoryWatches, type OnDirectoryEvent } from "../../platform/directory-watches.ts";
import { statOrUndefined } from "../../platform/stat.ts";
import { messageOf } from "../../protocol/errors.ts";
import type { WatchedSources } from "../../protocol/front-messages.ts";
import { isInside, type Look, type WorkerSources } from "./worker-sources.ts";

/**
 * Tells which workers' sources change.
 *
 * 1. `onTouched` is called in the very tick in which the system tells of something that may be a change.
 * 2. For each `onTouched` there is an `onSettled` of that change or a later one, once it has been quiet for QUIET_MS, at the latest BOUND_MS after it: which
 *    version the sources are. The same as before means that nothing is different after all. Where all signs are of one file, which is there and
 *    not empty, QUIET_ONE_MS of quiet are enough: that is how a person saves. What comes after that is another `onTouched`, and is waited for in its turn.
 * 3. A directory is watched before it is read, and what was found is told after. So what comes later than a look is told by another `onTouched`.
 * 4. Others who watch too may say what they saw: it is treated as if the system had told.
 * 5. Where the system does not tell (no watch left, or too much at once), everything concerned is looked at every `pollMs`, and that is said.
 */
export interface SourceWatchOptions {
  /** `change` numbers a worker's signs, upwards from 1. */
  onTouched: (worker: string, change: number) => void;
  /** As of that change; 0: of none. */
  onSettled: (worker: string, settled: Look & { change: number }) => void;
  /** Which files are watched for; told before the first look at them ends, and whenever that is different. */
  onWatching?: (worker: string, watched: WatchedSources) => void;
  /** Directories cannot be watched: why. */
  onDegraded?: (reason: string) => void;
  /** The sources could not be looked at; they are again at the next sign. */
  onError?: (worker: string, message: string) => void;
  clock?: Clock;
  pollMs?: number;
  /** For tests that let it fail. */
  watch?: typeof watch;
}

const QUIET_MS = 50;
/** Editors that empty a file and write it, or put another in its place, do so within a few milliseconds. */
const QUIET_ONE_MS = 20;
const BOUND_MS = 500;
const POLL_MS = 250;
/** The kernel holds 16,384 events (fs.inotify.max_queued_events) and drops the others without our being told; from this many on all is looked at. */
const BURST_EVENTS_MAX = 4_096;

const NOTHING: WatchedSources = { dirs: [], files: [], names: "", noFolders: "", apart: [] };

interface Touched {
  firstMs: number;
  lastMs: number;
  /** What the signs are of, as far as that is known; somebody else's are told by the system too. */
  files: Set<string>;
  /** Some are of a directory, or of nobody knows what. */
  isVague: boolean;
}

interface Follow {
  sources: WorkerSources;
  change: number;
  /** Since when, and until when last, something is told that was not looked at yet; monotonic milliseconds. */
  touched: Touched | undefined;
  cancelTimer: (() => void) | undefined;
  looking: Promise<Look | undefined> | undefined;
  /** Of the last `onSettled`. */
  version: string | undefined;
  dirs: Set<string>;
  onEvent: OnDirectoryEvent;
  /** As told last, in JSON. */
  watched: string;
  /** Who wait for a look that begins from now on. */
  waiting: PromiseWithResolvers<void>[];
}

export class SourceWatch {
  readonly #options: SourceWatchOptions;
  readonly #clock: Clock;
  readonly #watches: DirectoryWatches;
  readonly #follows = new Map<string, Follow>();
  #burstCount = 0;
  #cancelPoll: (() => void) | undefined;
  #isClosed = false;

  constructor(options: SourceWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#watches = new DirectoryWatches({
      ...(options.watch === undefined ? {} : { watch: options.watch }),
      onUnwatched: (reason) => this.#degrade(reason),
    });
  }

  /** Resolves with what the sources are now; from then on changes are told. Takes the place of a worker of that name. */
  async add(sources: WorkerSources): Promise<Look> {
    this.remove(sources.name);
    const follow: Follow = {
      sources,
      change: 0,
      touched: undefined,
      cancelTimer: undefined,
      looking: undefined,
      version: undefined,
      dirs: new Set(),
      onEvent: (event) => this.#hear(follow, event),
      watched: "",
      waiting: [],
    };
    this.#follows.set(sources.name, follow);
    sources.follow({
      onSuspect: () => this.#touch(follow),
      onLearned: () => void this.#compare(follow),
    });
    const look = await this.#look(follow);
    follow.version = look.version;
    return look;
  }

  remove(worker: string): void {
    const follow = this.#follows.get(worker);
    if (!follow) return;
    this.#follows.delete(worker);
    follow.sources.follow(undefined);
    follow.cancelTimer?.();
    for (const dir of follow.dirs) this.#watches.remove(dir, follow);
    for (const { resolve } of follow.waiting) resolve();
    this.#tellWatched(follow, NOTHING);
  }

  /** Somebody else has seen a sign. Resolves when what was looked at after it has been told by `onSettled`, or nobody is interested any more. */
  touch(worker: string): Promise<void> {
    const follow = this.#follows.get(worker);
    if (!follow) return Promise.resolve();
    const waiting = Promise.withResolvers<void>();
    follow.waiting.push(waiting);
    this.#touch(follow, []);
    return waiting.promise;
  }

  /** Looks now, whatever was told; answers by `onSettled`, and resolves afterwards. */
  async look(worker: string): Promise<void> {
    const follow = this.#follows.get(worker);
    if (follow) await this.#settle(follow);
  }

  close(): void {
    this.#isClosed = true;
    for (const worker of [...this.#follows.keys()]) this.remove(worker);
    this.#cancelPoll?.();
    this.#watches.close();
  }

  #hear(follow: Follow, { dir, name, isRename }: Parameters<OnDirectoryEvent>[0]): void {
    this.#burstCount += 1;
    if (name === undefined) return this.#touch(follow);
    const path = join(dir, name);
    if (follow.sources.concerns(path)) this.#touch(follow, [path]);
    else if (isRename && this.#isDirectoryOf(follow, path)) this.#touch(follow);
  }

  /** A directory that came, went, or is another by now: one of ours, or one above what matters. */
  #isDirectoryOf({ sources, dirs }: Follow, path: string): boolean {
    if (dirs.has(path)) return true;
    if ([...sources.roots, ...sources.outsiders].some((wanted) => isInside(wanted, path))) return true;
    return sources.isSourceDir(path) && (statOrUndefined(path)?.isDirectory() ?? false);
  }

  /** `files`: undefined where it is not known what has changed. */
  #touch(follow: Follow, files?: readonly string[]): void {
    if (this.#follows.get(follow.sources.name) !== follow) return;
    const nowMs = this.#clock.monotonicMs();
    const isFirst = follow.touched === undefined;
    const touched = follow.touched ?? { firstMs: nowMs, lastMs: nowMs, files: new Set(), isVague: false };
    follow.touched = touched;
    touched.lastMs = nowMs;
    if (files === undefined) touched.isVague = true;
    else for (const file of files) touched.files.add(file);
    if (!isFirst) return;
    follow.change += 1;
    this.#wait(follow, QUIET_ONE_MS);
    this.#options.onTouched(follow.sources.name, follow.change);
  }

  #wait(follow: Follow, delayMs: number): void {
    follow.cancelTimer?.();
    follow.cancelTimer = this.#clock.timer(delayMs, () => this.#quiet(follow));
  }

  #quiet(follow: Follow): void {
    const { touched } = follow;
    if (!touched) return;
    const nowMs = this.#clock.monotonicMs();
    const atMs = Math.min(touched.lastMs + quietMsOf(touched), touched.firstMs + BOUND_MS);
    if (nowMs < atMs) return this.#wait(follow, atMs - nowMs);
    void this.#settle(follow);
  }

  async #settle(follow: Follow): Promise<void> {
    if (this.#burstCount > BURST_EVENTS_MAX) for (const other of this.#follows.values()) this.#touch(other);
    this.#burstCount = 0;
    // One look at a time; one that has begun may have missed this.
    while (follow.looking) await follow.looking;
    follow.cancelTimer?.();
    follow.touched = undefined;
    const { change } = follow;
    const waiting = follow.waiting.splice(0);
    const look = await this.#tryLook(follow);
    if (look && this.#follows.get(follow.sources.name) === follow) {
      follow.version = look.version;
      this.#options.onSettled(follow.sources.name, { ...look, change });
    }
    for (const { resolve } of waiting) resolve();
  }

  /** Looks without a sign; what is different is treated as one. */
  async #compare(follow: Follow): Promise<void> {
    while (follow.looking) await follow.looking;
    if (this.#follows.get(follow.sources.name) !== follow) return;
    const look = await this.#tryLook(follow);
    if (look && follow.version !== undefined && look.version !== follow.version) this.#touch(follow);
  }

  async #tryLook(follow: Follow): Promise<Look | undefined> {
    try {
      return await this.#look(follow);
    } catch (error) {
      this.#options.onError?.(follow.sources.name, messageOf(error));
      return undefined;
    }
  }

  async #look(follow: Follow): Promise<Look> {
    const looking = this.#armAndLook(follow);
    const settled = looking.catch(() => undefined);
    follow.looking = settled;
    try {
      return await looking;
    } finally {
      if (follow.looking === settled) follow.looking = undefined;
    }
  }

  async #armAndLook(follow: Follow): Promise<Look> {
    const { sources } = follow;
    const dirs = new Set<string>();
    const isOver = (): boolean => this.#isClosed || this.#follows.get(sources.name) !== follow;
    const arm = (dir: string): void => {
      if (isOver()) return;
      dirs.add(dir);
      this.#watches.add(dir, follow, follow.onEvent);
      follow.dirs.add(dir);
    };
    for (const dir of isOver() ? [] : anchorsOf(sources))
      for (const there of this.#watches.addNearest(dir, follow, follow.onEvent)) arm(there);
    const look = await sources.look(arm);
    for (const dir of follow.dirs) {
      if (dirs.has(dir)) continue;
      this.#watches.remove(dir, follow);
      follow.dirs.delete(dir);
    }
    if (this.#follows.get(sources.name) === follow)
      this.#tellWatched(follow, { dirs: [...dirs], files: sources.known, ...sources.patterns });
    return look;
  }

  #tellWatched(follow: Follow, watched: WatchedSources): void {
    const key = JSON.stringify(watched);
    if (key === follow.watched) return;
    follow.watched = key;
    this.#options.onWatching?.(follow.sources.name, watched);
  }

  #degrade(reason: string): void {
    if (this.#isClosed || this.#cancelPoll) return;
    this.#options.onDegraded?.(reason);
    this.#schedulePoll();
  }

  #schedulePoll(): void {
    this.#cancelPoll = this.#clock.timer(this.#options.pollMs ?? POLL_MS, () => void this.#poll());
  }

  /** Each look tries to watch what it could not before. */
  async #poll(): Promise<void> {
    for (const follow of this.#follows.values()) if (this.#watches.isBlind(follow)) await this.#compare(follow);
    if (this.#isClosed) return;
    this.#cancelPoll = undefined;
    if (this.#watches.isAnyBlind) this.#schedulePoll();
  }
}

/** Not emptied to be written, nor taken away to be replaced. */
function hasContent(path: string): boolean {
  const found = statOrUndefined(path);
  return found?.isFile() === true && found.size > 0;
}

/** Directories around the sources: where a root is made again, and where single files lie. */
const anchorsOf = (sources: WorkerSources): Set<string> =>
  new Set([...sources.roots, ...sources.outsiders].map((path) => dirname(path)));

function quietMsOf({ files, isVague }: Touched): number {
  const [file, ...others] = files;
  const isOneSave = !isVague && file !== undefined && others.length === 0 && hasContent(file);
  return isOneSave ? QUIET_ONE_MS : QUIET_MS;
}
