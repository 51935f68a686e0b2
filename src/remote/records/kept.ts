import type { RemoteStore, StoredName } from "../store.ts";

/**
 * A value and its file. Changes happen one after another, each on a copy: what is read is what is on disk, and what could not be written down has not
 * happened. After `close` nothing is written any more: the file is the next server's.
 */
export class Kept<T> {
  readonly #store: RemoteStore;
  readonly #name: StoredName;
  #now: T;
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(store: RemoteStore, name: StoredName, now: T) {
    this.#store = store;
    this.#name = name;
    this.#now = now;
  }

  get now(): T {
    return this.#now;
  }

  /** Resolves when it is on disk: false where the change has answered false, and after `close`. */
  change(change: (draft: T) => Promise<boolean> | boolean): Promise<boolean> {
    const work = this.#last.then(async () => {
      if (this.#isClosed) return false;
      const draft = copyOf(this.#now);
      if (!(await change(draft)) || this.#isClosed) return false;
      await this.#store.write(this.#name, `${JSON.stringify(draft)}\n`);
      this.#now = draft;
      return true;
    });
    this.#last = work.catch(() => {});
    return work;
  }

  close(): void {
    this.#isClosed = true;
  }
}

/** Of what JSON can say, and so many times as fast as `structuredClone`. */
function copyOf<V>(value: V): V {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf) as V;
  const copy = { ...value };
  for (const name in copy) if (typeof copy[name] === "object") copy[name] = copyOf(copy[name]);
  return copy;
}
