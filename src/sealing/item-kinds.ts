import type { ConversationItem } from "../protocol/conversation.ts";
import { hasShape, type Shape } from "./item.ts";

/** What entries of a conversation have, by their kind: apart from the reading of records, so that a page loads it with what shows them. */
const SAID: Shape = { content: [{ type: "text" }] };
const ITEMS: Readonly<Record<ConversationItem["kind"], Shape>> = {
  user_message: SAID,
  agent_message: SAID,
  thought: SAID,
  tool_call: {
    tool_call_id: "text",
    title: "text",
    tool_kind: "text",
    status: "text",
    locations: [{ path: "text" }],
    content: [{ type: "text" }],
    terminal_ids: ["text"],
  },
  plan: { entries: [{ content: "text", priority: "text", status: "text" }] },
  permission: { title: "text", options: [{ optionId: "text", name: "text", kind: "text" }], state: "text" },
  turn: { state: "text" },
  notice: { severity: "text", text: "text" },
  error: { code: "text", message: "text" },
  garbage: { text: "text", line_count: "count", bytes: "count" },
};

/** It can be shown. A newer machine may tell of others; they are kept, for a newer app. */
export const isKnownItem = (item: ConversationItem): boolean =>
  Object.hasOwn(ITEMS, item.kind) && hasShape(item, ITEMS[item.kind]);
