import { messageOf, WarrenError } from "../../../protocol/errors.ts";
import { type Change, type Shelf, TABLES, type Table } from "./shelf.ts";

/** {@link Shelf} in the browser's IndexedDB. */
const DATABASE = "warren-device";
/** 2: `talks`. */
const VERSION = 2;
/** Above every character of our keys, which are hex, digits, `/` and `-`. */
const LAST = "\uffff";

/** @throws STORAGE_FAILED where the browser keeps nothing: private windows, storage switched off */
export async function openShelf(factory: IDBFactory | undefined = globalThis.indexedDB): Promise<IndexedShelf> {
  if (!factory) throw storageFailed("this browser has no IndexedDB");
  try {
    const request = factory.open(DATABASE, VERSION);
    request.addEventListener("upgradeneeded", () => {
      const { result: database } = request;
      for (const table of TABLES) if (!database.objectStoreNames.contains(table)) database.createObjectStore(table);
    });
    return new IndexedShelf(await settled(request));
  } catch (error) {
    throw storageError(error);
  }
}

export class IndexedShelf implements Shelf {
  readonly #database: IDBDatabase;
  /** The browser has closed it: the person has cleared the site's data, or a newer app in another tab wants another form. */
  onClosed: () => void = () => {};

  constructor(database: IDBDatabase) {
    this.#database = database;
    database.addEventListener("close", () => this.onClosed());
    database.addEventListener("versionchange", () => {
      database.close();
      this.onClosed();
    });
  }

  async get<T>(table: Table, key: string): Promise<T | undefined> {
    return this.#read(table, (store) => store.get(key)) as Promise<T | undefined>;
  }

  async all<T>(table: Table, under = ""): Promise<{ key: string; value: T }[]> {
    const range = IDBKeyRange.bound(under, under + LAST);
    const [keys, values] = await Promise.all([
      this.#read(table, (store) => store.getAllKeys(range)),
      this.#read(table, (store) => store.getAll(range)),
    ]);
    return (keys as string[]).map((key, at) => ({ key, value: (values as T[])[at]! }));
  }

  write(changes: readonly Change[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    try {
      const tables = [...new Set(changes.map(({ table }) => table))];
      if (tables.length === 0) return Promise.resolve();
      const transaction = this.#database.transaction(tables, "readwrite", { durability: "strict" });
      transaction.addEventListener("complete", () => resolve());
      transaction.addEventListener("abort", () => reject(storageError(transaction.error)));
      try {
        for (const change of changes) apply(transaction.objectStore(change.table), change);
      } catch (error) {
        transaction.abort(); // what was put before it is not kept either
        throw error;
      }
    } catch (error) {
      reject(storageError(error));
    }
    return promise;
  }

  close(): void {
    this.#database.close();
  }

  async #read<T>(table: Table, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    try {
      return await settled(ask(this.#database.transaction(table, "readonly").objectStore(table)));
    } catch (error) {
      throw storageError(error);
    }
  }
}

function apply(store: IDBObjectStore, change: Change): void {
  if ("value" in change) store.put(change.value, change.key);
  else if ("remove" in change) store.delete(change.remove);
  else store.delete(IDBKeyRange.bound(change.removeUnder, change.removeUnder + LAST));
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}

function storageError(error: unknown): WarrenError {
  if (error instanceof WarrenError) return error;
  const isFull = error instanceof DOMException && error.name === "QuotaExceededError";
  return isFull ? storageFull() : storageFailed(messageOf(error).replace(/\.$/, ""));
}

const storageFull = (): WarrenError =>
  new WarrenError("STORAGE_FULL", "This browser has no room left for what the app keeps. Nothing was changed.", {
    fix: "make room on this device; it goes on by itself",
  });

const storageFailed = (why: string): WarrenError =>
  new WarrenError("STORAGE_FAILED", `This browser keeps nothing for the app: ${why}.`, {
    fix: "open it in a window that is not private, with storage allowed",
  });
