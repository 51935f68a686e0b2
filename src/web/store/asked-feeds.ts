import type { Asked } from "../model/asked.ts";
import { LOCAL } from "../model/rows.ts";
import { AskedFeed } from "./asked-feed.ts";
import { type AskedMemory, askedMemory } from "./asked-memory.ts";
import type { Place } from "./fleet-store.ts";
import { Store } from "./store.ts";

/** What is asked on all machines of the app, by machine. */
export type AllAsked = ReadonlyMap<string, Asked>;

export class AskedFeeds {
  readonly #version: string;
  readonly #memoryOf: (machine: string) => AskedMemory;
  readonly #store = new Store<AllAsked, { machine: string; asked: Asked | undefined }>(new Map(), reduce);
  readonly #feeds = new Map<string, { place: Place; feed: AskedFeed; end: () => void }>();
  /** Of every machine that has been spoken with. */
  readonly #memories = new Map<string, AskedMemory>();

  constructor(version: string, memoryOf: (machine: string) => AskedMemory = askedMemory) {
    this.#version = version;
    this.#memoryOf = memoryOf;
  }

  readonly get = (): AllAsked => this.#store.get();
  readonly subscribe = (listener: () => void): (() => void) => this.#store.subscribe(listener);

  putAway(machine: string, key: string): void {
    this.#feeds.get(machine)?.feed.putAway(key);
  }

  /**
   * These machines are spoken with now. Of one that is not among `known` any more nothing stays; one that nobody speaks with at this moment, as when another tab takes over, keeps what it
   * has asked.
   */
  sync(places: ReadonlyMap<string, Place>, known: Pick<ReadonlySet<string>, "has">): void {
    for (const [machine, { place }] of [...this.#feeds]) if (place !== places.get(machine)) this.#end(machine);
    for (const [machine, memory] of [...this.#memories]) if (!known.has(machine)) this.#forget(machine, memory);
    for (const [machine, place] of places) if (!this.#feeds.has(machine)) this.#begin(machine, place);
  }

  close(): void {
    for (const machine of [...this.#feeds.keys()]) this.#end(machine);
  }

  #begin(machine: string, place: Place): void {
    const memory = this.#memoryOf(machine);
    const feed = new AskedFeed({ machine: place.machine, version: this.#version, home: place.home, memory });
    const tell = (): void => this.#store.dispatch({ machine, asked: feed.get() });
    const unsubscribe = feed.subscribe(tell);
    // Whoever is not let in here any more is to read nothing of it either.
    const unwatch = place.machine.watch(({ kind }) => {
      if (kind === "refused" && machine === LOCAL) void memory.forget();
    });
    const end = (): void => {
      unsubscribe();
      unwatch();
      feed.close();
    };
    this.#feeds.set(machine, { place, feed, end });
    this.#memories.set(machine, memory);
  }

  #forget(machine: string, memory: AskedMemory): void {
    this.#memories.delete(machine);
    void memory.forget();
    this.#store.dispatch({ machine, asked: undefined });
  }

  #end(machine: string): void {
    this.#feeds.get(machine)?.end();
    this.#feeds.delete(machine);
  }
}

function reduce(all: AllAsked, { machine, asked }: { machine: string; asked: Asked | undefined }): AllAsked {
  const next = new Map(all);
  if (asked === undefined) next.delete(machine);
  else next.set(machine, asked);
  return next;
}
