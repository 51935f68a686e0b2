import assert from "node:assert/strict";
import { test } from "node:test";
import { itemsOf } from "../../../client/remote/kept-talk.ts";
import type { RecordRow } from "../../../client/remote/record-store.ts";
import type { ConversationItem } from "../../../protocol/conversation.ts";
import { encodeTalkItem, MAIL_TOLD, toldItemsOf, toldTalk } from "../../../sealing/item.ts";
import { mailItemOf } from "../../../sealing/mail-item.ts";
import { RECORD_KINDS } from "../../../sealing/record.ts";
import { KeptTalks } from "../kept-talks.ts";
import { RecordShelf } from "./record-shelf.ts";
import { MemoryShelf } from "./shelf.ts";
import { KEPT_TALKS_CHARS_MAX, KEPT_TALKS_MAX } from "./talk-shelf.ts";

const said = (id: number, text: string): ConversationItem => ({
  id: `i${id}`,
  at: "2026-11-01T12:00:00.000Z",
  seq: id + 1,
  kind: "agent_message",
  content: [{ type: "text", text }],
});

/** The records of a conversation with these texts. */
function recordsOf(
  session: string,
  texts: readonly string[],
  { hub = "h1", machine = "m1", atMs = 1 } = {},
): RecordRow[] {
  const items = texts.map((text, index) => said(index, text));
  const conversation = { seq: items.length, state: "idle" as const, items, dropped_count: 0 };
  return toldItemsOf(session, toldTalk(conversation)).map((item, index) => ({
    hub,
    machine,
    kind: RECORD_KINDS.item,
    stream: session,
    seq: index + 1,
    atMs,
    text: encodeTalkItem(item),
  }));
}

function site() {
  const shelf = new MemoryShelf();
  let place = 0;
  const put = async (store: RecordShelf, rows: readonly RecordRow[]): Promise<void> => {
    for (const row of rows) await store.commit(row.hub, { place: ++place, row });
  };
  const shown = async (store: RecordShelf, session: string, machine = "m1"): Promise<string[]> => {
    const talk = await store.talks.read(machine, session, ["h1", "h2"]);
    return talk ? itemsOf(talk).map((item) => (item.kind === "agent_message" ? item.content[0]!.text! : "")) : [];
  };
  return { shelf, put, shown, open: () => new RecordShelf(shelf) };
}

test("talk shelf: a conversation is there after the page was closed, and what comes again changes nothing", async () => {
  const { put, shown, open } = site();
  await put(open(), recordsOf("fox", ["a", "b"]));
  const later = open();
  await put(later, recordsOf("fox", ["a", "b", "c"]));
  assert.deepEqual(await shown(later, "fox"), ["a", "b", "c"]);
  assert.deepEqual(await later.rows(), [], "it is no unit");
});

test("talk shelf: by several hubs the one is shown that goes further; with a hub, or its machine, what it gave is gone", async () => {
  const { put, shown, open } = site();
  const store = open();
  await put(store, [
    ...recordsOf("fox", ["a"]),
    ...recordsOf("fox", ["a", "b"], { hub: "h2" }),
    ...recordsOf("owl", ["o"], { machine: "m2" }),
  ]);
  assert.deepEqual(await shown(store, "fox"), ["a", "b"]);
  await store.forget("h2");
  assert.deepEqual(await shown(store, "fox"), ["a"]);
  await store.forgetMachine("m1", ["h1"]);
  assert.deepEqual([await shown(store, "fox"), await shown(store, "owl", "m2")], [[], ["o"]]);
});

test("talk shelf: mail lies beside the conversations, by its machine, and goes as they do", async () => {
  const { put, open, shown } = site();
  const store = open();
  const at = "2026-11-01T12:00:00.000Z";
  const about = { id: "m1", seq: 1, from: "fox", to: "you", addressed_to: "you", sent_at: at, thread: "m1", hops: 0 };
  const item = mailItemOf({ ...about, kind: "message", body: "hello" }, [], 5);
  const [told] = toldItemsOf(MAIL_TOLD, { seq: 5, state: "idle", entries: [[1, item]] });
  const row = { hub: "h1", machine: "m1", kind: RECORD_KINDS.item, stream: "s", seq: 1, atMs: 1 };
  await put(store, [{ ...row, text: encodeTalkItem(told!) }, ...recordsOf("fox", ["a"])]);
  const mails = new KeptTalks(open().talks, async () => [{ fingerprint: "h1" }, { fingerprint: "h2" }]);
  assert.deepEqual((await mails.mail("m1"))?.entries, [[1, item]]);
  assert.deepEqual([await mails.mail("m2"), await shown(store, "fox")], [undefined, ["a"]]);
  await store.forgetMachine("m1", ["h1"]);
  assert.deepEqual([await mails.mail("m1"), await shown(store, "fox")], [undefined, []]);
});

test("talk shelf: past either bound those go of which nothing was heard for the longest", async () => {
  const { shelf, put, shown, open } = site();
  const store = open();
  for (let index = 0; index < KEPT_TALKS_MAX; index++) await put(store, recordsOf(`s${index}`, ["x"], { atMs: index }));
  await put(open(), recordsOf("new", ["y"], { atMs: 0 })); // with another page's knowledge of what is there
  assert.equal((await shelf.all("talks")).length, KEPT_TALKS_MAX);
  assert.deepEqual([await shown(store, "s0"), await shown(store, "s1"), await shown(store, "new")], [[], ["x"], ["y"]]);
  const long = Array.from({ length: 25 }, () => "z".repeat(9_000));
  const another = open();
  for (let index = 0; index < 50; index++) await put(another, recordsOf(`long${index}`, long, { atMs: 1_000 + index }));
  const kept = await shelf.all("talks");
  assert.ok(JSON.stringify(kept).length < KEPT_TALKS_CHARS_MAX * 1.1);
  assert.ok(kept.length > 20 && kept.some(({ key }) => key.endsWith("/long49")));
});

test("talk shelf: an item of another form is passed over, and the reading goes on", async () => {
  const { shelf, put, open } = site();
  const [row] = recordsOf("fox", ["a"]);
  await put(open(), [{ ...row!, text: new TextEncoder().encode('{"of":"later"}') }]);
  assert.deepEqual([(await shelf.all("talks")).length, (await open().load("h1")).place], [0, 1]);
});
