import { lstatSync, readdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { BoundSocket } from "node:net";
import { join } from "node:path";
import { makeDirectories } from "../platform/directories.ts";
import { waitForLock } from "../platform/lock.ts";
import { systemCode } from "../protocol/errors.ts";

/**
 * Which session of the home has which port, whatever server it is on: a claim is a symbolic link `<dir>/<port>` that says the session's id, since to make
 * one is one step that only one of two can do. A session keeps its port until it is removed, so that its address outlives its program.
 *
 * 1. A port has at most one claim, and a session, by `take` and `retake`, at most one port.
 * 2. A claim is given up by its session alone, or, when none is left, for another session by `take`: those that ended longest ago give theirs first. One that
 *    is younger than a minute is left alone, as its session may not have been written down yet.
 */
export interface SessionPortsOptions {
  dir: string;
  /** Held while claims of others are given up. */
  lockPath: string;
  /** First and last, both included. */
  from: number;
  to: number;
  /** Nobody listens on it, and may not be about to. */
  isFree?: (port: number) => boolean;
  nowMs?: () => number;
}

/** When all are claimed, so many are given up at once: the search for who has ended reads a file for each. */
const GIVEN_UP_COUNT = 50;
const YOUNG_MS = 60_000;
const LOCK_TIMEOUT_MS = 2_000;

export class SessionPorts {
  readonly #options: Required<SessionPortsOptions>;

  constructor(options: SessionPortsOptions) {
    this.#options = { isFree: isUnused, nowMs: Date.now, ...options };
  }

  /**
   * The lowest port that no session has and nobody listens on; undefined when there is none.
   * @param ended the ids of sessions that run nowhere, of those that are asked about: who ended longest ago first
   */
  async take(id: string, ended: (ids: readonly string[]) => Promise<string[]>): Promise<number | undefined> {
    const found = this.#takeFree(id);
    if (found !== undefined) return found;
    await this.#giveUp(ended);
    return this.#takeFree(id);
  }

  /** Claims that very port. False: another session has it. Twice changes nothing. */
  claim(port: number, id: string): boolean {
    const path = join(this.#options.dir, String(port));
    makeDirectories(this.#options.dir, 0o700);
    try {
      symlinkSync(id, path);
      return true;
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
      return this.#holderOf(port) === id;
    }
  }

  /** Takes one up that the session had before, if it still has it and nobody else listens there. */
  retake(port: number, id: string): boolean {
    if (this.#holderOf(port) !== id || !this.#options.isFree(port)) return false;
    // Made anew, so that it is young while its session is not yet known to run.
    rmSync(join(this.#options.dir, String(port)), { force: true });
    return this.claim(port, id);
  }

  /** Gives it back if it is this session's. */
  release(port: number, id: string): void {
    if (this.#holderOf(port) === id) rmSync(join(this.#options.dir, String(port)), { force: true });
  }

  #takeFree(id: string): number | undefined {
    const { dir, from, to, isFree } = this.#options;
    const claimed = new Set(namesIn(dir));
    for (let port = from; port <= to; port++) {
      if (claimed.has(String(port)) || !isFree(port)) continue;
      if (this.claim(port, id)) return port;
    }
    return undefined;
  }

  async #giveUp(ended: (ids: readonly string[]) => Promise<string[]>): Promise<void> {
    const { lockPath, from, to } = this.#options;
    const lock = await waitForLock(lockPath, { timeoutMs: LOCK_TIMEOUT_MS });
    if (!lock) return;
    try {
      const claims = new Map<string, number>();
      for (let port = from; port <= to; port++) {
        const holder = this.#isOld(port) ? this.#holderOf(port) : undefined;
        if (holder !== undefined) claims.set(holder, port);
      }
      const over = await ended([...claims.keys()]);
      for (const id of over.slice(0, GIVEN_UP_COUNT)) this.release(claims.get(id)!, id);
    } finally {
      lock.release();
    }
  }

  #isOld(port: number): boolean {
    const stat = lstatSync(join(this.#options.dir, String(port)), { throwIfNoEntry: false });
    return stat !== undefined && stat.mtimeMs < this.#options.nowMs() - YOUNG_MS;
  }

  #holderOf(port: number): string | undefined {
    try {
      return readlinkSync(join(this.#options.dir, String(port)));
    } catch {
      return undefined;
    }
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

/** By bind(2), at both addresses of `localhost`; where there is no IPv6, at the one that there is. */
function isUnused(port: number): boolean {
  return ["127.0.0.1", "::1"].every((host) => {
    try {
      new BoundSocket({ host, port }).close();
      return true;
    } catch (error) {
      const code = systemCode(error);
      return code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT";
    }
  });
}
