import { encodeTalkItem, streamOfItems, type TalkItem, type ToldItem, toldItemsOf } from "../../sealing/item.ts";
import { RECORD_KINDS } from "../../sealing/record.ts";
import type { Kept } from "./kept.ts";
import type { SpaceState } from "./space-state.ts";
import { sealNamed, type WriterParts } from "./space-writer.ts";
import type { TalkMark } from "./talk-book.ts";
import type { ToldStreams } from "./told-streams.ts";

/**
 * Seals what was said in this machine's conversations, and its mail, for one hub: from where it stood, which lies in the same file as what is sealed. So nothing is left out,
 * and what is sealed again (after another period has begun) is what its readers have already.
 *
 * Only so much is sealed ahead of what the hub has confirmed; the rest waits where it is, in the conversation, and is told as it is by then.
 */
export interface TalkWriterOptions {
  parts: WriterParts;
  state: Kept<SpaceState>;
  talks: ToldStreams;
}

/** Sealed, and not confirmed by the hub; past it nothing more is sealed. */
const OWED_MAX = 8;
/** Conversations of which it is known how far they were told; past it those go that the home does not have any more. */
const TOLD_MAX = 500;

export class TalkWriter {
  readonly #options: TalkWriterOptions;

  constructor(options: TalkWriterOptions) {
    this.#options = options;
  }

  /** The next of them. True: something was written down, and there may be more. */
  async seal(): Promise<boolean> {
    const { state, talks } = this.#options;
    for (const mark of this.#changed()) {
      if (!state.now.period || roomOf(state.now) === 0) return false;
      const conversation = await talks.read(mark.session);
      if (!conversation && mark.mark !== ENDED) continue;
      return state.change(async (draft) => {
        if (!draft.period) return false;
        const after = draft.talks?.[mark.session]?.seq;
        // One that ends before where it stood was lost in part: it begins anew.
        const isBehind = after !== undefined && conversation !== undefined && conversation.seq < after;
        const items = conversation ? toldItemsOf(mark.session, conversation, isBehind ? undefined : after) : [];
        await this.#tell(draft, mark, items);
        return true;
      });
    }
    return false;
  }

  #changed(): TalkMark[] {
    const { state, talks } = this.#options;
    const told = state.now.talks ?? {};
    const marks = talks.marks();
    if (!marks) return [];
    // What was said last before a session ended is read of the saved one.
    const ended = Object.entries(told).flatMap(([session, { mark }]) =>
      mark === ENDED || talks.has(session) ? [] : [{ session, mark: ENDED }],
    );
    return [...marks.filter(({ session, mark }) => mark !== "" && told[session]?.mark !== mark), ...ended];
  }

  async #tell(draft: SpaceState, { session, mark }: TalkMark, items: TalkItem<ToldItem>[]): Promise<void> {
    draft.talks ??= {};
    const room = roomOf(draft);
    let seq = draft.talks[session]?.seq;
    for (const item of items.slice(0, room)) {
      await sealNamed(this.#options.parts, draft, {
        kind: "item",
        name: streamOfItems(session),
        text: encodeTalkItem(item),
        talk: { session, ...(item.begins ? {} : { after: item.after }) },
      });
      seq = item.seq;
    }
    draft.talks[session] = { ...(seq === undefined ? {} : { seq }), mark: items.length > room ? "" : mark };
    const ids = Object.keys(draft.talks);
    const gone = ids.filter((id) => !this.#options.talks.has(id));
    for (const id of gone.slice(0, Math.max(0, ids.length - TOLD_MAX))) delete draft.talks[id];
  }
}

/** A mark that no session has. */
const ENDED = "ended";

const roomOf = ({ owed }: SpaceState): number =>
  Math.max(0, OWED_MAX - owed.filter(({ kind }) => kind === RECORD_KINDS.item).length);
