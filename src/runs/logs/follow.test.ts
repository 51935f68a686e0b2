import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { capRunLog } from "./cap.ts";
import { followBytes, followRun } from "./follow.ts";
import { rawLine } from "./format.ts";
import { collect, countingReader, described, type LogFixture, startStepper, temporaryRun } from "./log-fixture.ts";
import type { LogItem } from "./log-item.ts";
import { watchRun } from "./order-sampler.ts";

const signal = () => AbortSignal.timeout(30_000);

/** Runs `script` with the run's files as stdout and stderr; resolves when it has exited. */
function startJob(run: LogFixture, script: string): Promise<unknown> {
  const fds = [run.paths.stdoutPath, run.paths.stderrPath].map((path) => openSync(path, "a"));
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", fds[0], fds[1]] });
  for (const fd of fds) closeSync(fd);
  return once(child, "exit", { signal: signal() });
}

const bytesOf = (items: readonly LogItem[], stream: string): Buffer =>
  Buffer.concat(items.flatMap((item) => (item.kind === "line" && item.stream === stream ? [rawLine(item)] : [])));

const FAST_WRITER = `
  const { writeSync } = require("node:fs");
  for (let n = 0; n < 20000; n++) writeSync(1 + (n % 3 === 0), "line " + n + "\\n");
  writeSync(2, "no newline on stderr");
  writeSync(1, "nor on stdout");`;

test("follow: a fast writer that exits in the middle of a line loses no byte and doubles none", async () => {
  using run = temporaryRun();
  const ended = startJob(run, FAST_WRITER);
  const items = await collect(followRun({ paths: run.paths, ended, signal: signal() }));
  assert.ok(bytesOf(items, "stdout").equals(readFileSync(run.paths.stdoutPath)));
  assert.ok(bytesOf(items, "stderr").equals(readFileSync(run.paths.stderrPath)));
  const unfinished = items.filter((item) => item.kind === "line" && !item.complete);
  assert.deepEqual(described(unfinished).sort(), ["err:no newline on stderr…", "out:nor on stdout…"]);
});

test("follow: bytes of one file, as they are", async () => {
  using run = temporaryRun();
  const ended = startJob(run, FAST_WRITER);
  const buffers = await collect(followBytes({ path: run.paths.stdoutPath, fromBytes: 3, ended, signal: signal() }));
  assert.ok(Buffer.concat(buffers).equals(readFileSync(run.paths.stdoutPath).subarray(3)));
});

test("follow: with a sampler, lines of both streams come in their order while they are written", async () => {
  using run = temporaryRun();
  const stop = new AbortController();
  writeFileSync(run.paths.stdoutPath, "");
  writeFileSync(run.paths.stderrPath, "");
  const watch = watchRun({ ...run.paths, signal: stop.signal });
  await watch.armed;
  const steps = await startStepper(run);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const followed = collect(followRun({ paths: run.paths, ended, signal: signal() }));
  for (let n = 0; n < 200; n++) await steps.write(n % 2 ? "err" : "out", `${n}\n`);
  await steps.end();
  end();
  const items = await followed;
  stop.abort();
  await watch.stopped;
  const expected = Array.from({ length: 200 }, (_, n) => `${n % 2 ? "err" : "out"}:${n}`);
  assert.deepEqual(described(items), expected);
});

test("follow: an unfinished line waits for its end, and appears when it has come", async () => {
  using run = temporaryRun();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  run.write("stdout", "first\nhal");
  const lines = followRun({ paths: run.paths, ended, signal: signal() });
  const next = async () => described([(await lines.next()).value as LogItem])[0];
  assert.equal(await next(), "out:first");
  const second = next();
  run.write("stdout", "f\nrest");
  assert.equal(await second, "out:half");
  const third = next();
  end();
  assert.equal(await third, "out:rest…");
  assert.equal((await lines.next()).done, true);
});

test("follow: waits for files that are not there yet", async () => {
  using run = temporaryRun();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const lines = followRun({ paths: run.paths, ended, signal: signal() });
  const first = lines.next();
  run.write("stderr", "late\n");
  assert.deepEqual(described([(await first).value as LogItem]), ["err:late"]);
  end();
  assert.equal((await lines.next()).done, true);
});

test("follow: starts with a tail and goes on from there", async () => {
  using run = temporaryRun();
  run.write("stdout", "a\nb\nc\n");
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const lines = followRun({ paths: run.paths, start: { kind: "tail", lines: 1 }, ended, signal: signal() });
  const first = await lines.next();
  run.write("stdout", "d\n");
  const second = await lines.next();
  assert.deepEqual(described([first.value as LogItem, second.value as LogItem]), ["out:c", "out:d"]);
  end();
  assert.equal((await lines.next()).done, true);
});

test("follow: an abort ends it quietly while it waits, and watches nothing any more", async () => {
  using run = temporaryRun();
  run.write("stdout", "a\n");
  const stop = new AbortController();
  const never = new Promise<void>(() => {});
  const lines = followRun({ paths: run.paths, ended: never, signal: stop.signal });
  await lines.next();
  const waiting = lines.next();
  stop.abort();
  assert.equal((await waiting).done, true);
  const bytes = followBytes({ path: run.paths.stdoutPath, ended: never, signal: stop.signal });
  assert.equal((await bytes.next()).done, true);
});

test("follow: a consumer that does not read makes it read no further", async () => {
  using run = temporaryRun();
  run.write("stdout", "0123456789abcde\n".repeat(200_000));
  const counter = countingReader();
  const lines = followRun({ paths: run.paths, ended: Promise.resolve(), signal: signal(), ...counter });
  await lines.next();
  assert.ok(counter.readBytes() <= 256 * 1024, `read ${counter.readBytes()} bytes for one line`);
  await lines.return();
});

test("follow: bytes that a cap takes before they are read are said, and reading goes on behind them", async () => {
  using run = temporaryRun();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  run.write("stdout", "first\n");
  const lines = followRun({ paths: run.paths, ended, signal: signal() });
  await lines.next();
  run.write("stdout", "0123456789abcde\n".repeat(20_000));
  const { droppedBytes } = await capRunLog(run.paths.stdoutPath, 100_000);
  run.write("stdout", "last\n");
  end();
  const rest = await collect(lines);
  const [gap] = rest;
  assert.ok(gap?.kind === "omitted" && gap.reason === "dropped");
  assert.equal(gap.bytes, droppedBytes - 6);
  assert.ok(rest.slice(1, -1).every((item) => item.kind === "line" && item.bytes.toString() === "0123456789abcde"));
  assert.equal(described(rest).at(-1), "out:last");
  assert.equal(bytesOf(rest, "stdout").length, 6 + 320_000 + 5 - droppedBytes);
});
