import assert from "node:assert/strict";
import { test } from "node:test";
import { TestWriter } from "./log-fixture.ts";

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
