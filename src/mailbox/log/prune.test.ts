import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { seeded, TestLog, TestWriter } from "./log-fixture.ts";
import { openLogToRead } from "./schema.ts";
import { SearchIndex } from "./search-index.ts";
import { Statements } from "./statements.ts";

const DAY_MS = 24 * 3_600_000;
const MONTH_MS = 30 * DAY_MS;

/** All parts of it. */
function pruneAll(log: TestWriter, payload: { older_than_ms: number; dry_run?: boolean }) {
  const total = { messages: 0, bytes: 0, parts: 0 };
  for (let after: number | undefined = 0; after !== undefined; ) {
    const part: { messages: number; bytes: number; next?: number | undefined } = log.ask("you", "mail.prune", {
      ...payload,
      after,
    });
    total.messages += part.messages;
    total.bytes += part.bytes;
    total.parts += 1;
    after = part.next;
  }
  return total;
}

const ids = (log: TestWriter): string[] =>
  log.writer.log.all("select id from messages order by seq").map(({ id }) => String(id));

test("prune: what is over for long enough goes; unread, seen and younger mail stays, and so does the newest message", () => {
  using log = new TestWriter();
  const send = (id: string, to = ["owl"], more = {}) =>
    log.ask("fox", "mail.send", { to, body: "12345", message_id: id, ...more });
  const read = (name: string, state: "seen" | "handled" = "handled") => {
    const { messages } = log.ask(name, "mail.fetch", {});
    log.ask(name, "mail.ack", { ids: messages.map(({ id }) => id), state });
  };
  send("handled");
  read("owl");
  send("seen");
  read("owl", "seen");
  send("half", ["owl", "bee"]);
  read("owl");
  send("asked", ["ant"]);
  log.ask("ant", "mail.fetch", {});
  log.ask("ant", "mail.reply", { id: "asked", body: "67890", message_id: "reply" });
  read("fox");
  send("expired", ["cat"], { ttl_ms: 1_000 });
  log.nowMs += 2_000;
  log.sweep();
  log.nowMs += MONTH_MS;
  send("young");
  read("owl");
  send("unread", ["dog"]);
  assert.deepEqual(pruneAll(log, { older_than_ms: MONTH_MS, dry_run: true }), { messages: 4, bytes: 20, parts: 1 });
  assert.equal(ids(log).length, 8, "looking removes nothing");
  assert.deepEqual(pruneAll(log, { older_than_ms: MONTH_MS }), { messages: 4, bytes: 20, parts: 1 });
  assert.deepEqual(ids(log), ["seen", "half", "young", "unread"]);
  assert.equal(pruneAll(log, { older_than_ms: MONTH_MS }).messages, 0);
  const { messages, unread, dead } = log.writer.log.get("select messages, unread, dead from totals")!;
  const open = log.writer.log.get("select count(*) as count from deliveries where state in ('queued', 'offered')");
  const lost = log.writer.log.get("select count(*) as count from deliveries where state in ('dead', 'expired')");
  assert.deepEqual([messages, unread, dead], [4, open?.count, lost?.count]);
});

test("prune: no seq is given twice, and an id that was removed is a new message", () => {
  using log = new TestWriter();
  const send = () => log.ask("fox", "mail.send", { to: ["owl"], body: "x", message_id: "same" });
  const handle = () => {
    const { messages } = log.ask("owl", "mail.fetch", {});
    log.ask("owl", "mail.ack", { ids: messages.map(({ id }) => id) });
  };
  send();
  handle();
  log.nowMs += 2 * DAY_MS;
  assert.equal(pruneAll(log, { older_than_ms: DAY_MS }).messages, 0, "the newest stays");
  assert.equal(send().is_new, false);
  log.ask("fox", "mail.send", { to: ["owl"], body: "later" });
  handle();
  assert.equal(pruneAll(log, { older_than_ms: DAY_MS }).messages, 1);
  const again = send();
  assert.deepEqual([again.is_new, again.message.seq], [true, 3]);
});

test("prune: goes on in parts, one of them bounded, and a repeat of a part gets its answer", () => {
  using log = new TestWriter();
  const count = 1_100;
  for (let at = 0; at < count; at++) log.ask("fox", "mail.send", { to: ["owl"], body: "x" });
  for (;;) {
    const { messages } = log.ask("owl", "mail.fetch", { limit: 1_000 });
    if (messages.length === 0) break;
    log.ask("owl", "mail.ack", { ids: messages.map(({ id }) => id) });
  }
  log.nowMs += MONTH_MS;
  const payload = { older_than_ms: DAY_MS };
  const first = log.ask("you", "mail.prune", payload, "one");
  assert.deepEqual(first, { messages: 250, bytes: 250, next: 250 });
  assert.deepEqual(log.ask("you", "mail.prune", payload, "one"), first);
  assert.equal(pruneAll(log, payload).messages, count - 250 - 1);
});

test("prune: a stored answer goes before the message that it speaks of", () => {
  using log = new TestWriter();
  const count = 300;
  for (let at = 0; at < count; at++) {
    log.ask("fox", "mail.send", { to: ["owl"], body: "x" }, `send ${at}`);
    const { messages } = log.ask("owl", "mail.fetch", {}, `fetch ${at}`);
    log.ask("owl", "mail.ack", { ids: messages.map(({ id }) => id) });
  }
  log.nowMs += DAY_MS + 1;
  const answers = () => Number(log.writer.log.get("select count(*) as count from answers")?.count);
  assert.deepEqual(log.ask("you", "mail.prune", { older_than_ms: DAY_MS }), { messages: 0, bytes: 0, next: 0 });
  assert.equal(answers(), 2 * count - 500);
  assert.equal(pruneAll(log, { older_than_ms: DAY_MS }).messages, count - 1);
  assert.equal(answers(), 0);
  assert.equal(log.ask("fox", "mail.send", { to: ["owl"], body: "x" }, "send 0").is_new, true);
});

test("prune: a message that was removed can be sent again by the request that was answered with it", () => {
  using log = new TestWriter();
  const send = (requestId: string) =>
    log.ask("fox", "mail.send", { to: ["owl"], body: "x", message_id: "same" }, requestId);
  send("first");
  const { messages } = log.ask("owl", "mail.fetch", {});
  log.ask("owl", "mail.ack", { ids: messages.map(({ id }) => id) });
  log.ask("fox", "mail.send", { to: ["owl"], body: "later" });
  log.nowMs += 2 * DAY_MS;
  assert.deepEqual([send("second").is_new, send("second").is_new], [false, false]);
  assert.equal(pruneAll(log, { older_than_ms: DAY_MS }).messages, 1);
  const again = send("second");
  assert.equal(again.is_new, true);
  assert.deepEqual(send("second"), again);
});

test("prune: less than a day is refused, and so is what is no time", () => {
  using log = new TestWriter();
  for (const older_than_ms of [0, -1, DAY_MS - 1, Number.NaN, 1e300, 1.5])
    assert.throws(
      () => log.ask("you", "mail.prune", { older_than_ms }),
      { code: "INVALID_PAYLOAD" },
      `${older_than_ms}`,
    );
});

test("prune: the search index loses what the log has lost, and finds the rest", async () => {
  await using log = await TestLog.open();
  const random = seeded(3);
  const kept: string[] = [];
  for (let at = 0; at < 300; at++) {
    const id = `m${at}`;
    await log.ask("fox", "mail.send", { to: ["owl"], body: `word${at % 7} text`, message_id: id });
    const { messages } = await log.ask("owl", "mail.fetch", {});
    if (random(3) > 0) await log.ask("owl", "mail.ack", { ids: messages.map((message) => message.id) });
    else kept.push(id);
  }
  const person = { name: "you", client: "x", isPerson: true };
  const found = async () =>
    (await log.read(person, "mail.history", { search: "text", limit: 500 })).messages.map(({ message }) => message.id);
  assert.equal((await found()).length, 300);
  log.nowMs += MONTH_MS / 10;
  await log.ask("you", "mail.prune", { older_than_ms: DAY_MS });
  const left = new Set([...kept, "m299"]);
  assert.deepEqual(new Set(await found()), left);
  const reading = new Statements(openLogToRead(log.directory.log));
  const index = new SearchIndex(join(log.directory.path, "search.db"), reading);
  try {
    assert.equal(index.find("text", 1_000, 500).length, 300, "what is gone is still there");
    for (let steps = 0; index.fill() || index.clean(); steps++) assert.ok(steps < 100, "the cleaning ends");
    assert.equal(index.find("text", 1_000, 500).length, left.size);
    assert.equal(index.of(["fox"], 1_000, 500).length, left.size);
  } finally {
    index.close();
    reading.database.close();
  }
  assert.deepEqual(new Set(await found()), left);
});
