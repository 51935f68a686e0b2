import { charsOf, furthest, type KeptTalk, withTalkItem } from "../../../client/remote/kept-talk.ts";
import type { RecordRow } from "../../../client/remote/record-store.ts";
import type { ConversationItem } from "../../../protocol/conversation.ts";
import { isWarrenError } from "../../../protocol/errors.ts";
import { decodeTalkItem, type TalkItem, type ToldItem } from "../../../sealing/item.ts";
import type { Change, Shelf } from "./shelf.ts";

/**
 * Conversations as their machines have left them, by hub, machine and session; their mail is one of them. They are kept for looking at while a machine is away: past either bound the
 * ones go of which nothing was heard for the longest.
 */
export const KEPT_TALKS_MAX = 100;
export const KEPT_TALKS_CHARS_MAX = 8 * 1024 * 1024;

interface Size {
  chars: number;
  atMs: number;
}

export class TalkShelf {
  readonly #shelf: Shelf;
  #sizes: Promise<Map<string, Size>> | undefined;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** What taking this record comes to; nothing, where it is no conversation's of a form that this app knows. */
  async changesOf(hub: string, { machine, text, atMs }: RecordRow): Promise<Change[]> {
    const item = readItem(text);
    if (!item) return [];
    const sizes = await this.#known();
    const key = `${hub}/${machine}/${item.session}`;
    const talk = withTalkItem(await this.#shelf.get<KeptTalk<ToldItem>>("talks", key), item, atMs);
    sizes.set(key, { chars: charsOf(talk), atMs: talk.atMs });
    const gone = tooMany(sizes, key);
    for (const one of gone) sizes.delete(one);
    return [{ table: "talks", key, value: talk }, ...gone.map((remove): Change => ({ table: "talks", remove }))];
  }

  /** Of one that several hubs have given the one that goes further. */
  async read<I extends ToldItem = ConversationItem>(
    machine: string,
    session: string,
    hubs: readonly string[],
  ): Promise<KeptTalk<I> | undefined> {
    const talks = await Promise.all(
      hubs.map((hub) => this.#shelf.get<KeptTalk<I>>("talks", `${hub}/${machine}/${session}`)),
    );
    return furthest(talks.filter((talk) => talk !== undefined));
  }

  /** Those of a machine, each as `read` answers it. */
  async ofMachine(machine: string, hubs: readonly string[]): Promise<KeptTalk<ToldItem>[]> {
    const known = (await this.#shelf.all<KeptTalk<ToldItem>>("talks")).flatMap(({ key, value }) =>
      hubs.some((hub) => key === `${hub}/${machine}/${value.session}`) ? [value] : [],
    );
    return [...Map.groupBy(known, ({ session }) => session).values()].map((talks) => furthest(talks)!);
  }

  /** What begins so is removed by somebody else. */
  forgotten(under: string): void {
    void this.#sizes?.then((sizes) => {
      for (const key of [...sizes.keys()]) if (key.startsWith(under)) sizes.delete(key);
    });
  }

  #known(): Promise<Map<string, Size>> {
    this.#sizes ??= this.#shelf
      .all<KeptTalk<ToldItem>>("talks")
      .then((all) => new Map(all.map(({ key, value }) => [key, { chars: charsOf(value), atMs: value.atMs }])))
      .catch((error) => {
        this.#sizes = undefined;
        throw error;
      });
    return this.#sizes;
  }
}

function readItem(text: Uint8Array): TalkItem<ToldItem> | undefined {
  try {
    return decodeTalkItem<ToldItem>(text);
  } catch (error) {
    if (!isWarrenError(error, "FORM_INVALID")) throw error;
    return undefined;
  }
}

/** The oldest of them, and never `kept`. */
function tooMany(sizes: ReadonlyMap<string, Size>, kept: string): string[] {
  let chars = sizes.get(kept)?.chars ?? 0;
  const others = [...sizes].filter(([key]) => key !== kept).sort(([, a], [, b]) => b.atMs - a.atMs);
  return others.flatMap(([key, size], index) => {
    chars += size.chars;
    return index + 1 >= KEPT_TALKS_MAX || chars > KEPT_TALKS_CHARS_MAX ? [key] : [];
  });
}
