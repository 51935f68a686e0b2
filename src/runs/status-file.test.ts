import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bootId } from "../platform/process.ts";
import { parseStatus, prepareStatusFile, readStatusFile } from "./status-file.ts";

const JOB = "job 41 (sh) S 40 41 41 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 777 2600960 1 2";

test("status file: made once, private, and says nothing but the boot at first", async () => {
  const directory = await mkdtemp(join(tmpdir(), "warren-status-"));
  try {
    const path = join(directory, "r.1.status");
    await (await prepareStatusFile(path)).close();
    assert.deepEqual(await readStatusFile(path), { bootId: bootId() });
    const { size, mode } = await stat(path);
    assert.deepEqual([size, mode & 0o777], [4096, 0o600]);
    await assert.rejects(prepareStatusFile(path), { code: "EEXIST" });
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("status file: half a line says nothing", () => {
  const whole = `${JOB}\nexit 143\n`;
  for (let length = 0; length <= whole.length; length += 1) {
    const status = parseStatus(`${whole.slice(0, length).padEnd(300)}\nboot b\n`);
    const expectsJob = length > JOB.length;
    assert.deepEqual(status.job, expectsJob ? { pid: 41, startTicks: 777, shimPid: 40 } : undefined, `${length}`);
    assert.equal(status.exitStatus, length === whole.length ? 143 : undefined);
  }
});

test("status file: what the shell said of the job's death", () => {
  const word = (text: string) => parseStatus(`${JOB}\n${text}\nexit 137\n`).shellWord;
  assert.equal(word("Terminated"), "SIGTERM");
  assert.equal(word("Segmentation fault (core dumped)"), "SIGSEGV");
  assert.equal(word("sh: line 5:    41 Killed                  ( IFS= read -r W_LINE < /proc/self/stat )"), "SIGKILL");
  assert.equal(word("User defined signal 2"), "SIGUSR2");
  assert.equal(word("sh: 1: Illegal number: x"), undefined);
});

test("status file: void tells that nothing was run", () => {
  assert.equal(parseStatus(`${JOB}\nvoid\nexit 125\n`).isVoid, true);
});
