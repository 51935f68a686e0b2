import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { capRunLog, type Punch, punchHole } from "./cap.ts";
import { dropStateOf } from "./dropped.ts";
import { followBytes } from "./follow.ts";
import { collect, described, type LogFixture, temporaryRun } from "./log-fixture.ts";
import { type OpenLogFile, openLogFile, openRunLog } from "./log-source.ts";
import { mergedLines } from "./merged-lines-fixture.ts";

const LINE = "0123456789abcde\n";
const MB = 1024 * 1024;

const diskBytes = (path: string): number => statSync(path).blocks * 512;

async function linesOf(run: LogFixture, start?: { kind: "tail"; lines: number }): Promise<string[]> {
  await using log = await openRunLog(run.paths);
  return described(await collect(mergedLines(log, start === undefined ? {} : { start })));
}

async function canPunch(): Promise<boolean> {
  using run = temporaryRun();
  run.write("stdout", Buffer.alloc(8_192));
  return (await punchHole(run.paths.stdoutPath, 4_096)) === "done";
}
const skip = (await canPunch()) ? false : "fallocate(1) cannot punch holes in the temporary directory";

test(
  "cap: a writer at full speed is held to its disk space; offsets and every byte of the tail stay",
  { skip },
  async () => {
    using run = temporaryRun();
    const path = run.paths.stdoutPath;
    const fd = openSync(path, "a");
    // Numbered lines of 16 bytes: the offset of a line tells its number.
    const child = spawn(
      process.execPath,
      [
        "-e",
        `const { writeSync } = require("node:fs");
       for (let block = 0; block < 1600; block++) {
         let text = "";
         for (let n = 0; n < 4096; n++) text += String(block * 4096 + n).padStart(15, "0") + "\\n";
         writeSync(1, text);
       }`,
      ],
      { stdio: ["ignore", fd, "ignore"] },
    );
    closeSync(fd);
    let hasEnded = false;
    const ended = once(child, "exit").then(() => {
      hasEnded = true;
    });
    const totalBytes = 1_600 * 4_096 * 16;
    let punchCount = 0;
    let largest = 0;
    while (!hasEnded) {
      const { newlyDroppedBytes } = await capRunLog(path, 8 * MB);
      if (newlyDroppedBytes > 0) punchCount += 1;
      largest = Math.max(largest, diskBytes(path));
    }
    await ended;
    await capRunLog(path, 8 * MB);
    assert.equal(statSync(path).size, totalBytes);
    assert.ok(diskBytes(path) <= 8 * MB + 8_192, `${diskBytes(path)} bytes on disk`);
    assert.ok(largest < 80 * MB, `${largest} bytes on disk at most`);
    assert.ok(punchCount > 0 && punchCount <= totalBytes / MB, `${punchCount} punches`);
    const { droppedBytes: dropped } = await dropStateOf(path);
    assert.ok(totalBytes - dropped >= 6 * MB);
    let number = dropped / 16;
    for await (const bytes of followBytes({ path, fromBytes: dropped, ended })) {
      for (let at = 0; at < bytes.length; at += 16) {
        assert.equal(bytes.toString("latin1", at, at + 16), `${String(number++).padStart(15, "0")}\n`);
      }
    }
    assert.equal(number, 1_600 * 4_096);
  },
);

test("cap: nothing happens up to the limit, and then not again for an eighth of it", { skip }, async () => {
  using run = temporaryRun();
  const path = run.paths.stdoutPath;
  assert.deepEqual(await capRunLog(path, 64_000), { droppedBytes: 0, newlyDroppedBytes: 0 });
  run.write("stdout", LINE.repeat(4_000));
  assert.equal((await capRunLog(path, 64_000)).droppedBytes, 0);
  run.write("stdout", LINE.repeat(4));
  const first = await capRunLog(path, 64_000);
  assert.ok(first.droppedBytes >= 8_000 - 4_096 && first.droppedBytes % 16 === 0);
  run.write("stdout", LINE.repeat(100));
  assert.deepEqual(await capRunLog(path, 64_000), { droppedBytes: first.droppedBytes, newlyDroppedBytes: 0 });
});

test("cap: readers begin at a whole line, and say what is gone", { skip }, async () => {
  using run = temporaryRun();
  run.write("stdout", "a line of another length\n".repeat(4_000));
  const { droppedBytes } = await capRunLog(run.paths.stdoutPath, 50_000);
  const lines = await linesOf(run);
  assert.equal(lines[0], `-${droppedBytes} dropped`);
  assert.deepEqual(new Set(lines.slice(1)), new Set(["out:a line of another length"]));
  assert.equal(lines.length - 1, (100_000 - droppedBytes) / 25);
  const tail = await linesOf(run, { kind: "tail", lines: 1_000_000 });
  assert.deepEqual(tail, lines.slice(1));
});

test("cap: where holes cannot be punched the log is truncated, counted, and goes on with absolute offsets", async () => {
  using run = temporaryRun();
  const path = run.paths.stdoutPath;
  const punch: Punch = async () => "unsupported";
  run.write("stdout", LINE.repeat(10_000));
  assert.equal((await capRunLog(path, 100_000, { punch })).droppedBytes, 160_000);
  assert.equal(statSync(path).size, 0);
  run.write("stdout", "after\n");
  assert.deepEqual(await linesOf(run), ["-160000 dropped", "out:after"]);
  assert.deepEqual(await linesOf(run, { kind: "tail", lines: 3 }), ["out:after"]);
  await using log = await openRunLog(run.paths);
  const start = { kind: "positions", positions: { stdout: 160_003, stderr: 0 } } as const;
  assert.deepEqual(described(await collect(mergedLines(log, { start }))), ["out:er"]);
});

test("cap: a punch that fails for now changes nothing, and is tried again", { skip }, async () => {
  using run = temporaryRun();
  const path = run.paths.stdoutPath;
  run.write("stdout", LINE.repeat(10_000));
  const failing: Punch = async () => "failed";
  assert.deepEqual(await capRunLog(path, 100_000, { punch: failing }), { droppedBytes: 0, newlyDroppedBytes: 0 });
  assert.equal((await dropStateOf(path)).droppedBytes, 0);
  assert.equal((await linesOf(run)).length, 10_000);
  assert.ok((await capRunLog(path, 100_000)).newlyDroppedBytes > 0);
});

test(
  "cap: a reader that is overtaken between its read and its look at the sidecar shows no hole",
  { skip },
  async () => {
    using run = temporaryRun();
    const path = run.paths.stdoutPath;
    run.write("stdout", LINE.repeat(40_000));
    let droppedBytes = 0;
    const openFile: OpenLogFile = async (name) => {
      const file = await openLogFile(name);
      const read = async (buffer: Buffer, position: number): Promise<number> => {
        if (droppedBytes === 0 && name === path) droppedBytes = (await capRunLog(path, 100_000)).droppedBytes;
        return file!.read(buffer, position);
      };
      return file === undefined ? undefined : { ...file, read };
    };
    await using log = await openRunLog(run.paths, { openFile });
    const lines = described(await collect(mergedLines(log)));
    assert.equal(lines[0], `-${droppedBytes} dropped`);
    assert.deepEqual(new Set(lines.slice(1)), new Set(["out:0123456789abcde"]));
  },
);

test("cap: a log of one endless line is cut in the line", { skip }, async () => {
  using run = temporaryRun();
  run.write("stdout", Buffer.alloc(400_000, "x"));
  const { droppedBytes } = await capRunLog(run.paths.stdoutPath, 200_000);
  assert.equal(droppedBytes % 4_096, 0);
  const lines = await linesOf(run);
  assert.deepEqual(lines, [`-${droppedBytes} dropped`, `out:${"x".repeat(400_000 - droppedBytes)}…`]);
  assert.ok(
    readFileSync(run.paths.stdoutPath)
      .subarray(0, droppedBytes)
      .every((byte) => byte === 0),
  );
});

test("cap: a sidecar that cannot be read says that nothing is dropped", async () => {
  using run = temporaryRun();
  for (const text of ["", "{", "null", '{"droppedBytes":-1,"baseBytes":0}', '{"droppedBytes":"9"}']) {
    writeFileSync(`${run.paths.stdoutPath}.dropped`, text);
    assert.deepEqual(await dropStateOf(run.paths.stdoutPath), { droppedBytes: 0, baseBytes: 0 });
  }
});
