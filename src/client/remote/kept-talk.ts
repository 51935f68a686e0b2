import type { ConversationItem, ConversationState } from "../../protocol/conversation.ts";
import type { TalkEntry, TalkItem, ToldItem } from "../../sealing/item.ts";

/** A conversation as its machine has left it at a hub: what a device shows while the machine is away; its mail likewise. Pure. */
export interface KeptTalk<I extends ToldItem = ConversationItem> {
  session: string;
  /** Everything up to here has come, where it is not incomplete. */
  seq: number;
  state: ConversationState;
  /** By their place in the conversation. */
  entries: readonly TalkEntry<I>[];
  /** Something between the first and the last entry has not come; the machine has it. */
  isIncomplete: boolean;
  /** By the machine's clock: of the last record. */
  atMs: number;
}

/** Of one conversation on a device; past either the oldest entries go. */
const ENTRIES_MAX = 400;
const CHARS_MAX = 512 * 1024;

/** With the next record. What is known already changes nothing. */
export function withTalkItem<I extends ToldItem>(
  before: KeptTalk<I> | undefined,
  item: TalkItem<I>,
  atMs: number,
): KeptTalk<I> {
  // The machine has lost what came later, or what stands between is not told: there the conversation begins anew.
  const isOver = item.begins === true && before !== undefined && (item.newest < before.seq || item.after > before.seq);
  const known = isOver ? undefined : before;
  const seqKnown = known?.seq ?? (item.begins ? item.after : 0);
  const entries = new Map<string, TalkEntry<I>>(known?.entries.map((entry) => [entry[1].id, entry]));
  for (const entry of item.entries) {
    const [, { id, seq }] = entry;
    if (seq >= (entries.get(id)?.[1].seq ?? 0)) entries.set(id, entry);
  }
  const isNewer = item.seq >= seqKnown;
  return {
    session: item.session,
    seq: Math.max(seqKnown, item.seq),
    state: isNewer ? item.state : known!.state,
    entries: newest([...entries.values()].sort(([a], [b]) => a - b)),
    isIncomplete: known?.isIncomplete === true || item.after > seqKnown,
    atMs: isNewer ? atMs : known!.atMs,
  };
}

/** Of one conversation that came by several hubs the one that goes further. */
export const furthest = <I extends ToldItem>(talks: readonly KeptTalk<I>[]): KeptTalk<I> | undefined =>
  talks.toSorted((a, b) => a.seq - b.seq || Number(b.isIncomplete) - Number(a.isIncomplete)).at(-1);

export const itemsOf = <I extends ToldItem>({ entries }: Pick<KeptTalk<I>, "entries">): I[] =>
  entries.map(([, item]) => item);

/** How many there were before the first one that is here. */
export const earlierCount = ({ entries }: Pick<KeptTalk, "entries">): number => entries[0]?.[0] ?? 0;

export const charsOf = ({ entries }: Pick<KeptTalk<ToldItem>, "entries">): number => JSON.stringify(entries).length;

function newest<I extends ToldItem>(entries: readonly TalkEntry<I>[]): readonly TalkEntry<I>[] {
  let chars = 0;
  for (let index = entries.length - 1; index >= 0; index--) {
    chars += JSON.stringify(entries[index]).length;
    if (entries.length - index > ENTRIES_MAX || (chars > CHARS_MAX && index < entries.length - 1))
      return entries.slice(index + 1);
  }
  return entries;
}
