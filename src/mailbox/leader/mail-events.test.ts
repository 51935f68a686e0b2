import assert from "node:assert/strict";
import { test } from "node:test";
import type { RoutedEvent } from "../../serving/subscriptions.ts";
import { EVENTS_KEPT } from "./limits.ts";
import { MailEvents } from "./mail-events.ts";

function eventsOf(epoch: number): { events: MailEvents; published: RoutedEvent[] } {
  const published: RoutedEvent[] = [];
  const events = new MailEvents({ epoch, nowMs: () => 0, publish: (routed) => published.push(routed) });
  return { published, events };
}

function followed(epoch: number): ReturnType<typeof eventsOf> {
  const found = eventsOf(epoch);
  found.events.get("mail")?.snapshot({});
  return found;
}

test("events: whoever follows gets all that is told from then on; before anybody does, they are only counted", () => {
  const { events, published } = eventsOf(3);
  events.tell("message_sent", { id: "a" });
  const mail = events.get("mail")!;
  const { seq } = mail.snapshot({});
  assert.equal(published.length, 0);
  assert.equal(mail.after(seq - 1, 1), undefined);
  assert.deepEqual(mail.after(seq, 1), []);
  events.tellOne("bob", "message_queued", { id: "b" });
  events.tell("message_sent", { id: "b" });
  assert.deepEqual(
    published.map(({ event }) => event.seq),
    [seq + 1, seq + 2],
  );
  assert.deepEqual(mail.after(seq, 10), [published[1]]);
});

test("events: each stream has its own; whoever was away gets what it missed of it, in order", () => {
  const { events, published } = followed(1);
  events.tell("message_sent", { id: "a" });
  events.tellOne("bob", "message_queued", { id: "a" });
  events.tell("message_sent", { id: "b" });
  const ids = (stream: string, since: number) =>
    events
      .get(stream)
      ?.after(since, 10)
      ?.map(({ event }) => event.data.id);
  const first = published[0]!.event.seq;
  assert.deepEqual(ids("mail", first - 1), ["a", "b"]);
  assert.deepEqual(ids("mail", first), ["b"]);
  assert.deepEqual(ids("mail/bob", first), ["a"]);
  assert.deepEqual(ids("mail/eve", first), []);
  assert.equal(events.get("mail/"), undefined);
  assert.equal(events.get("jobs"), undefined);
});

test("events: what is gone, and what another leader has counted, is a gap", () => {
  const { events, published } = followed(2);
  const before = followed(1);
  before.events.tell("message_sent", {});
  assert.equal(events.get("mail")?.after(before.published[0]!.event.seq, 1), undefined);
  for (let count = 0; count < 2 * EVENTS_KEPT + 1; count++) events.tell("message_sent", {});
  assert.equal(events.get("mail")?.after(published[0]!.event.seq, 1), undefined);
  const { seq } = events.get("mail")!.snapshot({});
  assert.equal(events.get("mail")?.after(seq - EVENTS_KEPT, EVENTS_KEPT)?.length, EVENTS_KEPT);
});
