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
  /** Told when another tab has written; the answer ends that. */
  watch(listener: () => void): () => void;
}

const DATABASE = "warren";
const HOMES = "homes";
/** By which tabs tell each other which machine's home they have written. */
const CHANNEL = "warren-homes";
const GATHER_MS = 1_000;
/** A home of so many units is written more rarely: each time it is copied whole. */
const LARGE_COUNT = 2_000;
const GATHER_LARGE_MS = 10_000;

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
    write: (home) => withHomes("readwrite", (homes) => homes.put(home, machine)).then(() => tellTabs(machine), ignored),
    forget: () => withHomes("readwrite", (homes) => homes.delete(machine)).then(ignored, ignored),
    watch(listener) {
      const channel = new BroadcastChannel(CHANNEL);
      channel.addEventListener("message", ({ data }) => data === machine && listener());
      return () => channel.close();
    },
  };
}

export interface Remembering {
  /** What is left, now. */
  write(): void;
  /** The same, and nothing after that. */
  end(): void;
}

/** Keeps it up to date from now on, at most once a second. */
export function rememberHome(store: Pick<Store<Home, never>, "get" | "subscribe">, memory: HomeMemory): Remembering {
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
    timer ??= setTimeout(write, store.get().jobs.size > LARGE_COUNT ? GATHER_LARGE_MS : GATHER_MS);
  });
  const flush = (): void => {
    if (timer !== undefined) write();
  };
  return {
    write: flush,
    end: () => {
      unsubscribe();
      flush();
    },
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

function tellTabs(machine: string): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(machine);
  channel.close();
}

const ignored = (): void => {};
