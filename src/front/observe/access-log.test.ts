import assert from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Clock } from "../../platform/clock.ts";
import type { ExchangeRecord } from "../proxy/responder.ts";
import { AccessFile, AccessLog, type AccessSink } from "./access-log.ts";

const record = (more: Partial<ExchangeRecord> = {}): ExchangeRecord => ({
  requestId: "r1",
  remoteAddress: "127.0.0.1",
  method: "GET",
  host: "localhost:8080",
  target: "/a?token=secret",
  worker: "api",
  instance: "api-1",
  status: 200,
  bytesIn: 0,
  bytesOut: 12,
  durationMs: 1.23456,
  ...more,
});

/** Time that stands still until the test lets it go on; timers in the order in which they were set. */
function standingClock(): Clock & { fire(): void; timerCount(): number } {
  const timers = new Set<() => void>();
  return {
    wallMs: () => Date.UTC(2026, 10, 21, 10, 0, 0, 7),
    monotonicMs: () => 0,
    timer(_delayMs, task) {
      timers.add(task);
      return () => timers.delete(task);
    },
    timerCount: () => timers.size,
    fire() {
      for (const task of [...timers]) {
        timers.delete(task);
        task();
      }
    },
  };
}

/** Takes a text only when it is told to. */
class SlowSink implements AccessSink {
  readonly texts: string[] = [];
  #pending: { resolve: () => void; reject: (error: Error) => void } | undefined;

  append(text: string): Promise<void> {
    this.texts.push(text);
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
    });
  }

  async take(error?: Error): Promise<void> {
    const pending = this.#pending;
    assert.ok(pending, "something is being written");
    this.#pending = undefined;
    if (error === undefined) pending.resolve();
    else pending.reject(error);
    await new Promise(setImmediate);
  }

  async close(): Promise<void> {}
}

const linesOf = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("access log: a line is JSON, says when, and leaves out the query", () => {
  const sink = new SlowSink();
  const clock = standingClock();
  const log = new AccessLog(sink, clock);
  log.record(record());
  log.record(record({ target: '/"\\', host: undefined, worker: undefined, instance: undefined, status: 0 }));
  assert.equal(sink.texts.length, 0);
  clock.fire();
  assert.deepEqual(linesOf(sink.texts[0]!), [
    {
      at: "2026-11-21T10:00:00.007Z",
      request_id: "r1",
      remote: "127.0.0.1",
      method: "GET",
      host: "localhost:8080",
      path: "/a",
      worker: "api",
      instance: "api-1",
      status: 200,
      bytes_in: 0,
      bytes_out: 12,
      duration_ms: 1.235,
    },
    {
      at: "2026-11-21T10:00:00.007Z",
      request_id: "r1",
      remote: "127.0.0.1",
      method: "GET",
      host: "",
      path: '/"\\',
      worker: null,
      instance: null,
      status: 0,
      bytes_in: 0,
      bytes_out: 12,
      duration_ms: 1.235,
    },
  ]);
});

test("access log: lines are written together, at 64 KiB without waiting, and one batch at a time", async () => {
  const sink = new SlowSink();
  const clock = standingClock();
  const log = new AccessLog(sink, clock);
  const target = `/${"x".repeat(1_000)}`;
  for (let at = 0; at < 200; at++) log.record(record({ target }));
  assert.equal(sink.texts.length, 1, "one batch is being written, the rest waits");
  assert.equal(clock.timerCount(), 0);
  await sink.take();
  assert.equal(sink.texts.length, 2);
  await sink.take();
  assert.equal(sink.texts.flatMap(linesOf).length, 200);
});

test("access log: past 1 MiB behind a slow disk lines are dropped, and how many is said", async () => {
  const sink = new SlowSink();
  const log = new AccessLog(sink, standingClock());
  const target = `/${"x".repeat(8_000)}`;
  for (let at = 0; at < 1_000; at++) log.record(record({ target }));
  assert.ok(log.droppedLines > 700 && log.droppedLines < 1_000);
  await sink.take();
  const batches = sink.texts.map(linesOf);
  assert.deepEqual(batches[1]![0], { at: "2026-11-21T10:00:00.007Z", dropped_lines: log.droppedLines });
  assert.equal(batches.flat().length, 1_000 - log.droppedLines + 1);
  await sink.take();
  await log.close();
});

test("access log: what the disk refuses counts as dropped, and the next batch says it", async () => {
  const sink = new SlowSink();
  const clock = standingClock();
  const log = new AccessLog(sink, clock);
  log.record(record());
  log.record(record());
  clock.fire();
  await sink.take(new Error("ENOSPC"));
  assert.equal(log.droppedLines, 2);
  log.record(record());
  clock.fire();
  assert.equal(linesOf(sink.texts[1]!)[0].dropped_lines, 2);
  assert.equal(linesOf(sink.texts[1]!).length, 2);
});

test("access log: a file is rotated once at its limit, and may be taken away meanwhile", async () => {
  const directory = mkdtempSync(join(tmpdir(), "warren-access-"));
  try {
    const path = join(directory, "access.log");
    writeFileSync(path, "old\n");
    const file = new AccessFile(path, 10);
    await file.append("second\n");
    await file.append("third\n");
    assert.equal(readFileSync(`${path}.1`, "utf8"), "old\nsecond\n");
    assert.equal(readFileSync(path, "utf8"), "third\n");
    await file.append("fourth\n");
    rmSync(path);
    await file.append("fifth\n");
    assert.equal(readFileSync(path, "utf8"), "fifth\n");
    await file.close();
    assert.ok(existsSync(`${path}.1`));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("access log: what is no file of ours is never moved away: a link to a device stays one", async () => {
  const dir = mkdtempSync(join(tmpdir(), "access-"));
  try {
    const path = join(dir, "access.jsonl");
    symlinkSync("/dev/null", path);
    const file = new AccessFile(path, 10);
    for (let count = 0; count < 3; count++) await file.append("more than ten bytes\n");
    await file.close();
    assert.deepEqual(readdirSync(dir), ["access.jsonl"]);
    assert.equal(readlinkSync(path), "/dev/null");
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
