import assert from "node:assert/strict";
import { test } from "node:test";
import { by, leader, TestWriter, temporaryDirectory } from "./log-fixture.ts";
import { LoopGuard } from "./loop-guard.ts";
import type { PayloadFor, PerformType } from "./operations.ts";
import { participantRow } from "./participants.ts";
import { openLog } from "./schema.ts";
import type { Step } from "./writer.ts";
import { WritingStatements } from "./writing-statements.ts";

function step<T extends PerformType>(log: TestWriter, name: string, type: T, payload: PayloadFor<T>): Step {
  return { type, payload, by: by(name), requestId: undefined, nowMs: log.nowMs } as Step;
}

const counts = (log: TestWriter): unknown[] => [
  log.writer.log.database.prepare("select messages, unread from totals").get()?.messages,
  log.writer.log.database.prepare("select unread from participants where name = 'owl'").get()?.unread,
  log.writer.log.database.prepare("select count(*) as n from participants where name = 'newcomer'").get()?.n,
];

test("an operation that is refused after it has written leaves nothing; the others of its transaction are carried out once", () => {
  const guard = new LoopGuard();
  using log = new TestWriter({ guard });
  log.ask("fox", "mail.register", { name: "fox" });
  const outcomes = log.writer.perform([
    step(log, "fox", "mail.send", { to: ["owl"], body: "one" }),
    step(log, "newcomer", "mail.send", { to: ["@nobody"], body: "its name is written before the group is looked for" }),
    step(log, "fox", "mail.send", { to: ["owl"], body: "two" }),
  ]);
  assert.deepEqual(
    outcomes.map((outcome) => ("error" in outcome ? outcome.error.code : "done")),
    ["done", "GROUP_UNKNOWN", "done"],
  );
  assert.deepEqual(counts(log), [2, 2, 0]);
  const { messages, unread } = log.ask("owl", "mail.fetch", {}) as { messages: { body: string }[]; unread: number };
  assert.deepEqual([messages.map(({ body }) => body), unread], [["one", "two"], 0]);
});

test("exchanges of a transaction that is carried out twice are counted once", () => {
  using log = new TestWriter();
  for (const name of ["fox", "owl"]) log.ask(name, "mail.register", { name });
  const say = (from: string, to: string): Step => step(log, from, "mail.send", { to: [to], body: "thanks" });
  const refused = step(log, "newcomer", "mail.send", { to: ["@nobody"], body: "" });
  const held = Array.from({ length: 20 }, () => log.writer.perform([say("fox", "owl"), say("owl", "fox"), refused]))
    .flat()
    .map(
      (outcome) => !("error" in outcome) && "held_until" in (outcome.answer as { recipients: object[] }).recipients[0]!,
    )
    .filter((_, at) => at % 3 !== 2);
  assert.equal(held.indexOf(true), 29); // the thirtieth exchange
});

test("what is counted is seen by whoever reads the table, is in the log at the commit, and goes with a rollback", () => {
  using directory = temporaryDirectory();
  const database = openLog(directory.log);
  const log = new WritingStatements(database);
  const unread = (): unknown => log.get("select unread from participants where name = 'owl'")?.unread;
  const kept = (): unknown => participantRow(log, "owl")?.unread;
  log.run("insert into participants (name) values ('owl')");
  log.run("begin");
  log.addUnread("owl", 2);
  log.addTotals({ messages: 1, unread: 2 });
  assert.equal(database.prepare("select unread from totals").get()?.unread, 0, "not written yet");
  assert.deepEqual(
    [unread(), log.get("select messages, unread from totals")],
    [2, { __proto__: null, messages: 1, unread: 2 }],
  );
  assert.equal(kept(), 2);
  log.run("update participants set unread = 7 where name = 'owl'");
  assert.equal(kept(), 7, "what is changed is remembered no more");
  log.addUnread("owl", 1);
  log.forget();
  log.run("rollback");
  log.flush();
  assert.deepEqual([kept(), database.prepare("select unread from totals").get()?.unread], [0, 0]);
  database.close();
});

test("a leader that leads again has forgotten what it remembered: another has led in between", () => {
  using log = new TestWriter();
  log.ask("fox", "mail.register", { name: "fox", key: "secret" });
  log.ask("fox", "mail.send", { to: ["owl"], body: "one" });
  const other = openLog(log.directory.log);
  other.exec("update participants set unread = 41 where name = 'owl'");
  other.close();
  log.writer.takeLead(leader(), log.nowMs);
  const { recipients } = log.ask("fox", "mail.send", { to: ["owl"], body: "two" }) as {
    recipients: { unread: number }[];
  };
  assert.equal(recipients[0]?.unread, 42);
});
