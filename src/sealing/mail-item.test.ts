import assert from "node:assert/strict";
import { test } from "node:test";
import type { MailMessage } from "../protocol/mail-units.ts";
import {
  decodeTalkItem,
  encodeTalkItem,
  MAIL_TOLD,
  streamOfItems,
  TALK_RECORD_BYTES_MAX,
  toldItemsOf,
} from "./item.ts";
import { isKnownMail, isUnreadBy, type MailItem, mailItemOf } from "./mail-item.ts";

const message: MailMessage = {
  id: "m7",
  seq: 7,
  from: "fox",
  to: "you",
  addressed_to: "@all",
  sent_at: "2026-11-01T12:00:00.000Z",
  body: "hello",
  kind: "ask",
  thread: "m7",
  hops: 0,
};
const queued = { to: "you", state: "queued" };

test("mail items: of a message that which a page shows, under its place in the mailbox", () => {
  const item = mailItemOf({ ...message, data: { secret: 1 }, other: 2 }, [{ ...queued, reason: "none" } as never], 9);
  assert.deepEqual(item, { id: "7", at: message.sent_at, seq: 9, kind: "mail", message, receipts: [queued] });
  assert.deepEqual([streamOfItems(MAIL_TOLD), streamOfItems("fox")], ["mail", "talk/fox"]);
});

test("mail items: whatever is long in one, its record is none too long, and it can be shown", () => {
  const long = "ä".repeat(100_000);
  for (const change of [{ body: long }, { subject: long, body: long }]) {
    const many = Array.from({ length: 5_000 }, (_, index) => ({ to: `name-${index}`, state: "queued" }));
    const told = { seq: 1, state: "idle" as const, entries: [[7, mailItemOf({ ...message, ...change }, many, 1)]] };
    const [record] = toldItemsOf(MAIL_TOLD, told as { entries: [number, MailItem][] } & typeof told);
    const text = encodeTalkItem(record!);
    assert.ok(text.length <= TALK_RECORD_BYTES_MAX);
    const [[, item]] = decodeTalkItem<MailItem>(text).entries as [[number, MailItem]];
    assert.deepEqual([isKnownMail(item), item.cut, item.message.from], [true, true, "fox"]);
  }
});

test("mail items: what is none of a form that is known is not shown", () => {
  const item = mailItemOf(message, [queued], 1);
  assert.equal(isKnownMail(item), true);
  for (const change of [
    { kind: "dream" },
    { message: { ...message, body: 7 } },
    { message: { ...message, subject: 7 } },
    { message: undefined },
    { receipts: [{ to: "you" }] },
  ])
    assert.equal(isKnownMail({ ...item, ...change } as MailItem), false, JSON.stringify(change));
});

test("mail items: unread is what is queued or offered for whoever it is, and nothing else", () => {
  const states = ["queued", "offered", "seen", "handled", "replied", "expired", "dead"];
  assert.deepEqual(
    states.map((state) => isUnreadBy("you", { receipts: [{ to: "you", state }] })),
    [true, true, false, false, false, false, false],
  );
  assert.equal(isUnreadBy("fox", { receipts: [queued] }), false);
});
