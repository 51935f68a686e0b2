import assert from "node:assert/strict";
import { test } from "node:test";
import { TestWriter } from "../mailbox/log/log-fixture.ts";
import type { PayloadFor } from "../mailbox/log/operations.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import { takeReply } from "./take-reply.ts";

const THREAD = "exchange";

/** What fox, who has asked, says to the mailbox. */
const foxAt =
  (log: TestWriter) =>
  async <T extends "mail.fetch" | "mail.nak">(type: T, payload: PayloadOf<T>): Promise<DataOf<T>> =>
    log.ask("fox", type, payload as PayloadFor<T>) as DataOf<T>;

const sent = (log: TestWriter, body: string) =>
  log.ask("owl", "mail.send", { to: ["fox"], body, thread: THREAD }).message;

test("mail: a reply is taken alone; what its sender wrote after it stays unread", async () => {
  using log = new TestWriter();
  const reply = sent(log, "yes");
  sent(log, "and a note");
  assert.equal((await takeReply(foxAt(log), reply))?.body, "yes");
  log.ask("fox", "mail.ack", { ids: [reply.id] });
  const { messages } = log.ask("fox", "mail.fetch", { peek: true });
  assert.deepEqual(
    messages.map(({ body, offers }) => [body, offers]),
    [["and a note", 0]],
  );
});

test("mail: a note that nobody has read outlives any number of replies in its thread", async () => {
  using log = new TestWriter();
  sent(log, "a note");
  for (let count = 1; count <= 11; count++) assert.equal(await takeReply(foxAt(log), sent(log, "yes")), undefined);
  const { messages } = log.ask("fox", "mail.fetch", { peek: true });
  assert.deepEqual([messages.length, messages[0]?.body, messages[0]?.offers], [12, "a note", 0]);
});

test("mail: a reply that another reader has taken meanwhile: what is handed out in its place is given back", async () => {
  using log = new TestWriter();
  const reply = sent(log, "yes");
  sent(log, "and a note");
  const fox = foxAt(log);
  const late: typeof fox = async (type, payload) => {
    const answer = await fox(type, payload);
    if ("peek" in payload) log.ask("fox", "mail.fetch", { limit: 1 });
    return answer;
  };
  assert.equal(await takeReply(late, reply), undefined);
  const { messages } = log.ask("fox", "mail.fetch", {});
  assert.deepEqual(
    messages.map(({ body }) => body),
    ["and a note"],
  );
});
