import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConversationItem } from "../protocol/conversation.ts";
import { utf8 } from "./bytes.ts";
import {
  decodeTalkItem,
  encodeTalkItem,
  TALK_BEGIN_BYTES_MAX,
  TALK_BEGIN_ENTRIES_MAX,
  TALK_RECORD_BYTES_MAX,
  type TalkItem,
  toldItemsOf,
  toldTalk,
} from "./item.ts";
import { isKnownItem } from "./item-kinds.ts";

const AT = "2026-11-01T12:00:00.000Z";
const said = (id: number, seq: number, text = `text ${id}`): ConversationItem => ({
  id: `i${id}`,
  at: AT,
  seq,
  kind: "agent_message",
  content: [{ type: "text", text }],
});
const talk = (items: ConversationItem[], droppedCount = 0) =>
  toldTalk({
    seq: items.reduce((most, { seq }) => Math.max(most, seq), 0),
    state: "idle",
    items,
    dropped_count: droppedCount,
  });
const many = (count: number, text?: string) => talk(items(count, text));
const items = (count: number, text?: string) =>
  Array.from({ length: count }, (_, index) => said(index, index + 1, text));
const entriesOf = (records: readonly TalkItem[]): string[] =>
  records.flatMap(({ entries }) => entries.map(([place, { id, seq }]) => `${place}:${id}@${seq}`));

test("talk items: what has changed is told in the order of its changes, and each record follows the one before", () => {
  const conversation = talk([said(0, 9), said(1, 3), said(2, 7)], 5);
  const records = toldItemsOf("fox", conversation, 3);
  assert.deepEqual(entriesOf(records), ["7:i2@7", "5:i0@9"]);
  assert.deepEqual([records[0]!.after, records.at(-1)!.seq], [3, 9]);
  assert.deepEqual(toldItemsOf("fox", conversation, 9), []);
});

test("talk items: a long conversation is many records, none longer than it may be, without a hole between them", () => {
  const records = toldItemsOf("fox", many(100, "ä".repeat(2_000)));
  assert.ok(records.length > 20);
  for (const [index, record] of records.entries()) {
    assert.ok(encodeTalkItem(record).length <= TALK_RECORD_BYTES_MAX);
    assert.equal(record.after, records[index - 1]?.seq ?? record.after);
    assert.equal(record.begins, index === 0 ? true : undefined);
  }
});

test("talk items: a beginning is the last entries, as many as fit, and says up to where nothing is missed", () => {
  const byCount = toldItemsOf("fox", many(500));
  assert.equal(entriesOf(byCount).length, TALK_BEGIN_ENTRIES_MAX);
  assert.deepEqual([byCount[0]!.after, byCount.at(-1)!.seq], [300, 500]);
  const byBytes = toldItemsOf("fox", many(150, "x".repeat(9_000)));
  const bytes = byBytes.reduce((sum, record) => sum + encodeTalkItem(record).length, 0);
  assert.ok(bytes > TALK_BEGIN_BYTES_MAX / 2 && bytes < TALK_BEGIN_BYTES_MAX * 1.1, `${bytes}`);
  // The first one, which is left out, has changed last.
  const late = toldItemsOf(
    "fox",
    talk([said(0, 1_000), ...items(300).map((item) => ({ ...item, seq: item.seq + 1 }))]),
  );
  assert.equal(late[0]!.after, 1_000);
});

test("talk items: an entry that is too long is cut and says so, whatever makes it long", () => {
  const long: ConversationItem[] = [
    said(0, 1, "😀".repeat(100_000)),
    {
      id: "call",
      at: AT,
      seq: 2,
      kind: "tool_call",
      tool_call_id: "t",
      title: "edit",
      tool_kind: "edit",
      status: "completed",
      locations: Array.from({ length: 2_000 }, (_, line) => ({ path: `/some/where/${line}`, line })),
      content: [{ type: "diff", path: "a", oldText: "a".repeat(50_000), newText: "b".repeat(50_000) }],
      raw_input: { deep: wide(4) },
      terminal_ids: [],
    },
  ];
  const records = toldItemsOf("fox", talk(long));
  assert.equal(records.flatMap(({ entries }) => entries).length, 2);
  for (const record of records) {
    assert.ok(encodeTalkItem(record).length <= TALK_RECORD_BYTES_MAX);
    const read = decodeTalkItem(encodeTalkItem(record));
    assert.deepEqual(read, record, "it is still what it was");
    for (const [, item] of read.entries) assert.equal(item.cut, true);
  }
  const [first] = records[0]!.entries;
  assert.match(JSON.stringify(first), /😀…/, "no half of a character");
});

/** More fields than any cut of lists and texts makes fit. */
function wide(depth: number): unknown {
  return depth === 0 ? "leaf" : Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`f${at}`, wide(depth - 1)]));
}

test("talk items: what is no conversation's record is refused; an entry that is none is left out", () => {
  const record = toldItemsOf("fox", many(2))[0]!;
  const changed = (change: object): Uint8Array => utf8(JSON.stringify({ ...record, ...change }));
  for (const bad of [
    utf8("nothing"),
    Uint8Array.of(0xff, 0xfe),
    changed({ session: "" }),
    changed({ after: -1 }),
    changed({ after: 3, seq: 2 }),
    changed({ entries: [7] }),
    changed({ newest: 1.5 }),
    utf8("null"),
  ])
    assert.throws(() => decodeTalkItem(bad), { code: "FORM_INVALID" });
  const [first] = record.entries;
  const readOf = (...entries: unknown[]) => decodeTalkItem(changed({ entries })).entries;
  assert.deepEqual(readOf(["first", first![1]], [1, null], [2, { id: "x" }], first), [first]);
  // Kept for an app that knows it, and not shown by this one.
  const [known, newer, odd, inherited] = readOf(
    first,
    [2, { ...first![1], kind: "dream" }],
    [3, { ...first![1], content: "no blocks" }],
    [4, { ...first![1], kind: "toString" }],
  ).map(([, item]) => isKnownItem(item));
  assert.deepEqual([known, newer, odd, inherited], [true, false, false, false]);
});
