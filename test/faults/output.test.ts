import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestOptions } from "node:test";
import type { Job } from "../../src/protocol/units.ts";
import type { TemporaryHome } from "../harness/home.ts";
import { waitUntil } from "../harness/wait-until.ts";
import { jobsOf, MEBIBYTE, residentBytes, test, undisturbed } from "./undisturbed.ts";

/** Output of any size and shape: not a byte of it is lost before the cap, and none of it passes through the server. */
const LIMIT: TestOptions = { timeout: 60_000 };

/** 200 MB of numbered lines of 10 bytes; seq writes them as fast as the disk takes them. */
const LINE_COUNT = 20_000_000;
const NUMBER_BEFORE_FIRST = 100_000_000;
const FLOOD = `seq ${NUMBER_BEFORE_FIRST + 1} ${NUMBER_BEFORE_FIRST + LINE_COUNT}`;
const FLOOD_BYTES = LINE_COUNT * 10;

test("output: a flood of 200 MB does not reach the server's memory, and all of it is there", LIMIT, async () => {
  await using house = await undisturbed();
  const { pid } = await house.server();
  const before = residentBytes(pid);
  writeFileSync(`/proc/${pid}/clear_refs`, "5"); // the peak counts from now
  const { status, stderr } = await house.warren(["run", "-q", "--name", "flood", "--", "sh", "-c", FLOOD]);
  assert.equal(status, 0, stderr);
  const grown = residentBytes(pid, "VmHWM") - before;
  assert.ok(grown < 30 * MEBIBYTE, `the server grew by ${Math.round(grown / MEBIBYTE)} MiB`);
  const [job] = await jobsOf(house);
  assert.equal(statSync(job!.stdout_path).size, FLOOD_BYTES);
  await assertTail(house, "flood");
});

test("output: --log-max holds while a job floods, and its newest lines are whole", LIMIT, async () => {
  await using house = await undisturbed();
  const max = 8 * MEBIBYTE;
  const go = join(house.dir, "go");
  const script = `${FLOOD}; while ! [ -e ${go} ]; do sleep 0.05; done; echo last`;
  const add = await house.warren(["add", "--json", "--name", "flood", "--log-max", "8MB", "--", "sh", "-c", script]);
  assert.equal(add.status, 0, add.stderr);
  const { job } = JSON.parse(add.stdout) as { job: Job };
  const size = () => statSync(job.stdout_path);
  await waitUntil(() => size().size >= FLOOD_BYTES, { what: "the flood" });
  await waitUntil(() => size().blocks * 512 <= max, { what: "the cap", everyMs: 50 });
  await assertTail(house, "flood");
  writeFileSync(go, "");
  assert.equal((await house.warren(["await", "flood"])).status, 0);
  const tail = await house.warren(["logs", "flood", "--tail", "2"]);
  assert.equal(tail.stdout, `${numbered(LINE_COUNT)}last\n`);
  const all = await house.warren(["stdout", "flood"]);
  const lines = all.stdout.split("\n");
  assert.ok(all.stdoutBytes.length <= max + 4_096, `${all.stdoutBytes.length} bytes`);
  assert.ok(lines.length > 100_000, "most of the cap is used");
  const first = Number(lines[0]) - NUMBER_BEFORE_FIRST;
  const odd = lines.slice(0, -2).findIndex((line, at) => `${line}\n` !== numbered(first + at));
  assert.equal(odd, -1, `line ${odd} is ${lines[odd]}`);
  const runs = JSON.parse((await house.warren(["runs", "flood", "--json"])).stdout) as {
    stdout_dropped_bytes?: number;
  }[];
  assert.equal(runs[0]?.stdout_dropped_bytes, (first - 1) * 10, "what is missing is known to the byte");
});

test("output: --log-max holds also for a flood that is over before anybody looks", LIMIT, async () => {
  await using house = await undisturbed();
  const { status, stderr } = await house.warren(["run", "-q", "--log-max", "8MB", "--", "sh", "-c", FLOOD]);
  assert.equal(status, 0, stderr);
  const [job] = await jobsOf(house);
  await waitUntil(() => statSync(job!.stdout_path).blocks * 512 <= 8 * MEBIBYTE, { what: "the cap", everyMs: 50 });
  await assertTail(house, job!.id);
});

test("output: one line of 10 MB comes out of logs and stdout byte for byte", LIMIT, async () => {
  await using house = await undisturbed();
  const script =
    "process.stdout.write(Buffer.alloc(1e7, '0123456789abcdef\\u0000\\u001b\\xff', 'latin1')); console.error('beside')";
  const run = await house.warren(["run", "-q", "--name", "line", "--", process.execPath, "-e", script]);
  assert.equal(run.status, 0, run.stderr);
  const expected = digest(Buffer.alloc(1e7, "0123456789abcdef\u0000\u001b\xff", "latin1"));
  const [job] = await jobsOf(house);
  assert.equal(digest(readFileSync(job!.stdout_path)), expected);
  const stdout = await house.warren(["stdout", "line"]);
  assert.deepEqual([stdout.stdoutBytes.length, digest(stdout.stdoutBytes)], [1e7, expected]);
  const logs = await house.warren(["logs", "line"]);
  const shown = logs.stdoutBytes.subarray(0, 1e7);
  assert.deepEqual([logs.stdoutBytes.length - 1e7 <= 1, digest(shown)], [true, expected]);
  assert.match(logs.stderr, /beside/);
  const followed = await house.warren(["run", "--follow", "--", process.execPath, "-e", `${script}; 2`]);
  assert.ok(followed.stdoutBytes.length >= 1e7);
});

test("output: a job that closes its output goes on, and its status is known", LIMIT, async () => {
  await using house = await undisturbed();
  const go = join(house.dir, "go");
  const script = `echo one; echo two >&2; exec >&- 2>&- <&-; while ! [ -e ${go} ]; do sleep 0.05; done; exit 8`;
  const run = house.start(["run", "--follow", "--name", "mute", "--", "sh", "-c", script]);
  await run.shows(/one/);
  assert.equal((await jobsOf(house))[0]?.status, "running");
  writeFileSync(go, "");
  const { status } = await run.ended;
  assert.equal(status, 8);
  assert.equal((await house.warren(["stdout", "mute"])).stdout, "one\n");
  assert.equal((await house.warren(["stderr", "mute"])).stdout, "two\n");
});

test("output: the last words without a line's end are not lost, however they are read", LIMIT, async () => {
  await using house = await undisturbed();
  const script = "echo first; printf last; printf 'err last' >&2";
  const run = await house.warren(["run", "--follow", "--name", "words", "--", "sh", "-c", script]);
  assert.match(run.stdout, /last/);
  assert.match(run.stdout + run.stderr, /err last/);
  assert.equal((await house.warren(["stdout", "words"])).stdout, "first\nlast");
  assert.equal((await house.warren(["stderr", "words"])).stdout, "err last");
  const logs = await house.warren(["logs", "words", "--stream", "stdout"]);
  assert.match(logs.stdout, /^first\nlast\n?$/);
  assert.match((await house.warren(["logs", "words", "--stream", "stdout", "--tail", "1"])).stdout, /^last\n?$/);
  assert.match((await house.warren(["logs", "words", "--follow", "--stream", "stdout"])).stdout, /last/);
  const failing = await house.warren(["run", "-q", "--", "sh", "-c", "printf 'the reason'; exit 3"]);
  assert.deepEqual([failing.status, failing.stdout.trimEnd()], [3, "the reason"]);
});

async function assertTail(house: TemporaryHome, name: string): Promise<void> {
  const tail = await house.warren(["logs", name, "--tail", "3"]);
  assert.equal(tail.stdout, [2, 1, 0].map((back) => numbered(LINE_COUNT - back)).join(""));
}

const numbered = (n: number): string => `${NUMBER_BEFORE_FIRST + n}\n`;

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
