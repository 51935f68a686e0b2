import assert from "node:assert/strict";
import { test } from "node:test";
import { type KeptTalk, withTalkItem } from "../../client/remote/kept-talk.ts";
import type { MailMessage } from "../../protocol/mail-units.ts";
import { MAIL_TOLD, type TalkEntry, toldItemsOf } from "../../sealing/item.ts";
import { type MailItem, mailItemOf } from "../../sealing/mail-item.ts";
import { EMPTY_HOME, type Home, type HomeWay, type Mail } from "./home.ts";
import { isHeard, type ShownMail, shownMail } from "./left-mail.ts";

const message = (seq: number, body = `text ${seq}`): MailMessage => ({
  id: `m${seq}`,
  seq,
  from: "fox",
  to: "you",
  addressed_to: "you",
  sent_at: "2026-11-01T12:00:00.000Z",
  body,
  kind: "message",
  thread: `m${seq}`,
  hops: 0,
});

/** As the machine has left it: the last one is unread. */
function left(...messages: MailMessage[]): KeptTalk<MailItem> {
  const entries = messages.map((one, index): TalkEntry<MailItem> => {
    const state = index === messages.length - 1 ? "queued" : "handled";
    return [one.seq, mailItemOf(one, [{ to: "you", state }], index + 1)];
  });
  const records = toldItemsOf(MAIL_TOLD, { seq: messages.length, state: "idle", entries });
  return records.reduce<KeptTalk<MailItem> | undefined>((kept, item) => withTalkItem(kept, item, 5), undefined)!;
}

const home = (way: HomeWay["kind"], state: Mail["state"], ...messages: MailMessage[]): Pick<Home, "way" | "mail"> => ({
  way: { kind: way } as HomeWay,
  mail: { ...EMPTY_HOME.mail, state, messages: messages.map((one) => ({ message: one, receipts: [] })) },
});

const bodies = ({ messages }: ShownMail): string[] => messages.map((one) => one.message.body);

test("left mail: of a machine that is away, newest first, with what is unread and as of when", () => {
  const shown = shownMail(home("away", "unknown"), left(message(1), message(4), message(9)), "you");
  assert.deepEqual(bodies(shown), ["text 9", "text 4", "text 1"]);
  assert.deepEqual(
    shown.unread.map(({ seq }) => seq),
    [9],
  );
  assert.deepEqual(shown.left, { atMs: 5, isIncomplete: false });
});

test("left mail: the mailbox's own word takes its place, once it has said it", () => {
  const kept = left(message(1), message(2));
  const coming = shownMail(home("live", "unknown"), kept, "you");
  assert.deepEqual([bodies(coming).length, coming.left !== undefined], [2, true], "the machine is there, and silent");
  const live = shownMail(home("live", "live", message(2), message(1)), kept, "you");
  assert.deepEqual([bodies(live), live.left], [["text 2", "text 1"], undefined]);
  assert.equal(isHeard(home("away", "live")), false);
});

test("left mail: what this page has heard itself may go further; what it cannot show is passed over", () => {
  const heard = home("away", "live", message(3), message(2));
  assert.equal(shownMail(heard, left(message(2)), "you").left, undefined);
  assert.ok(shownMail(heard, left(message(2), message(3)), "you").left);
  assert.equal(shownMail(heard, undefined, "you").left, undefined);
  const kept = left(message(1), message(2, "x".repeat(50_000)));
  const entries = kept.entries.map(
    ([place, item], index): TalkEntry<MailItem> =>
      index === 0 ? [place, { ...item, kind: "dream" as "mail" }] : [place, item],
  );
  const shown = shownMail(home("away", "unknown"), { ...kept, entries }, "you");
  assert.deepEqual(
    shown.messages.map(({ message: { seq }, isCut }) => [seq, isCut]),
    [[2, true]],
  );
});
