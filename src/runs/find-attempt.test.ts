import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { findAttempt, invalidateAttempt } from "./find-attempt.ts";
import { launch } from "./launch.ts";
import { RunFixture, shimOf, until } from "./run-fixture.ts";
import { LINUX_SHIM } from "./shim.ts";

/** A shim that waits at its beginning while the file `hold` is there. */
const held = { ...shimOf("/bin/sh"), text: `until [ ! -e hold ]; do sleep 0.005; done\n${LINUX_SHIM}` };

test("find: a started attempt gives the identities that the launch gave", async () => {
  await using runs = await RunFixture.make();
  const run = await runs.start(["sleep", "60"]);
  const found = await findAttempt(run.statusPath, run.marks.runId);
  assert.ok(found.kind === "started");
  assert.deepEqual([found.job, found.shim], [run.job, run.shim]);
});

test("find: an attempt that ended is started, with its exit status", async () => {
  await using runs = await RunFixture.make();
  const run = await runs.start(["sh", "-c", "exit 3"]);
  await run.ended();
  const found = await findAttempt(run.statusPath, run.marks.runId);
  assert.ok(found.kind === "started");
  assert.equal(found.status.exitStatus, 3);
});

test("find: nothing on disk and no process is absent", async () => {
  await using runs = await RunFixture.make();
  assert.deepEqual(await findAttempt(join(runs.directory, "r.1.status"), "r"), { kind: "absent" });
});

test("invalidate: a shim that was on its way then runs nothing", async () => {
  await using runs = await RunFixture.make();
  await writeFile(join(runs.directory, "hold"), "");
  const request = runs.request(["touch", "ran"]);
  const launched = assert.rejects(launch(request, { shim: held }), { code: "LAUNCH_FAILED" });
  await until(() => existsSync(request.stderrPath), "the launch to begin");
  let found = await findAttempt(request.statusPath, request.runId);
  while (found.kind === "absent") found = await findAttempt(request.statusPath, request.runId);
  assert.equal(found.kind, "pending");
  assert.equal(await invalidateAttempt(request.statusPath), "invalidated");
  await rm(join(runs.directory, "hold"));
  await launched;
  assert.deepEqual(readdirSync(runs.directory), []);
});

test("invalidate: an attempt that had started is left as it is", async () => {
  await using runs = await RunFixture.make();
  const run = await runs.start(["sh", "-c", "until [ -e go ]; do sleep 0.01; done; exit 4"]);
  assert.equal(await invalidateAttempt(run.statusPath), "started");
  await writeFile(join(runs.directory, "go"), "");
  assert.equal((await run.ended()).exitStatus, 4);
});

test("invalidate: exact at any instant: a command was run if and only if the answer was `started`", async () => {
  await using runs = await RunFixture.make();
  const seen = { started: 0, invalidated: 0 };
  for (let round = 0; round < 60; round += 1) {
    const request = runs.request(["touch", `ran-${round}`]);
    const launching = launch(request).then(
      (launched) => launched.shimEnded,
      () => {},
    );
    await until(() => existsSync(request.statusPath), "the status file");
    // Spread over the few milliseconds that a start takes.
    const pauseUntilMs = performance.now() + (round % 20) * 0.2;
    await until(() => performance.now() >= pauseUntilMs, "the moment");
    const answer = await invalidateAttempt(request.statusPath);
    seen[answer] += 1;
    await launching;
    assert.equal(existsSync(join(runs.directory, `ran-${round}`)), answer === "started", `round ${round}: ${answer}`);
  }
  assert.equal(seen.started + seen.invalidated, 60);
});
