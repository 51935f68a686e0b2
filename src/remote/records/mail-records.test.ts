import assert from "node:assert/strict";
import { test } from "node:test";
import { itemsOf, type KeptTalk, withTalkItem } from "../../client/remote/kept-talk.ts";
import type { MailMessage } from "../../protocol/mail-units.ts";
import { decodeTalkItem, MAIL_TOLD, type TalkItem } from "../../sealing/item.ts";
import { isKnownMail, type MailItem } from "../../sealing/mail-item.ts";
import { RECORD_KINDS } from "../../sealing/record.ts";
import type { MailLook } from "./mail-watch.ts";
import { RecordsSite, type TestReader } from "./testing/records-site.ts";

/** A mailbox as a look at it says: numbers are the log's. */
class Mailbox {
  readonly #entries: MailLook = [];

  write(body: string, from = "fox", to = "you"): number {
    const seq = this.#entries.length + 1;
    const at = new Date(seq * 1_000).toISOString();
    const about = { id: `m${seq}`, seq, from, to, addressed_to: to, sent_at: at, thread: `m${seq}`, hops: 0 };
    const message = { ...about, kind: "message", body, data: { of: "a program" } } as MailMessage;
    this.#entries.push({ message, receipts: [{ id: message.id, seq, to, state: "queued", at }] });
    return seq;
  }

  settle(seq: number, state: "seen" | "handled"): void {
    this.#entries[seq - 1]!.receipts[0]!.state = state;
  }

  /** Newest first. */
  look(): MailLook {
    return structuredClone(this.#entries.slice(-200).reverse());
  }
}

async function look(site: RecordsSite, mailbox: Mailbox): Promise<void> {
  await site.until(() => site.mailed !== undefined && site.watching !== undefined, "somebody watches");
  site.watching!.onSessions!([], async () => assert.fail("there is no session"));
  site.mailed!(mailbox.look());
  await site.pass(4_000);
}

const itemsRead = (reader: TestReader): TalkItem<MailItem>[] =>
  reader.store.rows
    .filter(({ kind }) => kind === RECORD_KINDS.item)
    .map(({ text }) => decodeTalkItem<MailItem>(text))
    .filter(({ session }) => session === MAIL_TOLD);

const keptBy = (reader: TestReader): KeptTalk<MailItem> =>
  itemsRead(reader).reduce<KeptTalk<MailItem> | undefined>((kept, item) => withTalkItem(kept, item, 0), undefined)!;

const shownBy = (reader: TestReader): string[] =>
  itemsOf(keptBy(reader)).map(({ message, receipts }) => `${message.seq} ${message.body} ${receipts[0]!.state}`);

/** What was told, change by change. */
const toldTo = (reader: TestReader): string[] =>
  itemsRead(reader).flatMap(({ entries }) => entries.map(([place, { receipts }]) => `${place} ${receipts[0]!.state}`));

test("mail: a device that was away reads what was written, and what became of it, after the machine has died", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  const mailbox = new Mailbox();
  const first = mailbox.write("the build is red");
  await look(site, mailbox);
  mailbox.write("I look at it", "you", "fox");
  mailbox.settle(first, "handled");
  await look(site, mailbox);
  site.kill();
  await phone.fetch();
  assert.deepEqual(shownBy(phone), ["1 the build is red handled", "2 I look at it queued"]);
  assert.deepEqual(toldTo(phone), ["1 queued", "1 handled", "2 queued"]);
  const items = itemsOf(keptBy(phone));
  assert.ok(items.every(isKnownMail));
  assert.ok(!JSON.stringify(items).includes("a program"), "of a message only what a page shows");
  assert.deepEqual([keptBy(phone).isIncomplete, await phone.gaps(), phone.refused], [false, [], []]);
});

test("mail: the next server says what is new alone, whatever write the one before was killed at", async () => {
  for (let writes = 0; writes <= 6; writes++) {
    await using site = await RecordsSite.make();
    const phone = await site.device("phone");
    const mailbox = new Mailbox();
    const first = mailbox.write("before");
    await look(site, mailbox);
    for (let index = 0; index < 4; index++) mailbox.write(`${index} ${"x".repeat(9_000)}`);
    site.writesLeft = writes;
    await look(site, mailbox).catch(() => {});
    site.kill();
    await site.start();
    await site.isReady();
    await look(site, mailbox);
    mailbox.settle(first, "seen");
    await look(site, mailbox);
    await phone.fetch();
    const why = `killed after ${writes}`;
    assert.deepEqual([shownBy(phone).length, shownBy(phone)[0]], [5, "1 before seen"], why);
    assert.deepEqual(toldTo(phone), ["1 queued", "2 queued", "3 queued", "4 queued", "5 queued", "1 seen"], why);
    assert.deepEqual([keptBy(phone).isIncomplete, await phone.gaps()], [false, []], why);
  }
});

test("mail: where nothing has changed nothing is sealed, and nothing is written down", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  const mailbox = new Mailbox();
  await look(site, mailbox);
  assert.equal(site.files.has("mail.json"), false, "of a mailbox without mail");
  mailbox.write("hello");
  await look(site, mailbox);
  const before = new Map(site.files);
  await look(site, mailbox);
  await look(site, mailbox);
  assert.deepEqual(site.files.get("mail.json"), before.get("mail.json"));
  await phone.fetch();
  assert.equal(itemsRead(phone).length, 1);
});

test("mail: who joins later gets the last of it; a message that is too long is cut, and says so", async () => {
  await using site = await RecordsSite.make();
  const phone = await site.device("phone");
  const mailbox = new Mailbox();
  for (let index = 0; index < 250; index++) mailbox.write(`message ${index}`);
  mailbox.write("long ".repeat(10_000));
  await look(site, mailbox);
  await phone.fetch();
  const tablet = await site.device("tablet");
  await look(site, mailbox);
  for (const one of [phone, tablet]) {
    await one.fetch();
    const kept = keptBy(one);
    assert.deepEqual([kept.entries.length, kept.entries[0]![0], kept.isIncomplete], [200, 52, false], one.name);
    const last = itemsOf(kept).at(-1)!;
    assert.ok(isKnownMail(last) && last.cut === true && last.message.body.length < 12_000 && last.message.seq === 251);
  }
});
