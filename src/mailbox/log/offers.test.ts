import assert from "node:assert/strict";
import { test } from "node:test";
import { leader, TestLog, TestWriter } from "./log-fixture.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;

const hasCode = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

test("an acknowledgement of what was never offered is none", async () => {
  await using log = await TestLog.open();
  const { message } = await log.ask("fox", "mail.send", { to: ["owl"], body: "hi" });
  assert.deepEqual((await log.ask("owl", "mail.ack", { ids: [message.id] })).acknowledged, []);
  await log.ask("owl", "mail.fetch", { peek: true });
  assert.deepEqual((await log.ask("owl", "mail.ack", { ids: [message.id] })).acknowledged, [], "looked at only");
  await log.ask("owl", "mail.fetch", {});
  assert.deepEqual((await log.ask("bee", "mail.ack", { ids: [message.id] })).acknowledged, [], "another one's");
});

test("what the same sender wrote later waits while an earlier message is under a lease elsewhere, or waits itself", () => {
  using log = new TestWriter();
  const bodies = (client: string) =>
    log.ask({ name: "owl", client }, "mail.fetch", { limit: 1 }).messages.map(({ body }) => body);
  const send = (name: string, body: string) => log.ask(name, "mail.send", { to: ["owl"], body }).message.id;
  const ids = [send("fox", "f1"), send("fox", "f2"), send("bee", "b1")];
  assert.deepEqual(bodies("one"), ["f1"]);
  assert.deepEqual(bodies("two"), ["b1"], "another sender's goes on");
  assert.deepEqual(bodies("two"), []);
  assert.deepEqual(bodies("one"), ["f2"], "who has the first may have the second");
  log.ask("owl", "mail.nak", { ids: [ids[1]!] });
  log.ask("owl", "mail.nak", { ids: [ids[0]!], delay_ms: 5_000 });
  assert.deepEqual(bodies("two"), [], "f1 waits, so f2 does");
  log.nowMs += 5_000;
  assert.ok(log.sweep().some((effect) => effect.kind === "queued" && effect.id === ids[0]));
  assert.deepEqual(bodies("two"), ["f1"]);
});

test("a clock that was set back to before the lead: what this leader hands out then is its own all the same", () => {
  using log = new TestWriter();
  log.nowMs -= MINUTE_MS;
  for (const body of ["f1", "f2"]) log.ask("fox", "mail.send", { to: ["owl"], body });
  const bodies = () => log.ask("owl", "mail.fetch", { limit: 1 }).messages.map(({ body }) => body);
  assert.deepEqual([...bodies(), ...bodies()], ["f1", "f2"]);
});

test("what a leader handed out and died: whether it came is not known, so nothing of the same sender comes before it", () => {
  using log = new TestWriter();
  const bodies = () => log.ask("owl", "mail.fetch", { limit: 1, lease_ms: 5_000 }).messages.map(({ body }) => body);
  const send = (name: string, body: string) => log.ask(name, "mail.send", { to: ["owl"], body }).message.id;
  const ids = [send("fox", "f1"), send("fox", "f2"), send("bee", "b1")];
  assert.deepEqual(bodies(), ["f1"]);
  log.nowMs += 10;
  log.writer.takeLead(leader(), log.nowMs);
  assert.deepEqual(bodies(), ["b1"], "another sender's goes on");
  assert.deepEqual(bodies(), []);
  log.ask("owl", "mail.ack", { ids: [ids[0]!, ids[2]!] });
  assert.deepEqual(bodies(), ["f2"], "it had come");
  const third = send("fox", "f3");
  log.nowMs += 10;
  log.writer.takeLead(leader(), log.nowMs);
  log.nowMs += 5_000;
  assert.deepEqual(bodies(), ["f2"], "it had not");
  assert.deepEqual(bodies(), ["f3"]);
  log.ask("owl", "mail.ack", { ids: [ids[1]!, third] });
  const fourth = send("fox", "f4");
  assert.deepEqual(bodies(), ["f4"]);
  send("fox", "f5");
  log.nowMs += 10;
  log.writer.takeLead(leader(), log.nowMs);
  assert.deepEqual(bodies(), []);
  log.ask("owl", "mail.extend", { ids: [fourth], lease_ms: 5_000 });
  assert.deepEqual(bodies(), ["f5"], "what its reader still reads has come too");
});

test("a lease that runs out: told by the sweep, offered again; after ten offers the message is dead", () => {
  using log = new TestWriter();
  const { id } = log.ask("fox", "mail.send", { to: ["owl"], body: "hi" }).message;
  for (let offers = 1; offers <= 10; offers++) {
    const performed = log.perform("owl", "mail.fetch", { lease_ms: 1_000 });
    assert.equal(performed.answer.messages[0]?.offers, offers);
    assert.ok(performed.effects.some((effect) => effect.kind === "due" && effect.atMs === log.nowMs + 1_000));
    assert.equal(log.ask({ name: "owl", client: "other" }, "mail.fetch", {}).messages.length, 0);
    log.nowMs += 1_000;
    if (offers % 2) assert.ok(log.sweep().some((effect) => effect.kind === (offers === 10 ? "receipt" : "queued")));
  }
  assert.deepEqual(log.ask("owl", "mail.fetch", {}), { messages: [], unread: 0, epoch: 1, log_head: 1 });
  assert.deepEqual(
    { ...log.writer.log.get("select state, reason from deliveries") },
    {
      state: "dead",
      reason: "offered 10 times, and never acknowledged",
    },
  );
  assert.deepEqual(log.ask("owl", "mail.ack", { ids: [id] }).acknowledged, []);
});

test("extend holds what one has, and only that", () => {
  using log = new TestWriter();
  const { id } = log.ask("fox", "mail.send", { to: ["owl"], body: "hi" }).message;
  log.ask("owl", "mail.fetch", { lease_ms: 1_000 });
  assert.deepEqual(log.ask({ name: "owl", client: "other" }, "mail.extend", { ids: [id] }).extended, []);
  assert.deepEqual(log.ask("owl", "mail.extend", { ids: [id], lease_ms: 10_000 }).extended, [id]);
  log.nowMs += 9_000;
  log.sweep();
  assert.equal(log.ask({ name: "owl", client: "other" }, "mail.fetch", {}).messages.length, 0);
});

test("a client that is gone holds nothing any more", () => {
  using log = new TestWriter();
  log.ask("fox", "mail.send", { to: ["owl"], body: "hi" });
  log.ask("owl", "mail.fetch", {});
  const released = log.perform({ client: "leader" }, "log.release", { client: "client of owl" });
  assert.equal(released.answer.returned, 1);
  assert.equal(log.ask({ name: "owl", client: "other" }, "mail.fetch", {}).messages[0]?.offers, 2);
});

test("ttl: what nobody read is expired, and its sender is told", () => {
  using log = new TestWriter();
  log.ask("fox", "mail.send", { to: ["owl"], body: "soon over", ttl_ms: 1_000 });
  log.nowMs += 1_000;
  const effects = log.sweep();
  assert.ok(effects.some((effect) => effect.kind === "receipt" && effect.state === "expired"));
  assert.equal(log.ask("owl", "mail.fetch", {}).messages.length, 0);
  log.ask("fox", "mail.send", { to: ["owl"], body: "hi" });
  log.nowMs += 7 * DAY_MS;
  assert.equal(log.ask("owl", "mail.fetch", {}).messages.length, 0, "also without a sweep");
});

test("a fetch is at most 512 KiB, and one message whatever its size", () => {
  using log = new TestWriter();
  for (let at = 0; at < 3; at++) log.ask("fox", "mail.send", { to: ["owl"], body: "x".repeat(300_000) });
  log.ask("bee", "mail.send", { to: ["ant"], body: "x".repeat(1024 * 1024) });
  assert.equal(log.ask("owl", "mail.fetch", {}).messages.length, 1);
  assert.equal(log.ask("ant", "mail.fetch", {}).messages.length, 1);
});

test("pages: subjects count as much as bodies, in what is fetched, looked up, exported and sent to other machines", async () => {
  await using log = await TestLog.open();
  const machines = { client: "machines", isMailbox: true };
  await log.ask(machines, "log.joined", { machine: "here" });
  await log.ask(machines, "log.machine", { name: "desk", log_id: "x", is_here: true, names: [] });
  const count = 6;
  for (let at = 0; at < count; at++)
    await log.ask("fox", "mail.send", { to: ["owl", "bee@desk"], body: "", subject: "x".repeat(900_000) });
  assert.equal((await log.ask("owl", "mail.fetch", {})).messages.length, 1);
  assert.equal((await log.read("fox", "mail.history", {})).messages.length, 1);
  const { rows } = await log.read("fox", "mail.export", {});
  assert.equal(rows.filter(({ row }) => row === "message").length, 1);
  const { outgoing } = await log.read(machines, "log.outbox", { machine: "desk", limit: count });
  assert.equal(outgoing.length, 4);
});

test("reply: acknowledges, is marked so, keeps the thread, and is what the one who asked waits for", () => {
  using log = new TestWriter();
  const { message } = log.ask("fox", "mail.send", { to: ["owl"], body: "done?", kind: "ask" });
  log.ask("owl", "mail.fetch", {});
  const performed = log.perform("owl", "mail.reply", { id: message.id, body: "yes" });
  const reply = performed.answer.message;
  assert.deepEqual(
    [reply.to, reply.kind, reply.thread, reply.reply_to, reply.hops],
    ["fox", "reply", message.id, message.id, 1],
  );
  assert.ok(performed.effects.some((effect) => effect.kind === "receipt" && effect.state === "replied"));
  assert.equal(log.ask("owl", "mail.fetch", {}).unread, 0);
  assert.throws(() => log.ask("owl", "mail.reply", { id: "other", body: "?" }), hasCode("MESSAGE_NOT_FOUND"));
  assert.throws(() => log.ask("bee", "mail.reply", { id: message.id, body: "?" }), hasCode("MESSAGE_NOT_FOUND"));
  log.ask("fox", "mail.send", { to: ["ant"], body: "1", message_id: "same" });
  log.ask("bee", "mail.send", { to: ["ant"], body: "2", message_id: "same" });
  assert.throws(() => log.ask("ant", "mail.reply", { id: "same", body: "?" }), hasCode("MESSAGE_AMBIGUOUS"));
  assert.equal(log.ask("ant", "mail.reply", { id: "same", from: "bee", body: "!" }).message.to, "bee");
});

test("wait: an ask is met by its reply; what is dead never comes", async () => {
  await using log = await TestLog.open();
  const { message } = await log.ask("fox", "mail.send", { to: ["owl", "bee"], body: "?", kind: "ask", ttl_ms: 1_000 });
  await log.ask("owl", "mail.fetch", {});
  await log.ask("owl", "mail.ack", { ids: [message.id] });
  const wait = async (goal?: "handled" | "dead") =>
    await log.read("fox", "mail.wait", { id: message.id, ...(goal ? { for: goal } : {}) });
  assert.equal((await wait()).result, "timed_out");
  await log.ask("owl", "mail.reply", { id: message.id, body: "yes" });
  log.nowMs += 1_000;
  await log.mailLog.sweep(log.nowMs);
  const end = await wait();
  assert.equal(end.result, "never", "one replied, the other's copy expired");
  assert.equal(end.receipts.find(({ to }) => to === "owl")?.reply?.body, "yes");
  await assert.rejects(log.read("owl", "mail.wait", { id: message.id }), hasCode("MESSAGE_NOT_FOUND"));
});

test("two agents that answer each other for ever are held, and told; a person is not", () => {
  using log = new TestWriter();
  let id = log.ask("ant", "mail.send", { to: ["bee"], body: "hello" }).message.id;
  let held: Record<string, unknown> | undefined;
  for (let turn = 1; turn < 40 && !held; turn++) {
    const name = turn % 2 ? "bee" : "ant";
    log.ask(name, "mail.fetch", {});
    const answer = log.ask(name, "mail.reply", { id, body: "no, thank you" });
    if (answer.recipients[0]?.held_until) held = answer.recipients[0];
    id = answer.message.id;
    log.nowMs += 100;
  }
  assert.equal(held?.held_because, "LOOP_SUSPECTED");
  for (const name of ["ant", "bee"]) {
    const { messages } = log.ask(name, "mail.fetch", {});
    log.ask(name, "mail.ack", { ids: messages.map(({ id: each }) => each) });
    assert.deepEqual(
      messages.map(({ kind, from, subject }) => [kind, from, subject]),
      [["notice", "system", "LOOP_SUSPECTED"]],
    );
  }
  log.nowMs += MINUTE_MS;
  const [ant, bee] = ["ant", "bee"].map((name) => log.ask(name, "mail.fetch", {}).messages.length);
  assert.equal(ant! + bee!, 1, "what was held comes when the time is over");
});

test("the sweep says when to look next, and forgets old answers", () => {
  using log = new TestWriter();
  assert.deepEqual(log.sweep(), [{ kind: "due", atMs: log.nowMs + 3_600_000 }]);
  log.ask("fox", "mail.send", { to: ["owl"], body: "hi", delay_ms: 5_000 }, "r1");
  assert.deepEqual(log.sweep(), [{ kind: "due", atMs: log.nowMs + 5_000 }]);
  log.nowMs += DAY_MS + 1;
  log.sweep();
  assert.equal(log.writer.log.get("select count(*) as n from answers")?.n, 0);
});

test("what its sender has put off holds up nothing; given back, or held by the loop guard, it does", () => {
  using log = new TestWriter();
  const bodies = () => log.ask("owl", "mail.fetch", {}).messages.map(({ body }) => body);
  const { id } = log.ask("fox", "mail.send", { to: ["owl"], body: "tomorrow", delay_ms: 60_000 }).message;
  const { message } = log.ask("fox", "mail.send", { to: ["owl"], body: "now" });
  assert.deepEqual(bodies(), ["now"]);
  log.ask("owl", "mail.ack", { ids: [message.id] });
  log.nowMs += 60_000;
  assert.ok(log.sweep().some((effect) => effect.kind === "queued" && effect.id === id));
  assert.deepEqual(bodies(), ["tomorrow"]);
  log.ask("owl", "mail.nak", { ids: [id], delay_ms: 5_000 });
  log.ask("fox", "mail.send", { to: ["owl"], body: "after it" });
  assert.deepEqual(bodies(), [], "what was given back is waited for");
  log.nowMs += 5_000;
  assert.deepEqual(bodies(), ["tomorrow", "after it"]);
});

test("held by the loop guard: what comes after it waits too, also when a person has set the two free", () => {
  using log = new TestWriter();
  for (let at = 0; at < 15; at++) {
    log.ask("fox", "mail.send", { to: ["owl"], body: "thanks" });
    log.ask("owl", "mail.send", { to: ["fox"], body: "thank you" });
  }
  for (;;) {
    const { messages } = log.ask("owl", "mail.fetch", {});
    if (messages.length === 0) break;
    log.ask("owl", "mail.ack", { ids: messages.map(({ id }) => id) });
  }
  const { recipients } = log.ask("fox", "mail.send", { to: ["owl"], body: "held" });
  assert.ok(recipients[0]?.held_until);
  log.ask("you", "mail.send", { to: ["owl"], body: "go on" });
  log.ask("fox", "mail.send", { to: ["owl"], body: "free" });
  const bodies = () => log.ask("owl", "mail.fetch", { from: "fox" }).messages.map(({ body }) => body);
  assert.deepEqual(bodies(), [], "what is free waits for what is held, so that their order stays");
  log.nowMs += 60_000;
  log.sweep();
  assert.deepEqual(bodies(), ["held", "free"]);
});

test("an id that two senders have used: each one's with `from`, both without", () => {
  using log = new TestWriter();
  for (const name of ["fox", "bee"]) log.ask(name, "mail.send", { to: ["owl"], body: name, message_id: "1" });
  log.ask("owl", "mail.fetch", {});
  const states = () => log.writer.log.all("select state from deliveries order by seq").map(({ state }) => state);
  assert.deepEqual(log.ask("owl", "mail.ack", { ids: ["1"], from: "bee" }).acknowledged, ["1"]);
  assert.deepEqual(states(), ["offered", "handled"]);
  assert.deepEqual(log.ask("owl", "mail.nak", { ids: ["1"], from: "fox" }).returned, ["1"]);
  assert.deepEqual(states(), ["queued", "handled"]);
  assert.deepEqual(log.ask("owl", "mail.ack", { ids: ["1"], from: "ant" }).acknowledged, []);
  log.ask("owl", "mail.fetch", {});
  log.ask("owl", "mail.ack", { ids: ["1"] });
  assert.deepEqual(states(), ["handled", "handled"]);
});

test("a message to oneself is a message: unread, offered, acknowledged, and no loop", () => {
  using log = new TestWriter();
  for (let at = 0; at < 40; at++) {
    const sent = log.ask("fox", "mail.send", { to: ["fox"], body: `note ${at}` });
    assert.deepEqual([sent.recipients[0]?.name, sent.recipients[0]?.held_until], ["fox", undefined]);
  }
  const { messages } = log.ask("fox", "mail.fetch", {});
  assert.deepEqual([messages.length, messages[0]?.from, messages[0]?.to], [40, "fox", "fox"]);
  assert.equal(log.ask("fox", "mail.reply", { id: messages[0]!.id, body: "done" }).message.to, "fox");
  log.ask("fox", "mail.ack", { ids: messages.map(({ id }) => id) });
  assert.deepEqual(
    log.ask("fox", "mail.fetch", {}).messages.map(({ body }) => body),
    ["done"],
  );
});

test("clock set back a day, or ahead: a lease and a delay end at their wall time at the latest, nothing is lost or dead", () => {
  using log = new TestWriter();
  const { id } = log.ask("fox", "mail.send", { to: ["owl"], body: "one" }).message;
  log.ask("fox", "mail.send", { to: ["owl"], body: "later", delay_ms: 1_000 });
  log.ask({ name: "owl", client: "first" }, "mail.fetch", {});
  log.nowMs -= 24 * 3_600_000;
  log.sweep();
  assert.deepEqual(log.ask({ name: "owl", client: "first" }, "mail.ack", { ids: [id] }).acknowledged, [id]);
  assert.equal(log.ask("fox", "mail.send", { to: ["owl"], body: "while back" }).message.seq, 3);
  assert.deepEqual(
    log.ask("owl", "mail.fetch", {}).messages.map(({ body }) => body),
    ["while back"],
  );
  log.nowMs += 2 * 24 * 3_600_000;
  log.sweep();
  const states = log.writer.log.all("select state, offers from deliveries order by seq").map((row) => ({ ...row }));
  assert.deepEqual(states, [
    { state: "handled", offers: 1 },
    { state: "queued", offers: 0 },
    { state: "queued", offers: 1 },
  ]);
  assert.deepEqual(
    log.ask("owl", "mail.fetch", {}).messages.map(({ body }) => body),
    ["later", "while back"],
  );
});
