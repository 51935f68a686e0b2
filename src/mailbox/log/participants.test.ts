import assert from "node:assert/strict";
import { test } from "node:test";
import { TestWriter } from "./log-fixture.ts";

const hasCode = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

test("broadcast and groups: whoever is there now, not who comes later, not oneself, each once", () => {
  using log = new TestWriter();
  for (const name of ["ant", "bee", "cat"]) log.ask(name, "mail.groups", { join: ["team"] });
  log.ask("dog", "mail.groups", {});
  const sent = log.ask("ant", "mail.send", { to: ["@all", "@team", "bee"], body: "hi" });
  assert.deepEqual(sent.recipients.map(({ name }) => name).sort(), ["bee", "cat", "dog"]);
  assert.equal(log.ask("bee", "mail.fetch", {}).messages[0]?.addressed_to, "bee");
  assert.equal(log.ask("dog", "mail.fetch", {}).messages[0]?.addressed_to, "@all");
  assert.equal(log.ask("eel", "mail.fetch", {}).messages.length, 0, "came later");
  log.ask("cat", "mail.groups", { leave: ["@team"] });
  assert.deepEqual(
    log.ask("dog", "mail.send", { to: ["@team"], body: "hi" }).recipients.map(({ name }) => name),
    ["ant", "bee"],
  );
});

test("an unknown recipient is told with the name that may have been meant, and gets its mail when it comes", () => {
  using log = new TestWriter();
  log.ask("reviewer", "mail.fetch", {});
  const { recipients } = log.ask("fox", "mail.send", { to: ["reviwer"], body: "hi" });
  assert.deepEqual(recipients, [
    { name: "reviwer", known: false, presence: "gone", unread: 1, suggestion: "reviewer" },
  ]);
  assert.equal(log.ask("reviwer", "mail.fetch", {}).messages.length, 1);
});

test("a full mailbox refuses a message of its own, and is left out of a broadcast, which is told", () => {
  using log = new TestWriter();
  for (const name of ["owl", "bee"]) log.ask(name, "mail.fetch", {});
  log.writer.log.run("update participants set unread = 10000 where name = 'owl'");
  assert.throws(() => log.ask("fox", "mail.send", { to: ["bee", "owl"], body: "hi" }), hasCode("MAILBOX_FULL"));
  const { recipients } = log.ask("fox", "mail.send", { to: ["@all"], body: "hi" });
  assert.deepEqual(
    recipients.map(({ name, problem }) => [name, problem]),
    [
      ["bee", undefined],
      ["owl", "MAILBOX_FULL"],
    ],
  );
});

test("a name that belongs to a key: nobody else takes it, reads its mail or speaks for it", () => {
  using log = new TestWriter();
  log.ask({ client: "c1" }, "mail.register", { name: "fox", key: "secret" });
  log.ask("bee", "mail.send", { to: ["fox"], body: "hi" });
  const thief = { name: "fox", client: "thief" };
  for (const attempt of [
    () => log.ask(thief, "mail.register", { name: "fox" }),
    () => log.ask(thief, "mail.register", { name: "fox", key: "guess" }),
    () => log.ask(thief, "mail.fetch", {}),
    () => log.ask(thief, "mail.send", { to: ["bee"], body: "I am fox" }),
    () => log.ask("bee", "mail.rename", { name: "fox" }),
    () => log.ask(thief, "mail.unregister", { name: "fox" }),
    () => log.ask({ client: "s", isServer: true }, "mail.register", { name: "fox", unit: "u1" }),
  ])
    assert.throws(attempt, hasCode("NAME_OWNED"));
  log.ask({ client: "c2" }, "mail.register", { name: "fox", key: "secret" });
  assert.equal(
    log.ask({ name: "fox", client: "c2" }, "mail.fetch", {}).messages.length,
    1,
    "another client with the key",
  );
  assert.equal(log.ask({ name: "fox", client: "c1" }, "mail.fetch", {}).messages.length, 0);
});

test("a unit's name: given by a server, spoken for by what runs in it", () => {
  using log = new TestWriter();
  assert.throws(() => log.ask("x", "mail.register", { name: "fox", unit: "u1" }), hasCode("NAME_OWNED"));
  log.ask({ client: "s", isServer: true }, "mail.register", { name: "fox", unit: "u1" });
  assert.throws(() => log.ask({ name: "fox", client: "c" }, "mail.fetch", {}), {
    code: "NAME_OWNED",
    fix: "warren mail history fox", // a person reads there what fox is told
  });
  assert.throws(() => log.ask({ name: "fox", client: "c", unit: "u2" }, "mail.fetch", {}), hasCode("NAME_OWNED"));
  log.ask({ name: "fox", client: "c", unit: "u1" }, "mail.fetch", {});
});

test("a free name is its holder's while that lives, and anybody's after that; its mail stays", () => {
  using log = new TestWriter();
  log.alive.add(7);
  log.ask({ client: "c1" }, "mail.register", { name: "fox", pid: 7 });
  log.ask("bee", "mail.send", { to: ["fox"], body: "hi" });
  assert.throws(() => log.ask({ client: "c2" }, "mail.register", { name: "fox", pid: 8 }), hasCode("NAME_TAKEN"));
  assert.throws(() => log.ask({ name: "fox", client: "c2" }, "mail.fetch", {}), hasCode("NAME_TAKEN"));
  log.ask({ client: "c3" }, "mail.register", { name: "fox", pid: 7 });
  log.alive.delete(7);
  log.nowMs += 1_000;
  log.ask({ client: "c2" }, "mail.register", { name: "fox", pid: 8 });
  assert.equal(log.ask({ name: "fox", client: "c2" }, "mail.fetch", {}).messages.length, 1);
  assert.throws(() => log.ask({ client: "c2" }, "mail.register", { name: "system" }), hasCode("NAME_RESERVED"));
});

test("rename: mail, key and groups go over, and mail to the old name does for two hours", () => {
  using log = new TestWriter();
  const client = "c1";
  log.ask({ client }, "mail.register", { name: "fox", key: "secret", groups: ["team"] });
  log.ask("bee", "mail.send", { to: ["fox"], body: "before" });
  const asked = log.ask({ name: "fox", client }, "mail.send", { to: ["bee"], body: "?", message_id: "q" });
  const renamed = log.ask({ name: "fox", client }, "mail.rename", { name: "wolf" }).participant;
  assert.deepEqual([renamed.name, renamed.owner, renamed.unread, renamed.groups], ["wolf", "key", 1, ["team"]]);
  const sent = log.ask("bee", "mail.send", { to: ["fox"], body: "after" });
  assert.deepEqual([sent.recipients[0]?.name, sent.message.to, sent.message.addressed_to], ["wolf", "wolf", "fox"]);
  assert.throws(() => log.ask("bee", "mail.rename", { name: "fox" }), hasCode("NAME_TAKEN"));
  assert.throws(() => log.ask({ client: "c9" }, "mail.register", { name: "fox" }), hasCode("NAME_TAKEN"));
  assert.throws(() => log.ask("wolf", "mail.fetch", {}), hasCode("NAME_OWNED"));
  log.ask("bee", "mail.fetch", {});
  assert.equal(log.ask("bee", "mail.reply", { id: asked.message.id, body: "!" }).message.to, "wolf");
  const mail = log.ask({ name: "wolf", client }, "mail.fetch", {}).messages;
  assert.deepEqual(
    mail.map(({ body }) => body),
    ["before", "after", "!"],
  );
  log.nowMs += 2 * 3_600_000;
  log.ask("bee", "mail.send", { to: ["fox"], body: "late" });
  assert.equal(log.ask({ name: "fox", client: "c9" }, "mail.fetch", {}).messages.length, 1, "the name is free again");
});
