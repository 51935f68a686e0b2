import { writeKept } from "../contact/kept-file.ts";
import { rosterBad } from "./errors.ts";
import { EMPTY_ROSTER, type Roster, readRoster } from "./roster.ts";
import type { RemoteStore } from "./store.ts";

/** The roster and its file. Changes happen one after another; what is read is what is on disk. */
export class KeptRoster {
  readonly #store: RemoteStore;
  #now: Roster;
  #last: Promise<unknown> = Promise.resolve();
  /** After each change, once it is on disk. */
  onChanged: () => void = () => {};

  /** @throws ROSTER_BAD, MACHINE_KEY_OPEN */
  static async open(store: RemoteStore): Promise<KeptRoster> {
    const text = await store.read("roster.json");
    const roster = text === undefined ? EMPTY_ROSTER : readRoster(text);
    if (typeof roster === "string") throw rosterBad(store.pathOf("roster.json"), roster);
    return new KeptRoster(store, roster);
  }

  private constructor(store: RemoteStore, roster: Roster) {
    this.#store = store;
    this.#now = roster;
  }

  get now(): Roster {
    return this.#now;
  }

  /** Resolves when it is on disk. What `change` throws, and what the disk refuses, leaves the roster as it was. */
  async change(change: (roster: Roster) => Roster): Promise<Roster> {
    const work = this.#last.then(async () => {
      const next = change(this.#now);
      if (next === this.#now) return next;
      await this.#store.write("roster.json", writeKept(next));
      this.#now = next;
      this.onChanged();
      return next;
    });
    this.#last = work.catch(() => {});
    return await work;
  }
}
