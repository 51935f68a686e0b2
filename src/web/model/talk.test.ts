import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConversationEvent, ConversationItem } from "../../protocol/conversation.ts";
import { EMPTY_TALK, openQuestions, reduceTalk, type Talk, textOf, toolOf } from "./talk.ts";

const at = "2026-01-01T00:00:00.000Z";
const message = (id: string, text: string): ConversationItem => ({
  id,
  at,
  seq: 1,
  kind: "agent_message",
  content: [{ type: "text", text }],
});
const question = (id: string, state: "pending" | "answered"): ConversationItem => ({
  id,
  at,
  seq: 1,
  kind: "permission",
  title: "Deploy?",
  options: [],
  state,
  tool_item_id: "tool",
});
const heard = (talk: Talk, ...events: Record<string, unknown>[]): Talk =>
  events.reduce<Talk>(
    (now, event) => reduceTalk(now, { type: "event", event: { seq: 2, at, ...event } as ConversationEvent }),
    talk,
  );

test("talk: items are upserts in the order in which they began, and text grows at its block", () => {
  const talk = heard(
    EMPTY_TALK,
    { type: "item", item: message("a", "one") },
    { type: "item", item: message("b", "two") },
    { type: "text_delta", item_id: "a", block: 0, delta: ", more", length: 9 },
    { type: "item", item: message("b", "three") },
    { type: "text_delta", item_id: "gone", block: 0, delta: "x", length: 1 },
    { type: "text_delta", item_id: "a", block: 7, delta: "x", length: 1 },
    { type: "of a newer server" },
  );
  assert.deepEqual(
    talk.items.map((item) => [item.id, item.kind === "agent_message" && textOf(item.content)]),
    [
      ["a", "one, more"],
      ["b", "three"],
    ],
  );
});

test("talk: questions that are open, and what they are about", () => {
  const tool = { id: "tool", at, seq: 1, kind: "tool_call", title: "npm run deploy" } as ConversationItem;
  const talk = heard(EMPTY_TALK, { type: "item", item: tool }, { type: "item", item: question("q", "pending") });
  const [open] = openQuestions(talk);
  assert.equal(open?.id, "q");
  assert.equal(toolOf(talk, open!)?.title, "npm run deploy");
  assert.deepEqual(openQuestions(heard(talk, { type: "item", item: question("q", "answered") })), []);
});

test("talk: a snapshot takes the place of all, what was dropped goes, and what is no text is named", () => {
  const talk = heard(
    EMPTY_TALK,
    { type: "item", item: message("a", "one") },
    { type: "item", item: message("b", "two") },
  );
  assert.deepEqual(
    heard(talk, { type: "dropped", item_ids: ["a"], dropped_count: 1 }).items.map(({ id }) => id),
    ["b"],
  );
  const fresh = reduceTalk(talk, {
    type: "snapshot",
    snapshot: { seq: 9, state: "idle", info: {}, items: [message("c", "three")], dropped_count: 4 },
  });
  assert.deepEqual([fresh.items.map(({ id }) => id), fresh.droppedCount, fresh.state], [["c"], 4, "idle"]);
  assert.equal(textOf([{ type: "text", text: "see " }, { type: "resource_link" }]), "see [resource link]");
});
