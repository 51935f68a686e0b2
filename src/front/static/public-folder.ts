import {
  closeSync,
  constants,
  fstatSync,
  opendirSync,
  openSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { systemCode } from "../../protocol/errors.ts";
import { fileSegments, isServedPath, isWorkersOwn } from "./file-path.ts";

/**
 * One public folder: which of its files a path names, and no way out of it. A symlink is followed and then looked at where it led: what was opened has to lie
 * in the folder, by the name that the kernel has for the descriptor, so nothing that is exchanged between a look and an opening leads elsewhere.
 *
 * A request for a worker's program pays next to nothing: the names at the folder's top are known, and a path whose first segment is not among them is no file.
 * They are looked up again when the folder's own time has changed, which is looked at on demand, at most every 10 ms; no watcher, so it holds as well for a
 * folder that is not there yet, is exchanged as a whole, or lies where inotify is blind.
 *
 * These looks are synchronous: two microseconds where the kernel has them in memory, when a turn through the thread pool costs fifty. Large files are read
 * elsewhere, asynchronously (file-answer.ts).
 */
export interface FoundFile {
  kind: "file";
  /** The caller closes it. */
  fd: number;
  stats: Stats;
  name: string;
}
/** A folder with an `index.html`, asked for without the ending slash that its relative links need. */
export interface FoundFolder {
  kind: "folder";
}

const CHECK_MS = 10;
/** A folder's time has the kernel's tick, 10 ms at most: a change within the tick of our look would not be seen by it. */
const YOUNG_MS = 100;
/** A folder with more names is asked each time. */
const NAMES_MAX = 10_000;
const INDEX = "index.html";
const CONFIGURATIONS = ["worker.yaml", "worker.yml", "config/worker.yaml", "config/worker.yml"];
/** It is not there, or not for us. */
const ABSENT = new Set(["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ELOOP", "ENAMETOOLONG", "ENXIO", "EISDIR", "EINVAL"]);

interface Look {
  realPath: string;
  /** Undefined: too many to remember. */
  names: ReadonlySet<string> | undefined;
  isWorkers: boolean;
  identity: string;
}

export class PublicFolder {
  readonly #path: string;
  readonly #clock: Clock;
  #look: Look | undefined;
  #checkedMs = Number.NEGATIVE_INFINITY;
  /** How often the file system was asked, for tests that prove how seldom. */
  lookCount = 0;

  constructor(path: string, clock: Clock = systemClock) {
    this.#path = path;
    this.#clock = clock;
  }

  /**
   * What is at this path: percent-encoded, with or without a first slash.
   * @throws what the system says when the file is there and cannot be had (EMFILE, EIO).
   */
  find(path: string): FoundFile | FoundFolder | undefined {
    const look = this.#current();
    if (look === undefined || !mayHave(look, path)) return undefined;
    const segments = fileSegments(path);
    if (segments === undefined) return undefined;
    const isFolderAsked = path === "" || path.endsWith("/");
    const found = this.#open(isFolderAsked && path !== "" ? [...segments, INDEX] : segments);
    if (found !== "folder") return found;
    const index = this.#open([...segments, INDEX]);
    if (index === undefined || index === "folder") return undefined;
    closeSync(index.fd);
    return { kind: "folder" };
  }

  #open(segments: readonly string[]): FoundFile | "folder" | undefined {
    const path = join(this.#path, ...segments);
    this.lookCount++;
    const fd = openOrUndefined(path);
    if (fd === undefined) return undefined;
    let isKept = false;
    try {
      const stats = fstatSync(fd);
      if (!(stats.isFile() || stats.isDirectory()) || !this.#isInside(realPathOf(fd, path, stats))) return undefined;
      if (stats.isDirectory()) return "folder";
      isKept = true;
      return { kind: "file", fd, stats, name: basename(path) };
    } finally {
      if (!isKept) closeSync(fd);
    }
  }

  #isInside(realPath: string | undefined): boolean {
    if (realPath === undefined) return false;
    if (this.#isInsideOf(this.#look, realPath)) return true;
    // The folder itself may be a symlink that was just turned to the next release.
    this.#checkedMs = Number.NEGATIVE_INFINITY;
    return this.#isInsideOf(this.#current(), realPath);
  }

  #isInsideOf(look: Look | undefined, realPath: string): boolean {
    if (look === undefined) return false;
    if (realPath === look.realPath) return true;
    if (!realPath.startsWith(look.realPath === sep ? sep : look.realPath + sep)) return false;
    const inside = relative(look.realPath, realPath);
    return isServedPath(inside) && !(look.isWorkers && isWorkersOwn(inside.split(sep, 1)[0]!));
  }

  /** What is known of the folder, at most 10 ms old. */
  #current(): Look | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#checkedMs < CHECK_MS) return this.#look;
    this.#checkedMs = nowMs;
    this.lookCount++;
    const stats = statsOf(this.#path);
    if (stats === undefined || !stats.isDirectory()) this.#look = undefined;
    else {
      const isYoung = this.#clock.wallMs() - stats.mtimeMs < YOUNG_MS;
      const identity = isYoung ? "" : `${stats.dev} ${stats.ino} ${stats.mtimeMs}`;
      if (isYoung || this.#look?.identity !== identity) this.#look = lookAt(this.#path, identity, this.#look);
    }
    return this.#look;
  }
}

/** Where the system has no descriptor left, what was known before is better than nothing: requests for programs are not to fail with it. */
function lookAt(path: string, identity: string, before: Look | undefined): Look | undefined {
  try {
    const realPath = realpathSync.native(path);
    const isWorkers = CONFIGURATIONS.some((name) => statsOf(join(path, name)) !== undefined);
    return { realPath, names: namesIn(path), isWorkers, identity };
  } catch (error) {
    if (ABSENT.has(systemCode(error) ?? "")) return undefined;
    if (before === undefined) throw error;
    return { ...before, identity: "" };
  }
}

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (ABSENT.has(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}

function namesIn(path: string): Set<string> | undefined {
  const names = new Set<string>();
  const folder = opendirSync(path);
  try {
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
      if (names.size === NAMES_MAX) return undefined;
      names.add(entry.name);
    }
    return names;
  } finally {
    folder.closeSync();
  }
}

function mayHave({ names }: Look, path: string): boolean {
  if (names === undefined) return true;
  const start = path.startsWith("/") ? 1 : 0;
  if (start === path.length) return names.has(INDEX);
  const end = path.indexOf("/", start);
  const first = path.slice(start, end < 0 ? path.length : end);
  // Seldom enough that the whole look decides.
  return first.includes("%") || names.has(first);
}

/** Never waits: a named pipe without a writer would hold up an ordinary open(2) for ever. */
function openOrUndefined(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    if (ABSENT.has(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}

/**
 * The path of what was opened: from proc(5) where there is one. Elsewhere by looking twice: the path is resolved after the opening, and has to name the very file.
 */
function realPathOf(fd: number, path: string, opened: Stats): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    try {
      const realPath = realpathSync.native(path);
      const { dev, ino } = statSync(realPath);
      return dev === opened.dev && ino === opened.ino ? realPath : undefined;
    } catch {
      return undefined;
    }
  }
}
