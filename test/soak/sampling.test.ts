import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { growthOf } from "./growth.ts";
import { DESCRIPTORS } from "./judging.ts";
import { taken } from "./sampling.ts";

/** For each line on its standard input one more look's worth of life; the leaking one forgets to close what it opens. */
const program = (leaks: boolean): string => `
  const { openSync, closeSync } = require("node:fs");
  process.stdin.on("data", () => {
    for (let at = 0; at < 2; at++) { const fd = openSync("/dev/zero"); if (!${leaks}) closeSync(fd); }
    process.stdout.write("done\\n");
  });
`;
const LOOKS = 60;

async function looksAt(leaks: boolean): Promise<number[]> {
  const child: ChildProcess = spawn(process.execPath, ["-e", program(leaks)], { stdio: ["pipe", "pipe", "inherit"] });
  const looks: number[] = [];
  try {
    for (let at = 0; at < LOOKS; at++) {
      const done = once(child.stdout!, "data");
      child.stdin!.write("go\n");
      await done;
      looks.push((await taken([child.pid!])).descriptors);
    }
  } finally {
    const gone = once(child, "close");
    child.kill("SIGKILL");
    await gone;
  }
  return looks;
}

test("sampling: a process that leaks descriptors is found, one that does not is not", async () => {
  const leaking = growthOf(await looksAt(true), DESCRIPTORS);
  assert.equal(leaking.kind, "grows", JSON.stringify(leaking));
  const sound = growthOf(await looksAt(false), DESCRIPTORS);
  assert.equal(sound.kind, "steady", JSON.stringify(sound));
});

test("sampling: a process that has gone counts nothing", async () => {
  const child = spawn("true");
  await once(child, "close");
  assert.deepEqual(await taken([child.pid!]), { pssMB: 0, ownMB: 0, descriptors: 0, threads: 0, processes: 0 });
});
