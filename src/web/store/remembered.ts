import type { Home } from "../model/home.ts";
import type { Store } from "./store.ts";

/** What was known of a machine last, kept in this browser, so that the app shows it at once, and says as of when, also while nothing can be reached. */
export type KnownHome = Pick<Home, "confirmedMs" | "jobs" | "sessions" | "servers" | "gateways">;

export interface HomeMemory {
  /** Undefined: nothing, or the browser keeps nothing. */
  read(): Promise<KnownHome | undefined>;
  write(home: KnownHome): Promise<void>;
  /** This browser is not let in any more. */
  forget(): Promise<void>;
}

const DATABASE = "warren";
const HOMES = "homes";
const GATHER_MS = 1_000;

/** In IndexedDB; a browser that refuses it (private windows, a full disk) only remembers nothing. */
export function browserMemory(machine: string, factory: IDBFactory = indexedDB): HomeMemory {
  const withHomes = async <T>(mode: IDBTransactionMode, work: (homes: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const database = await openDatabase(factory);
    try {
      return await settled(work(database.transaction(HOMES, mode).objectStore(HOMES)));
    } finally {
      database.close();
    }
  };
  return {
    read: () => withHomes("readonly", (homes) => homes.get(machine)).catch(() => undefined),
    write: (home) => withHomes("readwrite", (homes) => homes.put(home, machine)).then(ignored, ignored),
    forget: () => withHomes("readwrite", (homes) => homes.delete(machine)).then(ignored, ignored),
  };
}

/** Keeps it up to date from now on, at most once a second; the answer ends that, and writes what is left. */
export function rememberHome(store: Pick<Store<Home, never>, "get" | "subscribe">, memory: HomeMemory): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writtenMs: number | undefined;
  const write = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const { confirmedMs, jobs, sessions, servers, gateways } = store.get();
    if (confirmedMs === writtenMs) return; // nothing was heard since
    writtenMs = confirmedMs;
    void memory.write({ confirmedMs, jobs, sessions, servers, gateways });
  };
  const unsubscribe = store.subscribe(() => {
    timer ??= setTimeout(write, GATHER_MS);
  });
  return () => {
    unsubscribe();
    if (timer !== undefined) write();
  };
}

function openDatabase(factory: IDBFactory): Promise<IDBDatabase> {
  const request = factory.open(DATABASE, 1);
  request.addEventListener("upgradeneeded", () => request.result.createObjectStore(HOMES));
  return settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}

const ignored = (): void => {};
