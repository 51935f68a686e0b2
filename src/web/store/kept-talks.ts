import type { KeptTalk } from "../../client/remote/kept-talk.ts";
import type { HubEntry } from "../../client/remote/world.ts";
import type { ConversationItem } from "../../protocol/conversation.ts";
import { MAIL_TOLD, type ToldItem } from "../../sealing/item.ts";
import type { MailItem } from "../../sealing/mail-item.ts";
import type { TalkShelf } from "./device/talk-shelf.ts";

/** For the pages of a machine that is away: what it has left of a conversation, or of its mail, by whatever hub, and word when there is more. */
export class KeptTalks {
  readonly #shelf: Pick<TalkShelf, "read" | "ofMachine">;
  readonly #hubs: () => Promise<readonly Pick<HubEntry, "fingerprint">[]>;
  readonly #listeners = new Set<() => void>();

  constructor(
    shelf: Pick<TalkShelf, "read" | "ofMachine">,
    hubs: () => Promise<readonly Pick<HubEntry, "fingerprint">[]>,
  ) {
    this.#shelf = shelf;
    this.#hubs = hubs;
  }

  /** Undefined: nothing was left, or the browser does not say. */
  read(machine: string, session: string): Promise<KeptTalk | undefined> {
    return this.#read<ConversationItem>(machine, session);
  }

  /** All that it has left of conversations, over or not. */
  async all(machine: string): Promise<readonly KeptTalk[]> {
    try {
      const hubs = (await this.#hubs()).map(({ fingerprint }) => fingerprint);
      const talks = await this.#shelf.ofMachine(machine, hubs);
      return talks.filter(({ session }) => session !== MAIL_TOLD) as KeptTalk[];
    } catch {
      return [];
    }
  }

  /** The same of the person's mail there. */
  mail(machine: string): Promise<KeptTalk<MailItem> | undefined> {
    return this.#read<MailItem>(machine, MAIL_TOLD);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A record has come, and lies in the store. */
  heard(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  async #read<I extends ToldItem>(machine: string, session: string): Promise<KeptTalk<I> | undefined> {
    try {
      const hubs = (await this.#hubs()).map(({ fingerprint }) => fingerprint);
      return await this.#shelf.read<I>(machine, session, hubs);
    } catch {
      return undefined;
    }
  }
}
