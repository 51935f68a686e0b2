import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { needsRoot, smallDisk } from "../../../test/harness/faults.ts";
import { silentLog } from "../../platform/log.ts";
import { by, leader, seeded, type TemporaryDirectory, TestLog, temporaryDirectory } from "./log-fixture.ts";
import { MailLog } from "./mail-log.ts";
import { Writer } from "./writer.ts";

/** What was acknowledged is on disk: through SIGKILL, a disk that is full or fails, and a power cut. */
const WRITING = join(import.meta.dirname, "writing-process-fixture.ts");
const TIMEOUT_MS = 60_000;
const IS_PROOF = Boolean(process.env.WARREN_PROOF);
const KILLS = IS_PROOF ? 300 : 6;
const CUTS = IS_PROOF ? 10_000 : 150;
const MANY = IS_PROOF ? 1_000_000 : 20_000;
const MEBIBYTE = 1024 * 1024;

interface Writing extends AsyncDisposable {
  child: ChildProcess;
  /** Ids that were answered. */
  acknowledged: string[];
  lines: string[];
  /** Resolves when so many were. */
  reached(count: number): Promise<void>;
  ended: Promise<void>;
}

function writing(log: string, { first = 0, count = 1_000_000, inFlight = 16, wrapper = [] as string[] } = {}): Writing {
  const [file, ...args] = [...wrapper, process.execPath, WRITING, log, String(first), String(count), String(inFlight)];
  const child = spawn(file!, args, { stdio: ["ignore", "pipe", "inherit"] });
  const acknowledged: string[] = [];
  const lines: string[] = [];
  let rest = "";
  let goal = { count: Number.POSITIVE_INFINITY, met: () => {} };
  child.stdout!.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const line of parts) (/^m\d+$/.test(line) ? acknowledged : lines).push(line);
    if (acknowledged.length >= goal.count) goal.met();
  });
  const ended = once(child, "close").then(() => undefined);
  return {
    child,
    acknowledged,
    lines,
    ended,
    reached: async (wanted) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      goal = { count: wanted, met: resolve };
      if (acknowledged.length >= wanted) resolve();
      await Promise.race([promise, ended]);
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Ids of the stored messages, each with both of its deliveries. */
function stored(path: string): Set<string> {
  const database = new DatabaseSync(path);
  try {
    assert.equal(database.prepare("pragma integrity_check").get()?.integrity_check, "ok");
    const rows = database
      .prepare("select m.id, (select count(*) from deliveries d where d.seq = m.seq) as copies from messages m")
      .all();
    for (const { id, copies } of rows) assert.equal(copies, 2, `${id} is there as a whole`);
    const { messages, unread } = database.prepare("select messages, unread from totals").get()!;
    assert.deepEqual([messages, unread], [rows.length, 2 * rows.length]);
    return new Set(rows.map(({ id }) => String(id)));
  } finally {
    database.close();
  }
}

const missing = (acknowledged: readonly string[], there: ReadonlySet<string>): string[] =>
  acknowledged.filter((id) => !there.has(id));

test(
  `kill -9 of the writing process at ${KILLS} random moments: every answered message is there`,
  { timeout: TIMEOUT_MS * (IS_PROOF ? 20 : 1) },
  async () => {
    using directory = temporaryDirectory();
    const random = seeded(7);
    const acknowledged: string[] = [];
    for (let kill = 0, first = 0; kill < KILLS; kill++, first += 1_000_000) {
      await using process = writing(directory.log, { first });
      await process.reached(1 + random(400));
      process.child.kill("SIGKILL");
      await process.ended;
      acknowledged.push(...process.acknowledged);
      assert.deepEqual(process.lines, ["leads"]);
    }
    assert.ok(acknowledged.length > KILLS);
    assert.deepEqual(missing(acknowledged, stored(directory.log)), []);
    await using log = await TestLog.open(directory);
    assert.equal(log.epoch, KILLS + 1);
    const { message, is_new } = await log.ask("fox", "mail.send", {
      to: ["owl"],
      body: "again",
      message_id: acknowledged[0]!,
    });
    assert.deepEqual([is_new, message.body.length], [false, 700]);
  },
);

/**
 * A power cut keeps what was synced and any part of what was written after it. So: after each answer the length of the write-ahead log is noted (all
 * of it was synced), and a copy is cut at a random point at or behind one of those, its rest damaged.
 */
test(
  `power cut: the log is cut at ${CUTS} random points behind the last sync, and each answered message is there`,
  { timeout: TIMEOUT_MS * (IS_PROOF ? 20 : 1) },
  () => {
    using directory = temporaryDirectory();
    using copy = temporaryDirectory();
    const random = seeded(11);
    const writer = new Writer({ path: directory.log });
    writer.takeLead(leader(), 0);
    writer.log.get("pragma wal_checkpoint(truncate)");
    const synced: { bytes: number; count: number }[] = [];
    for (let batch = 0, count = 0; batch < 60; batch++) {
      const steps = Array.from({ length: 1 + random(5) }, () => ({
        type: "mail.send" as const,
        payload: { to: ["owl", "bee"], body: "x".repeat(random(6_000)), message_id: `m${count++}` },
        by: by("fox"),
        nowMs: batch,
      }));
      assert.ok(writer.perform(steps).every((outcome) => "answer" in outcome));
      synced.push({ bytes: statSync(`${directory.log}-wal`).size, count });
    }
    const wal = readFileSync(`${directory.log}-wal`);
    const base = readFileSync(directory.log);
    for (let cut = 0; cut < CUTS; cut++) {
      const at = random(synced.length);
      const { bytes, count } = synced[at]!;
      const end = Math.min(wal.length, bytes + random(20_000));
      const damaged = Buffer.from(wal.subarray(0, end));
      if (end > bytes && random(2)) damaged[bytes + random(end - bytes)]! ^= 0xff;
      writeFileSync(copy.log, base);
      writeFileSync(`${copy.log}-wal`, damaged);
      rmSync(`${copy.log}-shm`, { force: true });
      const there = stored(copy.log);
      assert.ok(there.size >= count, `cut at ${end}: ${there.size} of ${count}`);
    }
    writer.close();
  },
);

test(
  "a full disk: what does not fit is not acknowledged, and that is told; what was acknowledged is there",
  { timeout: TIMEOUT_MS, skip: needsRoot() ?? false },
  async () => {
    using disk = smallDisk(24 * MEBIBYTE);
    const directory = { path: disk.path, log: join(disk.path, "log.db"), [Symbol.dispose]() {} };
    const lost: string[] = [];
    const acknowledged: string[] = [];
    {
      await using log = await TestLog.open(directory);
      log.mailLog.onLost((reason, error) => lost.push(`${reason} ${error.code}`));
      const send = (at: number) =>
        log
          .ask("fox", "mail.send", { to: ["owl", "bee"], body: "x".repeat(1_000), message_id: `m${at}` })
          .then(() => acknowledged.push(`m${at}`));
      await send(0);
      disk.fill(300 * 1024);
      const refusals = (await Promise.allSettled(Array.from({ length: 2_000 }, (_, at) => send(at + 1)))).filter(
        (result) => result.status === "rejected",
      );
      assert.ok(refusals.length > 0);
      assert.ok(
        refusals.every(({ reason }) => reason.code === "MAIL_NOT_STORED"),
        String(refusals[0]?.reason),
      );
      assert.deepEqual(lost, ["broken MAIL_NOT_STORED"]);
    }
    disk.drain();
    assert.deepEqual(missing(acknowledged, stored(directory.log)), []);
    await using next = await TestLog.open(directory);
    assert.ok((await next.ask("fox", "mail.send", { to: ["owl", "bee"], body: "on", message_id: "later" })).is_new);
  },
);

test(
  "an I/O error at the sync: nothing of that transaction is acknowledged, and the leader is lost",
  { timeout: TIMEOUT_MS, skip: needsStrace() },
  async () => {
    using directory = temporaryDirectory();
    await (await TestLog.open(directory))[Symbol.asyncDispose]();
    const wrapper = [
      "strace",
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      "trace=fdatasync,fsync",
      "-e",
      "inject=fdatasync,fsync:error=EIO:when=40+",
    ];
    await using process = writing(directory.log, { wrapper });
    await process.ended;
    assert.ok(process.lines.includes("refused MAIL_NOT_STORED"), process.lines.join());
    assert.ok(process.lines.includes("lost broken MAIL_NOT_STORED"), process.lines.join());
    assert.ok(process.acknowledged.length > 0);
    assert.deepEqual(missing(process.acknowledged, stored(directory.log)), []);
  },
);

test("each commit is synced before it is answered", { timeout: TIMEOUT_MS, skip: needsStrace() }, async () => {
  using directory = temporaryDirectory();
  const trace = join(directory.path, "trace");
  const args = ["-f", "-qq", "-o", trace, "-e", "trace=fdatasync,fsync,write"];
  await using process = writing(directory.log, { count: 20, inFlight: 1, wrapper: ["strace", ...args] });
  await process.ended;
  assert.equal(process.acknowledged.length, 20);
  let isSynced = false;
  let answered = 0;
  for (const line of readFileSync(trace, "utf8").split("\n")) {
    if (/f(data)?sync(\(\d+\)| resumed>\)) += 0/.test(line)) isSynced = true;
    if (!/write\(1, "m\d+\\n"/.test(line)) continue;
    assert.ok(isSynced, `a sync between answers ${answered - 1} and ${answered}`);
    isSynced = false;
    answered += 1;
  }
  assert.equal(answered, 20);
});

test(
  "two processes write into one log by turns: the deposed one stops, and nothing is lost",
  { timeout: TIMEOUT_MS },
  async () => {
    using directory = temporaryDirectory();
    await using first = writing(directory.log);
    await first.reached(100);
    await using second = writing(directory.log, { first: 1_000_000, count: 200 });
    await second.ended;
    await first.ended;
    assert.ok(first.lines.includes("lost fenced MAIL_FENCED"), first.lines.join());
    assert.equal(second.acknowledged.length, 200);
    const there = stored(directory.log);
    assert.deepEqual(missing([...first.acknowledged, ...second.acknowledged], there), []);
  },
);

test(
  `${MANY} messages: opening and leading read a bounded part of the file, and the counts are there`,
  { timeout: TIMEOUT_MS * 10 },
  async () => {
    using directory = temporaryDirectory();
    fill(directory, MANY);
    const reads = bytesRead();
    const start = performance.now();
    const log = await MailLog.open({ path: directory.log, log: silentLog });
    await log.takeLead(leader());
    const status = await log.read({ type: "mail.status", payload: {}, by: by("x"), nowMs: 0 });
    const openMs = performance.now() - start;
    const bytes = bytesRead() - reads;
    assert.deepEqual([status.messages, status.unread, status.log_head], [MANY, 1_000, MANY]);
    assert.ok(bytes < 2 * MEBIBYTE, `${bytes} bytes were read`);
    const { answer } = await log.perform({ type: "mail.fetch", payload: { limit: 3 }, by: by("name7"), nowMs: 0 });
    assert.equal(answer.messages.length, 1, "one of the last thousand is name7's");
    if (IS_PROOF) console.log(`opened and led ${MANY} messages in ${openMs.toFixed(1)} ms, ${bytes} bytes read`);
    await log.close();
  },
);

/** Messages as the writer makes them, all but the last thousand read. Made by SQL, since it takes a minute otherwise. */
function fill(directory: TemporaryDirectory, count: number): void {
  new Writer({ path: directory.log }).close();
  const database = new DatabaseSync(directory.log);
  database.exec(`
    pragma synchronous=off; pragma cache_size=-200000; begin;
    with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count})
    insert into messages (seq, id, sender, kind, sent_at_ms, body, thread, expires_at_ms)
      select i, 'm' || i, 'fox', 'message', i, 'the body of message ' || i, 'm' || i, 4e12 from n;
    insert into deliveries (recipient, seq, sender, state, at_ms, offers, expires_at_ms, due_at_ms)
      select 'name' || (seq % 1000), seq, 'fox', iif(seq > ${count - 1_000}, 'queued', 'handled'), seq, 0, 4e12, iif(seq > ${count - 1_000}, 4e12, null) from messages;
    insert into participants (name, registered_at_ms, last_seen_ms, unread) select 'name' || (seq % 1000), 1, 1, 1 from messages where seq > ${count - 1_000};
    update totals set messages = ${count}, unread = 1000;
    commit; pragma wal_checkpoint(truncate);
  `);
  database.close();
}

/** What this process has asked the kernel for so far (proc_pid_io(5)). */
function bytesRead(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
}

function needsStrace(): string | false {
  const { status, stderr } = spawnSync("strace", ["-f", "-o", "/dev/null", "true"], { encoding: "utf8" });
  return status === 0 ? false : `needs strace that may trace: ${stderr ?? "not there"}`;
}
