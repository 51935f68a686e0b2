import assert from "node:assert/strict";
import { openSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { test } from "node:test";
import { PIECE_BYTES_MAX } from "./line-reader.ts";
import { collect, countingReader, described, temporaryRun } from "./log-fixture.ts";
import { openRunLog } from "./log-source.ts";
import { mergedLines } from "./merged-lines-fixture.ts";
import { selectLines } from "./select.ts";

const GB = 1024 ** 3;

/** A log of 1 GB, all hole, then `lineCount` numbered lines. */
function makeHugeLog(path: string, lineCount: number): void {
  writeFileSync(path, "");
  truncateSync(path, GB);
  const fd = openSync(path, "a");
  let text = "\n";
  for (let line = 0; line < lineCount; line++) text += `line ${line}\n`;
  writeSync(fd, text);
}

test("a log of 1 GB: its last 100 lines cost a window of 64 kB and the lines", async () => {
  using run = temporaryRun();
  makeHugeLog(run.paths.stdoutPath, 5_000);
  const counter = countingReader();
  await using log = await openRunLog(run.paths, counter);
  const tail = await collect(mergedLines(log, { start: { kind: "tail", lines: 100 } }));
  assert.deepEqual(
    described(tail),
    Array.from({ length: 100 }, (_, index) => `out:line ${4_900 + index}`),
  );
  assert.ok(counter.readBytes() < 80_000, `read ${counter.readBytes()} bytes`);
});

test("a tail over many windows is found exactly", async () => {
  using run = temporaryRun();
  const lines = Array.from({ length: 40_000 }, (_, index) => `${index} ${"x".repeat(index % 37)}`);
  run.write("stdout", `${lines.join("\n")}\n`);
  await using log = await openRunLog(run.paths);
  for (const count of [1, 3_000, 30_000, 40_000, 50_000]) {
    const tail = await collect(mergedLines(log, { start: { kind: "tail", lines: count } }));
    assert.deepEqual(
      described(tail),
      lines.slice(-count).map((line) => `out:${line}`),
    );
  }
});

test("a log of 1 GB: the last 1,000 bytes cost about as many", async () => {
  using run = temporaryRun();
  makeHugeLog(run.paths.stdoutPath, 5_000);
  const counter = countingReader();
  await using log = await openRunLog(run.paths, counter);
  const items = await collect(selectLines(log, { maxBytes: { bytes: 1_000, keep: "last" } }));
  assert.match(described(items)[0]!, /^-1073\d+ limit$/);
  assert.equal(described(items).at(-1), "out:line 4999");
  assert.ok(counter.readBytes() < 140_000, `read ${counter.readBytes()} bytes`);
});

test("a log of 1 GB without a newline at its end: the last bytes are cut out of the line without reading it", async () => {
  using run = temporaryRun();
  writeFileSync(run.paths.stdoutPath, "");
  truncateSync(run.paths.stdoutPath, GB);
  run.write("stdout", "the end");
  const counter = countingReader();
  await using log = await openRunLog(run.paths, counter);
  const items = await collect(selectLines(log, { maxBytes: { bytes: 7, keep: "last" } }));
  assert.deepEqual(described(items), [`-${GB} limit`, "out:the end…"]);
  assert.ok(counter.readBytes() < 1_000, `read ${counter.readBytes()} bytes`);
});

test("a line of 10 MB is one line, exact", async () => {
  using run = temporaryRun();
  const long = Buffer.alloc(10 * 1024 * 1024, "abcdefg");
  run.write("stdout", "before\n");
  run.write("stdout", long);
  run.write("stdout", "\nafter\n");
  await using log = await openRunLog(run.paths);
  const items = await collect(mergedLines(log));
  assert.equal(items.length, 3);
  const [, line] = items;
  assert.ok(line?.kind === "line" && line.bytes.equals(long) && line.complete);
  const tail = await collect(mergedLines(log, { start: { kind: "tail", lines: 2 } }));
  assert.ok(tail[0]?.kind === "line" && tail[0].bytes.length === long.length);
});

test("a line longer than 16 MiB comes in pieces that continue each other, and counts as one line of a tail", async () => {
  using run = temporaryRun();
  const long = Buffer.alloc(PIECE_BYTES_MAX + 5_000_000, "xyz");
  run.write("stdout", "before\n");
  run.write("stdout", Buffer.concat([long, Buffer.from("\nlast\n")]));
  await using log = await openRunLog(run.paths);
  const pieces = (await collect(mergedLines(log, { start: { kind: "tail", lines: 2 } }))).slice(0, -1);
  assert.deepEqual(
    pieces.map((item) => item.kind === "line" && [item.continues, item.complete]),
    [
      [true, false],
      [false, true],
    ],
  );
  assert.ok(Buffer.concat(pieces.map((item) => (item.kind === "line" ? item.bytes : Buffer.alloc(0)))).equals(long));
});

test("bytes that are no text pass unchanged", async () => {
  using run = temporaryRun();
  const noise = Buffer.from(Array.from({ length: 4_096 }, (_, index) => (index * 197 + (index >> 5)) % 256));
  run.write("stderr", noise);
  await using log = await openRunLog(run.paths);
  const lines = await collect(mergedLines(log));
  const bytes = lines.map((item) =>
    item.kind === "line" && item.complete
      ? Buffer.concat([item.bytes, Buffer.from("\n")])
      : item.kind === "line"
        ? item.bytes
        : Buffer.alloc(0),
  );
  assert.ok(Buffer.concat(bytes).equals(noise));
});
