import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConversationItem } from "../../protocol/conversation.ts";
import { type TalkItem, toldItemsOf, toldTalk } from "../../sealing/item.ts";
import { earlierCount, furthest, itemsOf, type KeptTalk, withTalkItem } from "./kept-talk.ts";

const said = (id: number, seq: number, text = `text ${seq}`): ConversationItem => ({
  id: `i${id}`,
  at: "2026-11-01T12:00:00.000Z",
  seq,
  kind: "agent_message",
  content: [{ type: "text", text }],
});
const at = (items: ConversationItem[], droppedCount = 0) =>
  toldTalk({
    seq: items.reduce((most, { seq }) => Math.max(most, seq), 0),
    state: "idle",
    items,
    dropped_count: droppedCount,
  });
const read = (records: readonly TalkItem[], before?: KeptTalk): KeptTalk =>
  records.reduce<KeptTalk | undefined>((talk, record) => withTalkItem(talk, record, 1_000), before)!;
const shown = (talk: KeptTalk): string =>
  itemsOf(talk)
    .map(({ id, seq }) => `${id}@${seq}`)
    .join(" ");

test("kept talk: entries stand where they began, each once and as it was last, whatever comes twice", () => {
  const first = toldItemsOf("fox", at([said(0, 1), said(1, 2)]));
  const next = toldItemsOf("fox", at([said(0, 5), said(1, 2), said(2, 4)]), 2);
  const talk = read([...first, ...next]);
  assert.equal(shown(talk), "i0@5 i1@2 i2@4");
  assert.deepEqual([talk.seq, talk.isIncomplete], [5, false]);
  const again = read([...next, ...first, ...next], talk);
  assert.deepEqual(again, talk);
});

test("kept talk: a record that follows something that has not come leaves the conversation incomplete", () => {
  const talk = read(toldItemsOf("fox", at([said(0, 1)])));
  const behind = read(toldItemsOf("fox", at([said(0, 1), said(1, 8), said(2, 9)]), 7), talk);
  assert.equal(shown(behind), "i0@1 i1@8 i2@9");
  assert.equal(behind.isIncomplete, true);
  // Whoever has nothing of it, and hears the middle, lacks the beginning.
  assert.equal(read(toldItemsOf("fox", at([said(1, 8)]), 7)).isIncomplete, true);
});

test("kept talk: a beginning lets go what a hole parts it from, and what the machine has lost", () => {
  const talk = read(toldItemsOf("fox", at([said(0, 1), said(1, 2)])));
  const items = Array.from({ length: 400 }, (_, index) => said(index, index + 1));
  const anew = read(toldItemsOf("fox", at(items)), talk);
  assert.deepEqual([itemsOf(anew).length, earlierCount(anew), anew.isIncomplete], [200, 200, false]);
  const joined = read(toldItemsOf("fox", at(items)), read(toldItemsOf("fox", at(items.slice(0, 250)))));
  assert.deepEqual([itemsOf(joined).length, earlierCount(joined), joined.isIncomplete], [350, 50, false]);
  const lost = read(toldItemsOf("fox", at([said(0, 1), said(9, 2)])), anew);
  assert.equal(shown(lost), "i0@1 i9@2");
});

test("kept talk: the oldest entries go when there are too many, or they are too long", () => {
  const count = read(toldItemsOf("fox", at(Array.from({ length: 900 }, (_, index) => said(index, index + 1))), 0));
  assert.deepEqual([itemsOf(count).length, earlierCount(count), count.isIncomplete], [400, 500, false]);
  const long = Array.from({ length: 200 }, (_, index) => said(index, index + 1, "x".repeat(9_000)));
  const chars = read(toldItemsOf("fox", at(long), 0));
  assert.ok(JSON.stringify(chars).length < 530_000 && itemsOf(chars).length > 50);
});

test("kept talk: of two hubs' the one that goes further is shown", () => {
  const [near, far] = [
    read(toldItemsOf("fox", at([said(0, 1)]))),
    read(toldItemsOf("fox", at([said(0, 1), said(1, 2)]))),
  ];
  assert.equal(furthest([far, near]), far);
  assert.equal(furthest([{ ...far, isIncomplete: true }, far]), far);
  assert.equal(furthest([]), undefined);
});
