import type { Machine } from "../link/machine.ts";
import { EMPTY_FLEET, type Fleet, type FleetAction, fleetReducer, type MachineFacts } from "../model/fleet.ts";
import { EMPTY_HOME, type Home, type HomeAction, type RecordedUnit, reduceHome } from "../model/home.ts";
import { HomeFeed } from "./home-feed.ts";
import { MailFeed } from "./mail-feed.ts";
import { type HomeMemory, type Remembering, rememberHome } from "./remembered.ts";
import { Store } from "./store.ts";

/** One machine as the views have it: the way to it, what is known of its home, and what keeps that true. */
export interface Place {
  machine: Machine;
  home: Store<Home, HomeAction>;
  feed: HomeFeed;
  mail: MailFeed;
}

export interface FleetStoreOptions {
  version: string;
  /** What this browser remembers of a machine's home. */
  memoryOf: (machine: string) => HomeMemory;
}

/** All machines of the app, and one state of them for the views. */
export class FleetStore {
  readonly #options: FleetStoreOptions;
  readonly #state = new Store<Fleet, FleetAction>(EMPTY_FLEET, fleetReducer(EMPTY_HOME));
  readonly #places = new Map<string, { place: Place; memory: HomeMemory; remembering: Remembering; end: () => void }>();
  /** Homes that are being looked up. */
  #readingCount = 0;
  #hasAll = false;

  constructor(options: FleetStoreOptions) {
    this.#options = options;
  }

  readonly get = (): Fleet => this.#state.get();
  readonly subscribe = (listener: () => void): (() => void) => this.#state.subscribe(listener);
  readonly dispatch = (action: FleetAction): void => this.#state.dispatch(action);

  place(id: string): Place | undefined {
    return this.#places.get(id)?.place;
  }

  /**
   * From now on it is in the list: first with what this browser remembers of it.
   * @param recordedSince what has come as records since then, by this browser's clock
   */
  add(
    machine: Machine,
    facts: MachineFacts,
    recordedSince: (sinceMs: number) => readonly RecordedUnit[] = () => [],
  ): Place {
    const { version, memoryOf } = this.#options;
    const home = new Store(this.#homeOf(facts.id), reduceHome);
    this.dispatch({ type: "machine", machine: facts });
    const unsubscribe = home.subscribe(() => this.dispatch({ type: "home", id: facts.id, home: home.get() }));
    const common = { machine, version, dispatch: home.dispatch };
    const place: Place = { machine, home, feed: new HomeFeed(common), mail: new MailFeed(common) };
    const memory = memoryOf(facts.id);
    const remember = async (): Promise<number> => {
      const known = await memory.read();
      if (known) home.dispatch({ type: "remembered", home: known });
      return known?.confirmedMs ?? 0;
    };
    this.#readingCount += 1;
    void remember().then((sinceMs) => {
      home.dispatch({ type: "recorded", units: recordedSince(sinceMs) });
      this.dispatch({ type: "home", id: facts.id, home: home.get() });
      this.#readingCount -= 1;
      this.#tellRemembered();
    });
    const unwatch = memory.watch(() => void remember());
    const remembering = rememberHome(home, memory);
    const end = (): void => {
      unsubscribe();
      unwatch();
      remembering.end();
      place.feed.close();
      place.mail.close();
      machine.close();
    };
    this.#places.set(facts.id, { place, memory, remembering, end });
    return place;
  }

  /** Every machine that this browser knows has been added. */
  added(): void {
    this.#hasAll = true;
    this.#tellRemembered();
  }

  /** It is not one of this browser's any more, and nothing of it stays. */
  forget(id: string): void {
    const known = this.#places.get(id);
    if (!known) return;
    this.#places.delete(id);
    known.end();
    void known.memory.forget();
    this.dispatch({ type: "machine-gone", id });
  }

  /** Nothing is asked any more; what is known stays in the list, and in the browser. */
  end(id: string): void {
    const known = this.#places.get(id);
    if (!known) return;
    this.#places.delete(id);
    known.end();
  }

  /** The page goes, perhaps for good: what is known is written now. */
  writeDown(): void {
    for (const { remembering } of this.#places.values()) remembering.write();
  }

  /** Somebody is here and waits. */
  hurry(): void {
    for (const { place } of this.#places.values()) place.feed.hurry();
  }

  /** One that stands in the list already, and was ended, goes on as it stands there: its rows are not to go and come. */
  #homeOf(id: string): Home {
    const known = this.get().machines.get(id)?.home;
    return known ? { ...known, way: EMPTY_HOME.way, mail: EMPTY_HOME.mail } : EMPTY_HOME;
  }

  #tellRemembered(): void {
    if (this.#hasAll && this.#readingCount === 0) this.dispatch({ type: "remembered" });
  }
}
