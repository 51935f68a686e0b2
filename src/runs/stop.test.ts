import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bootId, identityOf, readProcess } from "../platform/process.ts";
import { fileSays, isThere, RunFixture, until, wakefulClock } from "./run-fixture.ts";
import { signalRun } from "./signal.ts";
import { stopTree } from "./stop.ts";
import { findMembers, type RunMarks } from "./tree.ts";

const clock = wakefulClock;
/** A node program in one argument. */
const node = (script: string) => [process.execPath, "-e", script];
/** A loop of `sleep`s that ignores SIGTERM and says when it does. */
const DEAF = 'trap "" TERM; echo ready; while :; do sleep 60; done';

/** Each escapes in another way, writes its pid to stdout, and sleeps. */
const ESCAPES: Record<string, string> = {
  "its own session": "setsid sh -c 'echo $$; exec sleep 60' &",
  "a double fork": "(sh -c 'echo $$; exec sleep 60' &)",
  "a double fork into its own session with closed descriptors":
    "(setsid sh -c 'echo $$; exec sleep 60 <&- >&- 2>&-' &)",
  "an empty environment": "(env -i setsid sh -c 'echo $$; exec sleep 60 <&- >&- 2>&-' &)",
};

for (const [name, getAway] of Object.entries(ESCAPES)) {
  for (const leader of ["stays", "has gone"]) {
    test(`stop: finds ${name} while the leader ${leader}`, async () => {
      await using runs = await RunFixture.make();
      const run = await runs.start(["sh", "-c", `${getAway}\n${leader === "stays" ? "wait; sleep 60" : "exit 0"}`]);
      const pid = Number(await fileSays(run.stdoutPath, (text) => text.endsWith("\n")));
      if (leader === "has gone") await until(() => !isThere(run.job), "the leader to end");
      const escaped = readProcess(pid)!;
      assert.ok(findMembers(run.marks).some((member) => member.pid === pid));
      assert.deepEqual(await stopTree(run.marks, { clock }), { survivors: [], escalated: false });
      assert.ok(!isThere(escaped));
      assert.deepEqual(findMembers(run.marks), []);
    });
  }
}

test("stop: a member that removed both marks is found by its parent", async () => {
  await using runs = await RunFixture.make();
  const run = await runs.start([
    "sh",
    "-c",
    "ulimit -S -f unlimited; env -i setsid sh -c 'echo $$; exec sleep 60' & wait",
  ]);
  const pid = Number(await fileSays(run.stdoutPath, (text) => text.endsWith("\n")));
  await stopTree(run.marks, { clock, force: true });
  await until(() => readProcess(pid)?.state !== "S", "the child to end");
});

test("stop: ends a polite job at once, without SIGKILL", async () => {
  await using runs = await RunFixture.make();
  const run = await runs.start(["sleep", "60"]);
  assert.deepEqual(await stopTree(run.marks, { clock }), { survivors: [], escalated: false });
  assert.equal((await run.ended()).exitStatus, 143);
});

test("stop: sends the signal that was asked for, also by another spelling", async () => {
  await using runs = await RunFixture.make();
  const run = await runs.start(["sh", "-c", 'trap "exit 9" USR1; echo ready; while :; do sleep 0.01; done']);
  await fileSays(run.stdoutPath, (text) => text === "ready\n");
  await stopTree(run.marks, { signal: "usr1", clock });
  assert.equal((await run.ended()).exitStatus, 9);
});

test("stop: kills what ignores the signal once the grace period is over", async () => {
  await using runs = await RunFixture.make();
  const run = await runs.start(["sh", "-c", DEAF]);
  await fileSays(run.stdoutPath, (text) => text === "ready\n");
  const began = performance.now();
  assert.deepEqual(await stopTree(run.marks, { graceMs: 200, clock }), { survivors: [], escalated: true });
  assert.ok(performance.now() - began >= 200);
  assert.equal((await run.ended()).exitStatus, 137);
});

test("stop: lets a handler finish what it started", async () => {
  await using runs = await RunFixture.make();
  const script = "trap 'sh -c \"sleep 0.2; touch cleaned\"; exit 0' TERM; echo ready; while :; do sleep 0.01; done";
  const run = await runs.start(["sh", "-c", script]);
  await fileSays(run.stdoutPath, (text) => text === "ready\n");
  assert.deepEqual(await stopTree(run.marks, { clock }), { survivors: [], escalated: false });
  assert.ok(existsSync(join(runs.directory, "cleaned")));
});

test("stop: reaches a job that is stopped", async () => {
  await using runs = await RunFixture.make();
  const run = await runs.start(["sh", "-c", "kill -STOP 0; sleep 60"]);
  await until(() => readProcess(run.job.pid)?.state === "T", "the job to stop");
  assert.deepEqual(await stopTree(run.marks, { clock }), { survivors: [], escalated: false });
});

test("stop: ends a storm of forks, each in a session of its own and deaf to SIGTERM", async () => {
  await using runs = await RunFixture.make();
  // At most 400 processes in all; each sleeper leaves the group and the parent at once.
  const storm = `trap "" TERM; i=0; while [ $i -lt 400 ]; do (setsid sleep 60 &); echo x; i=$((i+1)); done; sleep 60`;
  const run = await runs.start(["sh", "-c", storm]);
  await fileSays(run.stdoutPath, (text) => text.length > 40);
  assert.deepEqual(await stopTree(run.marks, { force: true, clock }), { survivors: [], escalated: true });
  assert.deepEqual(findMembers(run.marks), []);
  assert.ok((await run.stdout()).length < 800, "the storm was over before it was stopped");
});

test("stop: gives the wait up when it is told to", async () => {
  await using runs = await RunFixture.make();
  const run = await runs.start(["sh", "-c", DEAF]);
  await fileSays(run.stdoutPath, (text) => text === "ready\n");
  const abort = new AbortController();
  const stopped = stopTree(run.marks, { clock, abort: abort.signal });
  abort.abort(new Error("server ends"));
  await assert.rejects(stopped, /server ends/);
  assert.ok(isThere(run.job));
});

test("stop: refuses an unknown signal before it sends anything", async () => {
  await using runs = await RunFixture.make();
  const run = await runs.start(["sleep", "60"]);
  await assert.rejects(stopTree(run.marks, { signal: "TREM", clock }), { code: "UNKNOWN_SIGNAL" });
  assert.ok(isThere(run.job));
});

test("a stranger in a recycled group is neither found nor signalled", async () => {
  const stranger = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
  await once(stranger, "spawn");
  try {
    const info = readProcess(stranger.pid!)!;
    // The job had the same number, a moment earlier.
    const job = { ...identityOf(info), startTicks: info.startTicks - 5 };
    const marks: RunMarks = { runId: "gone", tag: 1, job, shim: { bootId: bootId(), pid: 1, startTicks: -1 } };
    assert.deepEqual(findMembers(marks), []);
    assert.deepEqual(await stopTree(marks, { force: true, clock }), { survivors: [], escalated: false });
    assert.throws(() => signalRun(marks, "TERM"), { code: "RUN_NOT_RUNNING" });
    assert.ok(isThere(info));
    assert.deepEqual(findMembers({ ...marks, job: { ...identityOf(info), bootId: "another boot" } }), []);
  } finally {
    stranger.kill("SIGKILL");
    await once(stranger, "exit");
  }
});

test("an exempt process and its children are no members", async () => {
  await using runs = await RunFixture.make();
  const run = await runs.start(["sh", "-c", "setsid sh -c 'echo $$; sleep 60' & wait"]);
  const pid = Number(await fileSays(run.stdoutPath, (text) => text.endsWith("\n")));
  const members = findMembers({ ...run.marks, exempt: [pid] });
  assert.ok(members.some((member) => member.pid === run.job.pid));
  assert.ok(!members.some((member) => member.pid === pid));
});

test("signal: to the group by default, to the first process with `leader`", async () => {
  await using runs = await RunFixture.make();
  const child = 'trap "echo child; exit" USR1; echo ready; while :; do sleep 0.01; done';
  const run = await runs.start([
    "sh",
    "-c",
    `trap "echo parent" USR1; sh -c '${child}' & while :; do sleep 0.01; done`,
  ]);
  await fileSays(run.stdoutPath, (text) => text === "ready\n");
  assert.deepEqual(signalRun(run.marks, "USR1", { leader: true }), { pid: run.job.pid, signal: 10, name: "SIGUSR1" });
  await fileSays(run.stdoutPath, (text) => text === "ready\nparent\n");
  signalRun(run.marks, 10);
  await fileSays(run.stdoutPath, (text) => text.includes("child\n") && text.split("parent").length === 3);
});

test("signal: says when the first process has ended and others go on", async () => {
  await using runs = await RunFixture.make();
  const run = await runs.start(["sh", "-c", "sleep 60 & exit 0"]);
  await run.ended();
  assert.throws(() => signalRun(run.marks, "TERM", { leader: true }), { code: "RUN_NOT_RUNNING", message: /others/ });
  signalRun(run.marks, "TERM");
  await until(() => findMembers(run.marks).length === 0, "the rest to end");
  assert.throws(() => signalRun(run.marks, "TREM"), { code: "UNKNOWN_SIGNAL" });
});

test("members: a zombie is none", async () => {
  await using runs = await RunFixture.make();
  const run = await runs.start(node("require('child_process').spawn('true'); process.stdout.write('x'); for (;;);"));
  await fileSays(run.stdoutPath, (text) => text === "x");
  await until(() => findMembers(run.marks).length === 1, "only the leader to count");
});
