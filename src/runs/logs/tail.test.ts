import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryRun } from "./log-fixture.ts";
import { StreamLog } from "./log-source.ts";
import { startOfLastLines } from "./tail.ts";

async function lastLines(path: string, lineCount: number): Promise<[text: string, lineCount: number]> {
  const log = new StreamLog("stdout", path);
  try {
    const extent = await log.extent();
    const start = await startOfLastLines(log, extent, lineCount);
    const { bytes } = await log.read(start.offsetBytes, extent.endBytes - start.offsetBytes);
    return [bytes.toString(), start.lineCount];
  } finally {
    await log.close();
  }
}

test("tail: the last lines, an unfinished one too; none of a log that is absent or empty", async () => {
  using run = temporaryRun();
  const path = run.paths.stdoutPath;
  assert.deepEqual(await lastLines(path, 5), ["", 0]);
  run.write("stdout", "");
  assert.deepEqual(await lastLines(path, 5), ["", 0]);
  run.write("stdout", "one\n\ntwo\nthree");
  assert.deepEqual(await lastLines(path, 9), ["one\n\ntwo\nthree", 4]);
  assert.deepEqual(await lastLines(path, 2), ["two\nthree", 2]);
  assert.deepEqual(await lastLines(path, 0), ["", 0]);
});

test("tail: lines that are longer than what is read at once", async () => {
  using run = temporaryRun();
  const long = `${"a".repeat(300_000)}\n`;
  run.write("stdout", `first\n${long}the end\n`);
  assert.deepEqual(await lastLines(run.paths.stdoutPath, 2), [`${long}the end\n`, 2]);
  assert.deepEqual(await lastLines(run.paths.stdoutPath, 3), [`first\n${long}the end\n`, 3]);
});
