import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryRun } from "./log-fixture.ts";
import { readTail } from "./tail.ts";

test("read tail: the last lines as text, an unfinished one too; none of a log that is absent or empty", async () => {
  using run = temporaryRun();
  assert.deepEqual(await readTail(run.paths.stderrPath, 5), []);
  run.write("stderr", "");
  assert.deepEqual(await readTail(run.paths.stderrPath, 5), []);
  run.write("stderr", "one\n\ntwo\nthree");
  assert.deepEqual(await readTail(run.paths.stderrPath, 9), ["one", "", "two", "three"]);
  assert.deepEqual(await readTail(run.paths.stderrPath, 2), ["two", "three"]);
  assert.deepEqual(await readTail(run.paths.stderrPath, 0), []);
});

test("read tail: a line of megabytes is cut at its start", async () => {
  using run = temporaryRun();
  run.write("stdout", `${"a".repeat(3_000_000)}the end\n`);
  const [line, ...others] = await readTail(run.paths.stdoutPath, 5);
  assert.deepEqual(others, []);
  assert.ok(line?.endsWith("athe end") && line.length < 200_000);
});
