import type {
  ContentBlock,
  ConversationEvent,
  ConversationInfo,
  ConversationItem,
  ConversationSnapshot,
  ConversationState,
  ItemOf,
} from "../../protocol/conversation.ts";

/** A conversation as the app holds it: the snapshot of its stream, and the events after it. Pure. */
export interface Talk {
  state: ConversationState;
  info: ConversationInfo;
  items: readonly ConversationItem[];
  droppedCount: number;
}

export const EMPTY_TALK: Talk = { state: "starting", info: {}, items: [], droppedCount: 0 };

export type TalkAction =
  | { type: "snapshot"; snapshot: ConversationSnapshot }
  | { type: "event"; event: ConversationEvent };

export function reduceTalk(talk: Talk, action: TalkAction): Talk {
  if (action.type === "snapshot") {
    const { state, info, items, dropped_count } = action.snapshot;
    return { state, info, items, droppedCount: dropped_count };
  }
  const { event } = action;
  switch (event.type) {
    case "item":
      return { ...talk, items: replaced(talk.items, event.item) };
    case "text_delta":
      return { ...talk, items: withDelta(talk.items, event) };
    case "info":
      return { ...talk, info: { ...talk.info, ...event.info } };
    case "state":
      return { ...talk, state: event.state };
    case "dropped": {
      const gone = new Set(event.item_ids);
      const items = talk.items.filter(({ id }) => !gone.has(id));
      return { ...talk, items, droppedCount: event.dropped_count };
    }
    default:
      return talk; // of a newer server
  }
}

/** Questions that wait for an answer, the oldest first. */
export const openQuestions = ({ items }: Pick<Talk, "items">): ItemOf<"permission">[] =>
  items.filter((item): item is ItemOf<"permission"> => item.kind === "permission" && item.state === "pending");

/** What a question is about. */
export const toolOf = (
  { items }: Pick<Talk, "items">,
  question: ItemOf<"permission">,
): ItemOf<"tool_call"> | undefined =>
  items.find((item): item is ItemOf<"tool_call"> => item.kind === "tool_call" && item.id === question.tool_item_id);

/** The text of blocks; what is no text is said in a word. */
export const textOf = (blocks: readonly ContentBlock[]): string =>
  blocks.map((block) => block.text ?? `[${block.type.replaceAll("_", " ")}]`).join("");

function replaced(items: readonly ConversationItem[], item: ConversationItem): readonly ConversationItem[] {
  const at = items.findLastIndex(({ id }) => id === item.id);
  return at === -1 ? [...items, item] : items.with(at, item);
}

function withDelta(
  items: readonly ConversationItem[],
  { item_id, block, delta, seq }: Extract<ConversationEvent, { type: "text_delta" }>,
): readonly ConversationItem[] {
  const at = items.findLastIndex(({ id }) => id === item_id);
  const item = items[at];
  if (item === undefined || !("content" in item)) return items;
  const blocks = item.content as ContentBlock[];
  const known = blocks[block];
  if (known === undefined) return items;
  const content = blocks.with(block, { ...known, text: (known.text ?? "") + delta });
  return items.with(at, { ...item, content, seq } as ConversationItem);
}
