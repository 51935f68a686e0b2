import assert from "node:assert/strict";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { silentLog } from "../../platform/log.ts";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { by, leader, TestLog, TestWriter, temporaryDirectory } from "./log-fixture.ts";
import type { AwayCopy } from "./machine-calls.ts";
import { MailLog } from "./mail-log.ts";
import type { Effect, Operation, PayloadFor } from "./operations.ts";

const hasCode = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

test("send, fetch, acknowledge: the receipt goes from queued to handled, and each step is told", async () => {
  await using log = await TestLog.open();
  const sent = await log.perform("fox", "mail.send", { to: ["owl"], body: "hi", subject: "s", data: { a: 1 } });
  const { id, seq } = sent.answer.message;
  assert.deepEqual(sent.effects, [
    { kind: "sent", message: { id, seq, from: "fox", to: ["owl"], kind: "message", thread: id, subject: "s" } },
    { kind: "queued", to: "owl", from: "fox", id, seq },
  ]);
  const fetched = await log.ask("owl", "mail.fetch", {});
  assert.equal(fetched.messages.length, 1);
  assert.deepEqual(
    { body: "hi", subject: "s", data: { a: 1 }, from: "fox", to: "owl", offers: 1, thread: id },
    (({ body, subject, data, from, to, offers, thread }) => ({ body, subject, data, from, to, offers, thread }))(
      fetched.messages[0]!,
    ),
  );
  assert.deepEqual([fetched.unread, fetched.epoch, fetched.log_head], [0, 1, seq]);
  assert.equal((await log.read("fox", "mail.wait", { id })).result, "timed_out", "offered counts as nothing");
  const acked = await log.perform("owl", "mail.ack", { ids: [id] });
  assert.deepEqual(acked.answer, { acknowledged: [id], unread: 0, epoch: 1 });
  assert.deepEqual(acked.effects, [{ kind: "receipt", from: "fox", to: "owl", id, seq, state: "handled" }]);
  const waited = await log.read("fox", "mail.wait", { id });
  assert.equal(waited.result, "met");
  assert.deepEqual(
    waited.receipts.map(({ to, state }) => [to, state]),
    [["owl", "handled"]],
  );
});

test("a repeat of a request gets its first answer and has no effect, also from the next leader", async () => {
  using directory = temporaryDirectory();
  const asked = async (log: TestLog) => [
    await log.perform("fox", "mail.send", { to: ["owl"], body: "x".repeat(5_000) }, "r1"),
    await log.perform("owl", "mail.fetch", {}, "r2"),
    await log.perform("owl", "mail.ack", { ids: ["m"] }, "r3"),
  ];
  const first = await (async () => {
    await using log = await TestLog.open(directory);
    const answers = await asked(log);
    assert.deepEqual(
      await asked(log),
      answers.map(({ answer }) => ({ answer, effects: [] })),
    );
    return answers;
  })();
  await using log = await TestLog.open(directory);
  assert.equal(log.epoch, 2);
  assert.deepEqual(
    await asked(log),
    first.map(({ answer }) => ({ answer, effects: [] })),
  );
  await assert.rejects(log.perform("fox", "mail.fetch", {}, "r1"), hasCode("REQUEST_ID_REUSED"));
});

test("a fetch that found nothing is asked anew by its repeat", () => {
  using log = new TestWriter();
  assert.equal(log.ask("owl", "mail.fetch", {}, "r1").messages.length, 0);
  log.ask("fox", "mail.send", { to: ["owl"], body: "hi" });
  assert.equal(log.ask("owl", "mail.fetch", {}, "r1").messages.length, 1);
});

test("a message is its (sender, id): the second one is the first", () => {
  using log = new TestWriter();
  const first = log.ask("fox", "mail.send", { to: ["owl"], body: "one", message_id: "m1" });
  const second = log.perform("fox", "mail.send", { to: ["owl"], body: "two", message_id: "m1" });
  assert.deepEqual([first.is_new, second.answer.is_new, second.effects], [true, false, []]);
  assert.deepEqual(second.answer.message, first.message);
  assert.ok(log.ask("bee", "mail.send", { to: ["owl"], body: "three", message_id: "m1" }).is_new, "another sender's");
  assert.equal(log.ask("owl", "mail.fetch", {}).messages.length, 2);
});

test("each message that is stored is told to whoever looks on: put off, from another machine, and the loop guard's notice", () => {
  using log = new TestWriter();
  const told = (effects: readonly Effect[]) =>
    effects.flatMap((effect) => (effect.kind === "sent" ? [effect.message] : []));
  const putOff = log.perform("fox", "mail.send", { to: ["owl"], body: "tomorrow", delay_ms: 7_200_000 });
  assert.deepEqual(
    told(putOff.effects).map(({ seq, from, to }) => [seq, from, to]),
    [[1, "fox", ["owl"]]],
  );
  const copy: AwayCopy = {
    n: 1,
    prev: 0,
    from: "bee",
    to: "owl",
    id: "b1",
    seq: 7,
    kind: "message",
    sent_at_ms: log.nowMs,
    body: "from afar",
    thread: "b1",
    hops: 0,
    expires_at_ms: log.nowMs + 1_000,
  };
  const arrived = log.perform({ client: "machines", isMailbox: true }, "log.arrive", {
    machine: "desk",
    log_id: "x",
    copy,
  });
  assert.deepEqual(told(arrived.effects), [
    { id: "b1", seq: 2, from: "bee@desk", to: ["owl"], kind: "message", thread: "b1" },
  ]);
  const exchanged: (string | undefined)[] = [];
  for (let at = 0; at < 15; at++)
    for (const [name, to] of [["fox", "owl"] as const, ["owl", "fox"] as const]) {
      const { effects } = log.perform(name, "mail.send", { to: [to], body: "thanks" });
      exchanged.push(...told(effects).map(({ kind, subject }) => subject ?? kind));
    }
  assert.deepEqual(
    exchanged.filter((each) => each !== "message"),
    ["LOOP_SUSPECTED"],
  );
});

test("a refused operation leaves nothing of itself, and the others of its batch go on", async () => {
  await using log = await TestLog.open();
  const results = await Promise.allSettled([
    log.perform("fox", "mail.send", { to: ["owl"], body: "1" }),
    log.perform("new-one", "mail.send", { to: ["owl", "not a name"], body: "2" }),
    log.perform("fox", "mail.send", { to: ["owl", "@nobodys"], body: "3" }),
    log.perform("fox", "mail.send", { to: ["owl"], body: "x".repeat(1024 * 1024 + 1) }),
    log.perform("fox", "mail.send", { to: ["owl"], body: "4" }),
  ]);
  assert.deepEqual(
    results.map((result) => (result.status === "fulfilled" ? "ok" : result.reason.code)),
    ["ok", "INVALID_NAME", "GROUP_UNKNOWN", "MESSAGE_TOO_LARGE", "ok"],
  );
  const { participants } = await log.read("fox", "mail.list", {});
  assert.deepEqual(
    participants.map(({ name, unread }) => [name, unread]),
    [
      ["fox", 0],
      ["owl", 2],
    ],
  );
  const status = await log.read("fox", "mail.status", {});
  assert.deepEqual([status.messages, status.unread, status.dead, status.log_head], [2, 2, 0, 2]);
});

test("opening a log that is there writes nothing, also while another process writes", async () => {
  await using log = await TestLog.open();
  const locked = new DatabaseSync(log.directory.log);
  locked.exec("begin immediate");
  const before = readFileSync(log.directory.log);
  const second = await MailLog.open({ path: log.directory.log, log: silentLog });
  await second.read({ type: "log.leader", payload: {}, by: by("x"), nowMs: 0 });
  assert.ok(readFileSync(log.directory.log).equals(before));
  locked.exec("rollback");
  locked.close();
  await second.close();
});

test("a fenced leader can acknowledge nothing, and is told once", async () => {
  await using old = await TestLog.open();
  const lost: string[] = [];
  old.mailLog.onLost((reason, error) => lost.push(`${reason} ${error.code}`));
  const next = await MailLog.open({ path: old.directory.log, log: silentLog });
  assert.equal(await next.takeLead(leader()), 2);
  const attempts = await Promise.allSettled(
    Array.from({ length: 300 }, () => old.perform("fox", "mail.send", { to: ["owl"], body: "late" })),
  );
  assert.ok(attempts.every((attempt) => attempt.status === "rejected" && attempt.reason.code === "MAIL_FENCED"));
  await assert.rejects(old.perform("fox", "mail.ping", {}), hasCode("MAIL_FENCED"));
  assert.deepEqual(lost, ["fenced MAIL_FENCED"]);
  const status = await next.read({ type: "mail.status", payload: {}, by: by("x"), nowMs: 0 });
  assert.deepEqual([status.messages, status.leader?.epoch], [0, 2]);
  await next.close();
});

test("who does not lead writes nothing", async () => {
  using directory = temporaryDirectory();
  const log = await MailLog.open({ path: directory.log, log: silentLog });
  const operation: Operation<"mail.send"> = {
    type: "mail.send",
    payload: { to: ["owl"], body: "hi" },
    by: by("fox"),
    nowMs: 0,
  };
  await assert.rejects(log.perform(operation), hasCode("MAIL_NOT_LEADING"));
  await log.takeLead(leader());
  await log.perform(operation);
  await log.close();
  await assert.rejects(log.perform(operation), hasCode("MAIL_CLOSED"));
});

test("the file at the log's path is another one: nothing is acknowledged any more", async () => {
  await using log = await TestLog.open();
  const lost: string[] = [];
  log.mailLog.onLost((reason, error) => lost.push(`${reason} ${error.code}`));
  await log.ask("fox", "mail.send", { to: ["owl"], body: "stored" });
  renameSync(log.directory.log, `${log.directory.log}.moved`);
  await assert.rejects(log.ask("fox", "mail.send", { to: ["owl"], body: "lost" }), hasCode("MAIL_NOT_STORED"));
  assert.deepEqual(lost, ["broken MAIL_NOT_STORED"]);
});

test("a log that cannot be opened for reading for a while is read again when it can", async () => {
  await using log = await TestLog.open();
  await log.ask("fox", "mail.send", { to: ["owl"], body: "still there" });
  const { log: path } = log.directory;
  renameSync(path, `${path}.moved`);
  await assert.rejects(log.read("fox", "mail.history", {}), hasCode("MAIL_NOT_OPENED"));
  renameSync(`${path}.moved`, path);
  assert.equal((await log.read("fox", "mail.history", {})).messages[0]?.message.body, "still there");
});

test("refused: a network file system, a newer format, a file that is no log", async () => {
  using directory = temporaryDirectory();
  const open = (options: object = {}) => MailLog.open({ path: directory.log, log: silentLog, ...options });
  for (const type of [0x6969, 0xff534d42, 0x01021997, 0x65735546])
    await assert.rejects(open({ fileSystemType: () => type }), hasCode("MAIL_NETWORK_FILE_SYSTEM"));
  await (await open()).close();
  const database = new DatabaseSync(directory.log);
  database.exec("pragma user_version = 9");
  await (await open()).close();
  database.exec("update meta set value = 9 where key = 'oldest_reader'");
  database.close();
  await assert.rejects(open(), hasCode("STATE_TOO_NEW"));
  writeFileSync(directory.log, "this is no database".repeat(1000));
  await assert.rejects(open(), hasCode("MAIL_LOG_DAMAGED"));
});

test("idle: the search index is filled while pings come and nobody writes", async () => {
  using directory = temporaryDirectory();
  const clock = new HandClock();
  const log = await MailLog.open({ path: directory.log, log: silentLog, clock });
  const perform = <T extends "mail.send" | "mail.ping">(type: T, payload: PayloadFor<T>) =>
    log.perform({ type, payload, by: by("fox"), nowMs: clock.wallMs() } as Operation<T>);
  try {
    await log.takeLead(leader());
    const count = 501; // more than is added at once
    await Promise.all(Array.from({ length: count }, () => perform("mail.send", { to: ["owl"], body: "x" })));
    clock.pass(1_000);
    await perform("mail.ping", {});
    clock.pass(1_000);
    assert.deepEqual(clock.delays, [], "two seconds after the last one was written");
    while (indexHead(directory.path) < count) await perform("mail.ping", {});
  } finally {
    await log.close();
  }
});

/** How far the search index goes. */
function indexHead(directory: string): number {
  try {
    using index = new DatabaseSync(`${directory}/search.db`, { readOnly: true });
    return Number(index.prepare("select head from of").get()?.head);
  } catch {
    return 0; // not there yet
  }
}

test("bodies of 1 MiB, in any number at once", async () => {
  await using log = await TestLog.open();
  const body = "é".repeat(512 * 1024);
  await Promise.all(Array.from({ length: 30 }, () => log.ask("fox", "mail.send", { to: ["owl"], body })));
  assert.equal((await log.ask("owl", "mail.fetch", { limit: 1 })).messages[0]?.body, body);
  assert.equal((await log.read("x", "mail.status", {})).unread, 30);
});
