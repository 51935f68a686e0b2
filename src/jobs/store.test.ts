import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { isWarrenError } from "../protocol/errors.ts";
import { NO_RUNS } from "./history.ts";
import type { JobRecord } from "./records.ts";
import { openState } from "./schema.ts";
import { JobStore } from "./store.ts";

class StateDirectory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "warren-store-"));
  readonly #open: DatabaseSync[] = [];

  get file(): string {
    return join(this.path, "state.db");
  }

  open() {
    const opened = openState(this.file, 1_000);
    this.#open.push(opened.database);
    return { ...opened, store: new JobStore(opened.database) };
  }

  [Symbol.dispose](): void {
    for (const database of this.#open) if (database.isOpen) database.close();
    rmSync(this.path, { recursive: true });
  }
}

const job = (id: string, extra: Partial<JobRecord> = {}): JobRecord => ({
  id,
  name: null,
  project: "/p",
  command: [id],
  workdir: "/p",
  options: {},
  stats: NO_RUNS,
  nextRunNumber: 1,
  wanted: "down",
  restartCount: 0,
  restartAtMs: null,
  env: null,
  createdAtMs: 0,
  ...extra,
});

const event = (data: Record<string, unknown> = {}) => ({ type: "x", jobId: "1aa", workdir: "/p", atMs: 1, data });

test("store: what is written comes back as it was", () => {
  using directory = new StateDirectory();
  const written = job("1aa", {
    name: "web",
    command: ["sh", "-c", "echo 'ü\n\"'"],
    options: { labels: { a: "b" }, restart: { when: "always", max: 3 }, depends_on: ["db"] },
    wanted: "up",
    restartCount: 2,
    restartAtMs: 1_700_000_000_123,
    env: ["A=1", "B=\u0000"],
  });
  directory.open().store.insertJob(written);
  assert.deepEqual(directory.open().store.job("1aa"), written);
});

test("transaction: all or nothing, and the next one is not hindered", () => {
  using directory = new StateDirectory();
  const { store } = directory.open();
  assert.throws(
    () =>
      store.transaction(() => {
        store.insertJob(job("1aa"));
        store.appendEvent(event());
        throw new Error("midway");
      }),
    /midway/,
  );
  assert.deepEqual([store.jobCount(), store.lastSeq()], [0, 0]);
  store.transaction(() => store.insertJob(job("1aa")));
  assert.equal(store.jobCount(), 1);
});

test("transaction: a full disk is told as what it is, and changes nothing", () => {
  using directory = new StateDirectory();
  const { store, database } = directory.open();
  const pages = Number(database.prepare("pragma page_count").get()?.page_count);
  database.exec(`pragma max_page_count=${pages}`);
  const write = () => store.transaction(() => store.insertJob(job("1aa", { command: ["x".repeat(100_000)] })));
  assert.throws(write, (error) => isWarrenError(error, "DISK_FULL"));
  database.exec("pragma max_page_count=100000");
  write();
  assert.equal(store.jobCount(), 1);
});

test("events: a position that is gone, and one that never was, are told apart from one with nothing new", () => {
  using directory = new StateDirectory();
  const { store } = directory.open();
  assert.deepEqual([store.eventsAfter(0), store.eventsAfter(1)], [[], undefined]);
  store.transaction(() => {
    for (let count = 0; count < 21_500; count++) store.appendEvent(event({ count }));
  });
  assert.equal(store.lastSeq(), 21_500);
  assert.equal(store.eventsAfter(999), undefined);
  assert.equal(store.eventsAfter(1_000)?.length, 20_500, "dropped a thousand at a time");
  assert.deepEqual(
    store.eventsAfter(21_498)?.map(({ seq }) => seq),
    [21_499, 21_500],
  );
  assert.deepEqual(store.eventsAfter(21_500), []);
  assert.equal(store.eventsAfter(21_501), undefined);
});

test("events: seq does not fall back when all of them are gone, nor in the next generation", () => {
  using directory = new StateDirectory();
  const { store, database } = directory.open();
  for (let count = 0; count < 3; count++) store.appendEvent(event());
  database.exec("delete from events");
  assert.deepEqual([store.eventsAfter(3), store.eventsAfter(2)], [[], undefined]);
  assert.equal(directory.open().store.appendEvent(event()).seq, 4);
});

/** Every statement that `work` runs, with SQLite's plan for it. */
function plansOf(directory: StateDirectory, work: (store: JobStore) => void): Map<string, string[]> {
  const { database } = directory.open();
  const statements = new Set<string>();
  const spied = {
    exec: (sql: string) => database.exec(sql),
    prepare: (sql: string) => {
      statements.add(sql);
      return database.prepare(sql);
    },
  };
  work(new JobStore(spied as unknown as DatabaseSync));
  const planOf = (sql: string): string[] =>
    database
      .prepare(`explain query plan ${sql}`)
      .all(...Array<null>(sql.split("?").length - 1).fill(null))
      .map(({ detail }) => String(detail));
  return new Map([...statements].map((sql) => [sql, planOf(sql)]));
}

test("plans: what an add, a list of a directory, a lookup and a restart look at is found by key or index", () => {
  using directory = new StateDirectory();
  const plans = plansOf(directory, (store) => {
    store.insertJob(job("1aa"));
    store.updateJob(job("1aa"));
    store.jobByIdentity("/p", ["x"]);
    store.jobByName("/p", "web");
    store.jobsNamed("web");
    store.jobs("/p");
    store.jobsWanted();
    store.latestRun("1aa");
    store.runsOfJob("1aa", 5);
    store.liveRuns();
    store.endedOf(["1aa-1"]);
    store.run("1aa-1");
    store.eventsAfter(0);
    store.answerOf("r");
    store.answer({ id: "r", type: "add" }, 1, {});
    store.forgetOldRequests(2);
    store.deleteJob("1aa");
  });
  assert.ok(plans.size >= 15);
  const scans = [...plans].filter(([, plan]) =>
    plan.some((step) =>
      /^SCAN (?!.*(INDEX runs_live|INDEX runs_ended|INDEX jobs_wanted|sqlite_sequence|json_each|CONSTANT ROW))/.test(
        step,
      ),
    ),
  );
  assert.deepEqual(scans, []);
  for (const [sql, plan] of plans) assert.ok(!plan.some((step) => /AUTOMATIC/.test(step)), sql);
});

test("state: a file that is no database is put aside and said, with what was in it", () => {
  using directory = new StateDirectory();
  writeFileSync(directory.file, "this is no database, and long enough to be taken for one".repeat(100));
  const { setAside, store } = directory.open();
  assert.equal(setAside, `${directory.file}.corrupt-1000`);
  assert.equal(store.jobCount(), 0);
  assert.ok(readdirSync(directory.path).includes("state.db.corrupt-1000"));
});

test("state: of a newer Warren it is opened when it may be, and else refused and left as it is", () => {
  using directory = new StateDirectory();
  const { database, store } = directory.open();
  store.insertJob(job("1aa"));
  database.exec("pragma user_version=9");
  assert.equal(directory.open().store.jobCount(), 1);
  database.exec("update meta set value = 9 where key = 'oldest_reader'");
  assert.throws(
    () => directory.open(),
    (error) => isWarrenError(error, "STATE_TOO_NEW") && error.message.includes(directory.file),
  );
  assert.equal(store.jobCount(), 1);
});
