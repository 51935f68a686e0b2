import assert from "node:assert/strict";
import { test } from "node:test";
import { leader, TestWriter } from "./log-fixture.ts";

/** What is told to be there for owl. */
const queued = (effects: readonly { kind: string; id?: string }[]): (string | undefined)[] =>
  effects.filter(({ kind }) => kind === "queued").map(({ id }) => id);

test("what waits behind messages that are settled together is told once for each sender", () => {
  using log = new TestWriter();
  const send = (name: string) => log.ask(name, "mail.send", { to: ["owl"], body: "hi" }).message.id;
  const ids = [send("fox"), send("bee"), send("fox"), send("fox"), send("fox")];
  const owl = (client: string) => ({ name: "owl", client });
  log.ask(owl("one"), "mail.fetch", { limit: 3 });
  const { effects } = log.perform(owl("one"), "mail.ack", { ids: ids.slice(0, 3) });
  assert.deepEqual(queued(effects), [ids[3], ids[3]], "after fox's two, and after bee's one");
  log.ask(owl("one"), "mail.fetch", { limit: 1 });
  assert.deepEqual(queued(log.perform(owl("one"), "mail.ack", { ids: [ids[3]!] }).effects), [ids[4]]);
});

test("what waits behind a message that has expired is told by the sweep", () => {
  using log = new TestWriter();
  log.ask("fox", "mail.send", { to: ["owl"], body: "short", ttl_ms: 1_000 });
  const { id } = log.ask("fox", "mail.send", { to: ["owl"], body: "long" }).message;
  log.nowMs += 1_000;
  assert.deepEqual(queued(log.sweep()), [id]);
});

test("copies for another machine that an older build left when they had expired take no place under the next leader", () => {
  using log = new TestWriter();
  const machines = { client: "machines", isMailbox: true };
  log.ask(machines, "log.joined", { machine: "here" });
  log.ask(machines, "log.machine", { name: "desk", log_id: "x", is_here: false, names: [] });
  log.ask("fox", "mail.send", { to: ["owl@desk", "bee@desk"], body: "hi" });
  log.writer.log.run("update deliveries set state = 'expired' where recipient = 'owl@desk'");
  log.writer.log.run("update machines set waiting = 10000");
  assert.throws(() => log.ask("fox", "mail.send", { to: ["bee@desk"], body: "" }), { code: "MAILBOX_FULL" });
  for (let times = 0; times < 2; times++) {
    log.writer.takeLead(leader(), log.nowMs);
    assert.deepEqual(
      log.writer.log.all("select o.recipient, m.waiting from outbox o join machines m on m.name = o.machine"),
      [{ __proto__: null, recipient: "bee@desk", waiting: 1 }],
    );
  }
  log.ask("fox", "mail.send", { to: ["bee@desk"], body: "" });
});
