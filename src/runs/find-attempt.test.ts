import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { findAttempt, invalidateAttempt } from "./find-attempt.ts";
import { RunFixture, spawnShim, until } from "./run-fixture.ts";
import { LINUX_SHIM } from "./shim.ts";
import { prepareStatusFile } from "./status-file.ts";

/** A shim that waits at its beginning while the file `hold` is there. */
const HELD_SHIM = `until [ ! -e hold ]; do sleep 0.005; done\n${LINUX_SHIM}`;

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

test("invalidate: a shim whose server was killed, and that was on its way, then runs nothing", async () => {
  await using runs = await RunFixture.make();
  await writeFile(join(runs.directory, "hold"), "");
  const request = runs.request(["touch", "ran"]);
  await using status = await prepareStatusFile(request.statusPath);
  const shim = spawnShim(request, status.fd, HELD_SHIM);
  const ended = once(shim, "exit");
  const found = await findAttempt(request.statusPath, request.runId);
  assert.ok(found.kind === "pending" && found.pids.includes(shim.pid!));
  assert.equal(await invalidateAttempt(request.statusPath), "invalidated");
  await rm(join(runs.directory, "hold"));
  await ended;
  assert.deepEqual(readdirSync(runs.directory), []);
  assert.deepEqual(await findAttempt(request.statusPath, request.runId), { kind: "absent" });
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
    await using status = await prepareStatusFile(request.statusPath);
    // Before there is a shim, and then spread over the few milliseconds that a start takes.
    const before = round % 20 === 0 ? await invalidateAttempt(request.statusPath) : undefined;
    const ended = once(spawnShim(request, status.fd), "exit");
    const pauseUntilMs = performance.now() + (round % 20) * 0.1;
    await until(() => performance.now() >= pauseUntilMs, "the moment");
    const answer = before ?? (await invalidateAttempt(request.statusPath));
    seen[answer] += 1;
    await ended;
    assert.equal(existsSync(join(runs.directory, `ran-${round}`)), answer === "started", `round ${round}: ${answer}`);
  }
  assert.equal(seen.started + seen.invalidated, 60);
  assert.ok(seen.invalidated >= 3, JSON.stringify(seen));
});
