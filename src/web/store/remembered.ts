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

/**
 * In IndexedDB; a browser that refuses it (private windows, a full disk) only remembers nothing. The homes of all machines are read at once, so that a list of
 * a hundred machines is drawn once.
 */
export function browserMemories(factory: IDBFactory = indexedDB): (machine: string) => HomeMemory {
  const homes = new HomesTable(factory);
  return (machine) => ({
    read: () => homes.read(machine).catch(() => undefined),
    write: (home) => homes.change((table) => table.put(home, machine)).then(() => tellTabs(machine), ignored),
    forget: () => homes.change((table) => table.delete(machine)).then(ignored, ignored),
    watch(listener) {
      const channel = new BroadcastChannel(CHANNEL);
      channel.addEventListener("message", ({ data }) => data === machine && listener());
      return () => channel.close();
    },
  });
}

/** One connection to the table for as long as the page is there, made anew when the browser has closed it. */
class HomesTable {
  readonly #factory: IDBFactory;
  #database: Promise<IDBDatabase> | undefined;
  /** Asked for in this turn. */
  #wanted: { machine: string; found: (home: KnownHome | undefined) => void; failed: (error: unknown) => void }[] = [];

  constructor(factory: IDBFactory) {
    this.#factory = factory;
  }

  read(machine: string): Promise<KnownHome | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<KnownHome | undefined>();
    if (this.#wanted.length === 0) queueMicrotask(() => void this.#readWanted());
    this.#wanted.push({ machine, found: resolve, failed: reject });
    return promise;
  }

  async change(work: (homes: IDBObjectStore) => IDBRequest): Promise<void> {
    const database = await this.#opened();
    await settled(work(database.transaction(HOMES, "readwrite").objectStore(HOMES)));
  }

  /** All are told together, when the last is there. */
  async #readWanted(): Promise<void> {
    const wanted = this.#wanted;
    this.#wanted = [];
    try {
      const table = (await this.#opened()).transaction(HOMES, "readonly").objectStore(HOMES);
      const homes = await Promise.all(wanted.map(({ machine }) => settled<KnownHome | undefined>(table.get(machine))));
      for (const [at, { found }] of wanted.entries()) found(homes[at]);
    } catch (error) {
      for (const { failed } of wanted) failed(error);
    }
  }

  #opened(): Promise<IDBDatabase> {
    this.#database ??= this.#open();
    return this.#database;
  }

  async #open(): Promise<IDBDatabase> {
    const forget = (): void => {
      this.#database = undefined;
    };
    try {
      const database = await openDatabase(this.#factory);
      database.addEventListener("close", forget);
      database.addEventListener("versionchange", () => {
        database.close();
        forget();
      });
      return database;
    } catch (error) {
      forget();
      throw error;
    }
  }
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
