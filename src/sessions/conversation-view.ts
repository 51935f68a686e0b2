import type { ConversationSnapshot } from "../protocol/conversation.ts";
import { weigh } from "./agents/clip.ts";

/** UTF-16 units of items in one answer, about. */
const SNAPSHOT_CHARS_MAX = 1024 * 1024;

/** Without the oldest items when all are more than one answer should hold; they count as dropped. At least the newest one is in it. */
export function shortenSnapshot(snapshot: ConversationSnapshot): ConversationSnapshot {
  const { items, dropped_count } = snapshot;
  let first = items.length;
  for (let chars = 0; first > 0; first--) {
    chars += weigh(items[first - 1]);
    if (chars > SNAPSHOT_CHARS_MAX && first < items.length) break;
  }
  return first === 0 ? snapshot : { ...snapshot, items: items.slice(first), dropped_count: dropped_count + first };
}
