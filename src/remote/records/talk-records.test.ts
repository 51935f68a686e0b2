import assert from "node:assert/strict";
import { test } from "node:test";
import { itemsOf, type KeptTalk, withTalkItem } from "../../client/remote/kept-talk.ts";
import type { ConversationItem, ConversationSnapshot } from "../../protocol/conversation.ts";
import type { Session } from "../../protocol/units.ts";
import { decodeTalkItem, type TalkItem } from "../../sealing/item.ts";
import { RECORD_KINDS } from "../../sealing/record.ts";
import { RecordsSite, type TestReader } from "./testing/records-site.ts";

/** An agent's conversation as its server has it, and the look at it that the machine's side takes. */
class Talk {
  readonly id: string;
  readonly items: ConversationItem[] = [];
  readonly #site: RecordsSite;
  seq = 0;
  readCount = 0;
  isOpen = true;

  constructor(site: RecordsSite, id: string) {
    this.#site = site;
    this.id = id;
  }

  say(...texts: string[]): void {
    for (const text of texts) {
      const at = new Date(this.#site.clock.wallMs()).toISOString();
      const content = [{ type: "text", text }];
      this.items.push({ id: `${this.id}-${this.items.length}`, at, seq: ++this.seq, kind: "agent_message", content });
    }
  }

  change(index: number, text: string): void {
    this.items[index] = {
      ...this.items[index]!,
      seq: ++this.seq,
      content: [{ type: "text", text }],
    } as ConversationItem;
  }

  get snapshot(): ConversationSnapshot {
    this.readCount += 1;
    return structuredClone({ seq: this.seq, state: "idle", info: {}, items: this.items, dropped_count: 0 });
  }

  /** What a look sees of it, as far as that counts here. */
  session(state: Session["state"]): Session {
    const active_at = new Date(this.#site.clock.wallMs() - 5_000 + this.seq).toISOString();
    return { id: this.id, name: this.id, kind: "agent", state, active_at } as Session;
  }
}

let turn = 0;

async function look(site: RecordsSite, ...talks: Talk[]): Promise<void> {
  await site.until(() => site.watching !== undefined, "somebody watches");
  const state = turn++ % 2 === 0 ? "idle" : "needs_you";
  site.watching!.onSessions!(
    talks.filter(({ isOpen }) => isOpen).map((talk) => talk.session(state)),
    async (id) => talks.find((talk) => talk.id === id)!.snapshot,
  );
  await site.pass(4_000);
}

const itemsRead = (reader: TestReader): TalkItem[] =>
  reader.store.rows.filter(({ kind }) => kind === RECORD_KINDS.item).map(({ text }) => decodeTalkItem(text));

const keptBy = (reader: TestReader, id: string): KeptTalk =>
  itemsRead(reader)
    .filter(({ session }) => session === id)
    .reduce<KeptTalk | undefined>((kept, item) => withTalkItem(kept, item, 0), undefined)!;

/** By id and change: what a device has of it, and what there is. */
const shownOf = (items: readonly ConversationItem[]): string[] => items.map(({ id, seq }) => `${id}@${seq}`);

test("conversations: a device that was away reads what was said, after the machine has died; nothing comes twice", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  const talk = new Talk(site, "fox");
  talk.say("What is to be done?", "This.");
  await look(site, talk);
  await look(site, talk);
  talk.say("Then that.");
  talk.change(1, "This, and more.");
  await look(site, talk);
  site.kill();
  await phone.fetch();
  const kept = keptBy(phone, "fox");
  assert.deepEqual(shownOf(itemsOf(kept)), shownOf(talk.items));
  assert.deepEqual(itemsOf(kept), talk.items);
  assert.deepEqual(
    itemsRead(phone).map(({ after, seq, begins }) => [after, seq, begins]),
    [
      [0, 2, true],
      [2, 4, undefined],
    ],
  );
  assert.deepEqual([kept.isIncomplete, await phone.gaps(), phone.refused], [false, [], []]);
});

test("conversations: the next server goes on where the one before stood, and asks for nothing that has not changed", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  const talk = new Talk(site, "fox");
  talk.say("one");
  const quiet = talk.session("idle");
  const show = async (): Promise<void> => {
    await site.until(() => site.watching !== undefined, "somebody watches");
    site.watching!.onSessions!([quiet], async () => talk.snapshot);
    await site.pass(4_000);
  };
  await show();
  const { readCount } = talk;
  site.kill();
  await site.start();
  await site.isReady();
  await show();
  assert.equal(talk.readCount, readCount);
  talk.say("two");
  await look(site, talk);
  await phone.fetch();
  assert.deepEqual(
    itemsRead(phone).map(({ after, seq }) => [after, seq]),
    [
      [0, 1],
      [1, 2],
    ],
  );
});

test("conversations: a machine that is killed at any write leaves nothing out, and its reader sees each entry once", async () => {
  for (let writes = 0; writes <= 8; writes++) {
    await using site = await RecordsSite.make();
    const phone = await site.device("phone");
    const talk = new Talk(site, "fox");
    talk.say("before");
    await look(site, talk);
    talk.say(...Array.from({ length: 6 }, (_, index) => `${index} ${"x".repeat(9_000)}`));
    site.writesLeft = writes;
    await look(site, talk).catch(() => {});
    site.kill();
    await site.start();
    await site.isReady();
    talk.change(0, "before, as it is after");
    await look(site, talk);
    await phone.fetch();
    const kept = keptBy(phone, "fox");
    assert.deepEqual(itemsOf(kept), talk.items, `killed after ${writes}`);
    assert.deepEqual([kept.isIncomplete, await phone.gaps()], [false, []], `killed after ${writes}`);
    const changes = itemsRead(phone).flatMap(({ entries }) => shownOf(entries.map(([, item]) => item)));
    assert.equal(new Set(changes).size, changes.length, `nothing is sealed twice, killed after ${writes}`);
  }
});

test("conversations: while the hub is away little is sealed ahead; then the rest comes, as it is by then", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  const talk = new Talk(site, "fox");
  talk.say("first");
  await look(site, talk);
  site.isMute = true;
  for (let index = 0; index < 20; index++) {
    talk.say(`${index} ${"x".repeat(9_000)}`);
    await look(site, talk);
  }
  const space = [...site.files].find(([name]) => name.startsWith("space-"))!;
  const { owed } = JSON.parse(space[1]) as { owed: { kind: number }[] };
  assert.equal(owed.filter(({ kind }) => kind === RECORD_KINDS.item).length, 8);
  site.isMute = false;
  site.kill();
  await site.start();
  await site.isReady();
  talk.say("last");
  await look(site, talk);
  await site.pass(10_000);
  await phone.fetch();
  const kept = keptBy(phone, "fox");
  assert.deepEqual([shownOf(itemsOf(kept)), kept.isIncomplete], [shownOf(talk.items), false]);
});

test("conversations: who joins later gets the last of them, and the one before nothing twice", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  const talk = new Talk(site, "fox");
  talk.say(...Array.from({ length: 300 }, (_, index) => `${index}`));
  await look(site, talk);
  await phone.fetch();
  const tablet = await site.device("tablet");
  await look(site, talk);
  for (const one of [phone, tablet]) {
    await one.fetch();
    const kept = keptBy(one, "fox");
    assert.deepEqual(shownOf(itemsOf(kept)), shownOf(talk.items.slice(100)), one.name);
    assert.equal(kept.isIncomplete, false);
  }
});

test("conversations: what had not gone when a device was revoked is sealed anew, by a key that it never had", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  const lost = await site.device("lost");
  const talk = new Talk(site, "fox");
  talk.say("for both");
  await look(site, talk);
  for (const one of [phone, lost]) await one.fetch();
  site.isMute = true;
  talk.say("not gone yet");
  await look(site, talk);
  const revoked = site.remote!.revoke("lost");
  await site.pass(6_000); // the hub does not hear of it
  await revoked;
  site.isMute = false;
  site.kill();
  await site.start();
  await site.isReady();
  await look(site, talk);
  const everything = site.hub.store.archive.after(phone.login.publicKey, [1], { cursor: 0, limit: 1_000 });
  await phone.fetch();
  assert.deepEqual(shownOf(itemsOf(keptBy(phone, "fox"))), shownOf(talk.items));
  const before = itemsRead(lost).length;
  const reader = await lost.reader();
  for (const { bytes } of everything) await reader.read(reader.place + 1, bytes);
  assert.equal(itemsRead(lost).length, before);
});

test("conversations: each day has another stream; a reader goes on, and what has not changed is not told again", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  const talk = new Talk(site, "fox");
  talk.say("today");
  await look(site, talk);
  await phone.fetch();
  await site.pass(24 * 3_600_000 + 60_000, 3_000_000);
  await site.isReady();
  talk.say("tomorrow");
  await look(site, talk);
  await phone.fetch();
  assert.equal(
    new Set(phone.store.rows.filter(({ kind }) => kind === RECORD_KINDS.item).map(({ stream }) => stream)).size,
    2,
  );
  assert.deepEqual(shownOf(itemsRead(phone).flatMap(({ entries }) => entries.map(([, item]) => item))), [
    "fox-0@1",
    "fox-1@2",
  ]);
});

test("conversations: the last words of a session that has ended are told, and once", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  const talk = new Talk(site, "fox");
  talk.say("one");
  await look(site, talk);
  talk.say("two");
  talk.isOpen = false;
  await look(site, talk);
  const { readCount } = talk;
  await look(site, talk, new Talk(site, "owl"));
  assert.equal(talk.readCount, readCount);
  await phone.fetch();
  assert.deepEqual(shownOf(itemsOf(keptBy(phone, "fox"))), shownOf(talk.items));
});
