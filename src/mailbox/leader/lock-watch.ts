import { statSync } from "node:fs";
import { type Lock, tryLock } from "../../platform/lock.ts";

/**
 * The leader's lock, looked after: its file is never deleted by us, and when somebody else has deleted it, the lock on the file that is there now is taken
 * too, before another process does. Where that one was quicker, its epoch is in the log, and ours is fenced.
 */
export class LockWatch {
  readonly #path: string;
  readonly #locks: Lock[];
  #file: bigint | undefined;

  constructor(path: string, lock: Lock) {
    this.#path = path;
    this.#locks = [lock];
    this.#file = fileAt(path);
  }

  check(): void {
    const file = fileAt(this.#path);
    if (file !== undefined && file === this.#file) return;
    const lock = tryLock(this.#path);
    if (!lock) return;
    this.#locks.push(lock);
    this.#file = fileAt(this.#path);
  }

  release(): void {
    for (const lock of this.#locks.splice(0)) lock.release();
  }
}

const fileAt = (path: string): bigint | undefined => statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
