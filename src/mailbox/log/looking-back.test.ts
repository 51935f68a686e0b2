import assert from "node:assert/strict";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { TestLog, temporaryDirectory } from "./log-fixture.ts";
import type { PayloadFor } from "./operations.ts";

const hasCode = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

test("history: newest first, one's own, by words, thread, state and partner; a person sees all", async () => {
  await using log = await TestLog.open();
  const send = async (from: string, to: string, body: string) =>
    (await log.ask(from, "mail.send", { to: [to], body })).message;
  const first = await send("fox", "owl", "the schema has changed, please rebase");
  await send("owl", "bee", "Überraschung: the parser is done");
  await send("bee", "ant", "nothing about schemas");
  await log.ask("owl", "mail.fetch", {});
  await log.ask("owl", "mail.reply", { id: first.id, body: "rebased" });
  const bodies = async (name: string | undefined, payload: PayloadFor<"mail.history">) =>
    (await log.read(name === undefined ? { client: "p", isPerson: true } : name, "mail.history", payload)).messages.map(
      ({ message }) => message.body,
    );
  assert.equal((await bodies(undefined, {})).length, 4);
  assert.deepEqual(await bodies("ant", {}), ["nothing about schemas"]);
  assert.deepEqual(await bodies("owl", { with: "fox" }), ["rebased", "the schema has changed, please rebase"]);
  assert.deepEqual(await bodies("owl", { thread: first.id }), ["rebased", "the schema has changed, please rebase"]);
  assert.deepEqual(await bodies(undefined, { search: "schema" }), [
    "nothing about schemas",
    "the schema has changed, please rebase",
  ]);
  assert.deepEqual(await bodies("ant", { search: "schema" }), ["nothing about schemas"]);
  assert.deepEqual(await bodies(undefined, { search: 'uberraschung "AND (' }), [], "operators are only words");
  assert.deepEqual(await bodies(undefined, { search: "UBERRASCHUNG pars" }), ["Überraschung: the parser is done"]);
  assert.deepEqual(await bodies(undefined, { state: "replied" }), ["the schema has changed, please rebase"]);
  const page = await log.read({ client: "p", isPerson: true }, "mail.history", { limit: 3 });
  assert.ok(page.has_more);
  const rest = await log.read({ client: "p", isPerson: true }, "mail.history", {
    before: page.messages.at(-1)!.message.seq,
  });
  assert.deepEqual([rest.messages.length, rest.has_more], [1, false]);
});

test("the search index is made anew when it is damaged", async () => {
  await using log = await TestLog.open();
  await log.ask("fox", "mail.send", { to: ["owl"], body: "needle" });
  const find = async () => (await log.read("fox", "mail.history", { search: "needle" })).messages.length;
  assert.equal(await find(), 1);
  const { path } = log.directory;
  await log.mailLog.close();
  writeFileSync(`${path}/search.db`, "this is no database".repeat(1000));
  for (const suffix of ["-wal", "-shm"]) rmSync(`${path}/search.db${suffix}`, { force: true });
  await using again = await TestLog.open(log.directory);
  assert.equal((await again.read("fox", "mail.history", { search: "needle" })).messages.length, 1);
});

test("export and import: everything comes over, twice is once, and what was offered is queued", async () => {
  await using from = await TestLog.open();
  await from.ask({ client: "c" }, "mail.register", { name: "fox", key: "secret", groups: ["team"] });
  for (let at = 0; at < 7; at++)
    await from.ask("bee", "mail.send", { to: ["fox", "owl"], body: `m${at}`, message_id: `m${at}` });
  await from.ask("owl", "mail.fetch", { limit: 3 });
  await from.ask("owl", "mail.reply", { id: "m0", body: "answer" });
  await from.ask("owl", "mail.ack", { ids: ["m1"] });
  const rows: Record<string, unknown>[] = [];
  for (let after: number | undefined; ; ) {
    const page = await from.read("x", "mail.export", { limit: 3, ...(after === undefined ? {} : { after }) });
    rows.push(...page.rows);
    after = page.next;
    if (after === undefined) break;
  }
  assert.equal(rows.filter(({ row }) => row === "message").length, 8);

  await using to = await TestLog.open();
  const imported = await to.ask("x", "mail.import", { rows: JSON.parse(JSON.stringify(rows)) });
  assert.equal(imported.imported + imported.skipped, rows.length);
  assert.equal((await to.ask("x", "mail.import", { rows })).imported, 0);
  const facts = async (log: TestLog) => {
    const { messages, unread } = await log.read("x", "mail.status", {});
    const history = await log.read({ client: "p", isPerson: true }, "mail.history", {});
    const receipts = history.messages.flatMap((each) =>
      each.receipts.map(({ id, to: name, state }) => [id, name, state]),
    );
    return { messages, unread, receipts };
  };
  const expected = await facts(from);
  for (const receipt of expected.receipts) if (receipt[2] === "offered") receipt[2] = "queued";
  assert.deepEqual(await facts(to), expected);
  await assert.rejects(to.ask("fox", "mail.fetch", {}), hasCode("NAME_OWNED"), "the key came over");
  assert.equal(
    (await to.read("bee", "mail.wait", { id: "m0" })).receipts.find((receipt) => receipt.to === "owl")?.reply?.body,
    "answer",
  );
  await assert.rejects(to.ask("x", "mail.import", { rows: [{ row: "message", seq: 1 }] }), hasCode("INVALID_PAYLOAD"));
});

test("backup: whole and consistent while others write, and it can be put back", async () => {
  await using log = await TestLog.open();
  let isWriting = true;
  const writing = (async () => {
    for (let at = 0; isWriting; at++)
      await Promise.all(
        Array.from({ length: 20 }, (_, each) =>
          log.ask("fox", "mail.send", { to: ["owl", "bee"], body: `${at}/${each}` }),
        ),
      );
  })();
  while ((await log.read("x", "mail.status", {})).messages < 200) await log.ask("x", "mail.ping", {});
  const backup = await log.mailLog.backup(`${log.directory.path}/copy.db`);
  isWriting = false;
  await writing;
  assert.ok(backup.log_head >= 200 && backup.bytes > 0);
  await assert.rejects(log.mailLog.backup(`${log.directory.path}/copy.db`), hasCode("MAIL_BACKUP_PATH"));
  await assert.rejects(log.mailLog.backup("copy.db"), hasCode("MAIL_BACKUP_PATH"));

  using other = temporaryDirectory();
  renameSync(backup.path, other.log);
  await using restored = await TestLog.open(other);
  const status = await restored.read("x", "mail.status", {});
  assert.deepEqual([status.messages, status.unread], [backup.log_head, 2 * backup.log_head], "whole batches");
  assert.equal(restored.epoch, 2);
});

test("the search index is made anew when a backup was put back, and as much was written since as had been before", async () => {
  using directory = temporaryDirectory();
  const backup = `${directory.path}/copy.db`;
  const send = (log: TestLog, body: string) => log.ask("fox", "mail.send", { to: ["owl"], body });
  const find = async (log: TestLog, search: string) =>
    (await log.read("fox", "mail.history", { search })).messages.length;
  {
    await using log = await TestLog.open(directory);
    await send(log, "first");
    await log.mailLog.backup(backup);
    for (const body of ["lost one", "lost two"]) await send(log, body);
    assert.equal(await find(log, "lost"), 2);
  }
  for (const suffix of ["", "-wal", "-shm"]) rmSync(directory.log + suffix, { force: true });
  renameSync(backup, directory.log);
  await using log = await TestLog.open(directory);
  log.nowMs += 1_000;
  for (const body of ["new one", "new two"]) await send(log, body);
  assert.deepEqual([await find(log, "new"), await find(log, "lost"), await find(log, "first")], [2, 0, 1]);
});
