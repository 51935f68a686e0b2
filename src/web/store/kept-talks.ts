import type { KeptTalk } from "../../client/remote/kept-talk.ts";
import type { HubEntry } from "../../client/remote/world.ts";
import type { TalkShelf } from "./device/talk-shelf.ts";

/** For the page of an agent whose machine is away: what it has left of the conversation, by whatever hub, and word when there is more. */
export class KeptTalks {
  readonly #shelf: Pick<TalkShelf, "read">;
  readonly #hubs: () => Promise<readonly Pick<HubEntry, "fingerprint">[]>;
  readonly #listeners = new Set<() => void>();

  constructor(shelf: Pick<TalkShelf, "read">, hubs: () => Promise<readonly Pick<HubEntry, "fingerprint">[]>) {
    this.#shelf = shelf;
    this.#hubs = hubs;
  }

  /** Undefined: nothing was left, or the browser does not say. */
  async read(machine: string, session: string): Promise<KeptTalk | undefined> {
    try {
      const hubs = (await this.#hubs()).map(({ fingerprint }) => fingerprint);
      return await this.#shelf.read(machine, session, hubs);
    } catch {
      return undefined;
    }
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A record has come, and lies in the store. */
  heard(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
