import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConversationEvent } from "../protocol/conversation.ts";
import { ConversationRing } from "./conversation-ring.ts";

const eventOf = (seq: number, delta = "x"): ConversationEvent => ({
  type: "text_delta",
  seq,
  at: "",
  item_id: "i1",
  block: 0,
  delta,
  length: 1,
});
const seqs = (events: readonly ConversationEvent[] | undefined): number[] | undefined => events?.map(({ seq }) => seq);

test("ring: gives what comes after a seq, and nothing for one that it does not have", () => {
  const ring = new ConversationRing(10);
  assert.deepEqual(ring.after(10, 5), []);
  for (let seq = 11; seq <= 15; seq++) ring.push(eventOf(seq));
  assert.deepEqual(seqs(ring.after(10, 3)), [11, 12, 13]);
  assert.deepEqual(seqs(ring.after(14, 9)), [15]);
  assert.deepEqual(seqs(ring.after(15, 9)), []);
  assert.equal(ring.after(9, 9), undefined, "older than what is kept");
  assert.equal(ring.after(16, 9), undefined, "of a future that was lost");
});

test("ring: the oldest go, by number and by size", () => {
  const many = new ConversationRing(0);
  for (let seq = 1; seq <= 6_000; seq++) many.push(eventOf(seq));
  assert.equal(many.after(0, 1), undefined);
  assert.deepEqual(seqs(many.after(1_500, 1)), [1_501]);
  const large = new ConversationRing(0);
  for (let seq = 1; seq <= 40; seq++) large.push(eventOf(seq, "y".repeat(256 * 1024)));
  assert.equal(large.after(1, 1), undefined);
  assert.deepEqual(seqs(large.after(39, 1)), [40]);
});
