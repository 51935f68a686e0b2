import type { RemoteStore, StoredName } from "../store.ts";

/**
 * A value and its file. Changes happen one after another, each on a draft: what is read is what is on disk, and what could not be written down has not
 * happened. A draft has tables and lists of its own, and shares what stands in them: an entry is replaced, never changed. After `close` nothing is written
 * any more: the file is the next server's.
 */
export class Kept<T extends object> {
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
      const draft = draftOf(this.#now);
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

/** A copy of the value, and of each table and list in it. */
function draftOf<V extends object>(value: V): V {
  const draft = { ...value };
  for (const name in draft) {
    const part = draft[name];
    if (Array.isArray(part)) draft[name] = part.slice() as typeof part;
    else if (typeof part === "object" && part !== null) draft[name] = { ...part };
  }
  return draft;
}
