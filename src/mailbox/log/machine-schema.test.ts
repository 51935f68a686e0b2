import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { TestLog, temporaryDirectory } from "./log-fixture.ts";

test("schema: a log of version 1 gets what other machines need, and keeps its mail", async () => {
  using directory = temporaryDirectory();
  {
    await using log = await TestLog.open(directory);
    await log.ask("fox", "mail.send", { to: ["owl"], body: "old" });
  }
  const file = new DatabaseSync(directory.log);
  file.exec("drop table machines; drop table outbox; drop table inbound; drop table arrivals; pragma user_version = 1");
  file.close();

  await using log = await TestLog.open(directory);
  assert.equal((await log.ask("owl", "mail.fetch", {})).messages[0]?.body, "old");
  await assert.rejects(log.ask("fox", "mail.send", { to: ["owl@laptop"], body: "hi" }), { code: "NOT_JOINED" });
  await log.ask("fox", "log.joined", { machine: "desk" });
  await log.ask("fox", "log.machine", { name: "laptop", is_here: true, names: [["owl", "live"]] });
  const { recipients } = await log.ask("fox", "mail.send", { to: ["owl@laptop"], body: "hi" });
  assert.deepEqual(recipients, [{ name: "owl@laptop", known: true, presence: "live", unread: 1 }]);
  const { outgoing } = await log.read("fox", "log.outbox", { machine: "laptop", limit: 10 });
  assert.deepEqual(
    outgoing.map(({ n, copy }) => [n, copy?.prev, copy?.to, copy?.body]),
    [[1, 0, "owl", "hi"]],
  );
});
