import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { JobsFixture } from "./jobs-fixture.ts";

const DAY_MS = 86_400_000;

async function withClock(): Promise<{ fixture: JobsFixture; clock: HandClock }> {
  const clock = new HandClock({ wallMs: Date.now() });
  return { fixture: await JobsFixture.make({ clock }), clock };
}

test("restart no: an end is an end, with a policy of `no` and without one", async () => {
  const { fixture, clock } = await withClock();
  await using _ = fixture;
  for (const extra of [{}, { restart: { when: "no" as const } }]) {
    const decided = fixture.nextDecision();
    const { job } = await fixture.jobs.add(fixture.spec("exit 1", extra));
    const record = await decided;
    assert.equal(record.wanted, "down");
    assert.equal(record.env, null, "an environment is kept only while it is needed");
    assert.deepEqual(clock.delays, []);
    await fixture.jobs.remove({ job_id: job.id });
  }
});

test("restart on-failure: a failure is started again after the first delay, a success is not", async () => {
  const { fixture, clock } = await withClock();
  await using _ = fixture;
  await writeFile(fixture.path("fails"), "");
  const decided = fixture.nextDecision();
  const { job } = await fixture.jobs.add(fixture.spec("test ! -e fails", { restart: { when: "on-failure" } }));
  assert.deepEqual([(await decided).wanted, (await decided).restartCount], ["up", 1]);
  assert.deepEqual(clock.delays, [500]);
  assert.equal(fixture.jobs.get({ job_id: job.id }).job.state, "waiting");

  await rm(fixture.path("fails"));
  const again = fixture.nextDecision();
  clock.leap(500);
  assert.equal((await again).wanted, "down");
  assert.deepEqual(clock.delays, []);
  assert.deepEqual(
    fixture.jobs.runs({ job_id: job.id }).runs.map(({ cause }) => cause),
    ["restart-policy", "user"],
  );
});

test("restart always: a success is started again too", async () => {
  const { fixture, clock } = await withClock();
  await using _ = fixture;
  const decided = fixture.nextDecision();
  await fixture.jobs.add(fixture.spec("exit 0", { restart: { when: "always", backoff_ms: 40 } }));
  assert.equal((await decided).wanted, "up");
  assert.deepEqual(clock.delays, [40]);
});

test("restart: delays double up to a minute", async () => {
  const { fixture, clock } = await withClock();
  await using _ = fixture;
  const delays: number[] = [];
  let decided = fixture.nextDecision();
  await fixture.jobs.add(fixture.spec("exit 1", { restart: { when: "always", backoff_ms: 8_000 } }));
  for (let count = 0; count < 5; count++) {
    await decided;
    const delayMs = clock.delays[0] ?? 0;
    delays.push(delayMs);
    decided = fixture.nextDecision();
    clock.leap(delayMs - 1);
    assert.equal(clock.delays.length, 1, "not a millisecond early");
    clock.leap(1);
  }
  await decided;
  assert.deepEqual(delays, [8_000, 16_000, 32_000, 60_000, 60_000]);
});

test("restart: a first delay of more than a minute is every delay", async () => {
  const { fixture, clock } = await withClock();
  await using _ = fixture;
  let decided = fixture.nextDecision();
  await fixture.jobs.add(fixture.spec("exit 1", { restart: { when: "always", backoff_ms: 300_000 } }));
  for (let count = 0; count < 2; count++) {
    await decided;
    assert.deepEqual(clock.delays, [300_000]);
    decided = fixture.nextDecision();
    clock.leap(300_000);
  }
  await decided;
});

test("restart: jitter shortens a delay by at most a quarter", async () => {
  const clock = new HandClock({ wallMs: Date.now() });
  await using fixture = await JobsFixture.make({ clock, random: () => 1 });
  const decided = fixture.nextDecision();
  await fixture.jobs.add(fixture.spec("exit 1", { restart: { when: "always", backoff_ms: 1_000 } }));
  await decided;
  assert.deepEqual(clock.delays, [750]);
});

test("restart max: gives up after so many restarts in a row, and counts anew for who starts it by hand", async () => {
  const { fixture, clock } = await withClock();
  await using _ = fixture;
  let decided = fixture.nextDecision();
  const { job } = await fixture.jobs.add(fixture.spec("exit 1", { restart: { when: "always", max: 2 } }));
  for (const delayMs of [500, 1_000]) {
    assert.equal((await decided).wanted, "up");
    assert.deepEqual(clock.delays, [delayMs]);
    decided = fixture.nextDecision();
    clock.leap(delayMs);
  }
  assert.equal((await decided).wanted, "down");
  assert.equal(fixture.runCountOf(job.id), 3);
  assert.equal(fixture.jobs.get({ job_id: job.id }).job.state, "ended");

  decided = fixture.nextDecision();
  await fixture.jobs.startJob({ job_id: job.id, env: fixture.spec("").env });
  assert.deepEqual([(await decided).wanted, (await decided).restartCount], ["up", 1]);
});

test("restart: a run of ten seconds was a good one, and the next delay is the first again", async () => {
  const { fixture, clock } = await withClock();
  await using _ = fixture;
  let decided = fixture.nextDecision();
  const { job } = await fixture.jobs.add(fixture.spec("exit 1", { restart: { when: "always", max: 2 } }));
  await decided;
  decided = fixture.nextDecision();
  clock.leap(500);
  assert.equal((await decided).restartCount, 2);

  decided = fixture.nextDecision();
  clock.jumpWall(-21_000); // its start is written down as long before its end, which has the file's real time
  const started = fixture.nextOf("run_started", job.id);
  clock.leap(1_000);
  await started;
  clock.jumpWall(20_000);
  assert.deepEqual([(await decided).wanted, (await decided).restartCount], ["up", 1]);
  assert.deepEqual(clock.delays, [500]);
});

test("stop: wins over the policy, while the job runs and while it waits for its next start", async () => {
  const { fixture, clock } = await withClock();
  await using _ = fixture;
  const { job } = await fixture.jobs.add(fixture.spec("sleep 100", { restart: { when: "always" } }));
  const stopped = await fixture.jobs.stop({ job_id: job.id });
  assert.equal(stopped.stopped, true);
  assert.deepEqual(stopped.job.outcome, { kind: "signalled", signal: "SIGTERM", status: 143, by: "user" });
  assert.deepEqual([fixture.record(job.id).wanted, clock.delays], ["down", []]);

  const decided = fixture.nextDecision();
  const failing = await fixture.jobs.add(fixture.spec("exit 1", { restart: { when: "always" } }));
  await decided;
  assert.equal(clock.delays.length, 1);
  assert.equal((await fixture.jobs.stop({ job_id: failing.job.id })).stopped, false);
  assert.deepEqual([fixture.record(failing.job.id).wanted, clock.delays], ["down", []]);
});

test("stop: wins in the moment in which the policy starts the job", async () => {
  const { fixture, clock } = await withClock();
  await using _ = fixture;
  const decided = fixture.nextDecision();
  const { job } = await fixture.jobs.add(fixture.spec("exit 1", { restart: { when: "always" } }));
  await decided;
  clock.leap(500);
  await fixture.jobs.stop({ job_id: job.id });
  await fixture.jobs.remove({ job_id: job.id }); // waits for its turn, behind a start
  assert.deepEqual(fixture.jobs.list({}).jobs, []);
});

test("restart: a job whose program is gone counts as failed, and is given up at the limit", async () => {
  const { fixture, clock } = await withClock();
  await using _ = fixture;
  await writeFile(fixture.path("program"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  let decided = fixture.nextDecision();
  const spec = {
    ...fixture.spec(""),
    command: [fixture.path("program")],
    restart: { when: "always" as const, max: 2 },
  };
  const { job } = await fixture.jobs.add(spec);
  await decided;
  await rm(fixture.path("program"));
  for (const delayMs of [500, 1_000]) {
    assert.ok(clock.delays.includes(delayMs), `${clock.delays}`);
    const updated = fixture.nextOf("job_updated", job.id);
    clock.leap(delayMs);
    decided = updated.then(() => fixture.record(job.id));
    await decided;
    clock.leap(0);
    await new Promise(setImmediate);
    clock.leap(0);
  }
  assert.equal((await decided).wanted, "down");
  assert.equal(fixture.runCountOf(job.id), 1, "a start that failed leaves no run");
});

test("clock: a restart that was planned is not held back by more than a minute when the clock goes back", async () => {
  const { fixture, clock } = await withClock();
  await using _ = fixture;
  const decided = fixture.nextDecision();
  const { job } = await fixture.jobs.add(fixture.spec("exit 1", { restart: { when: "always" } }));
  await decided;
  clock.jumpWall(-DAY_MS);
  await fixture.reopen();
  assert.deepEqual(clock.delays, [60_000], "the timer of the generation before is gone");
  const started = fixture.nextOf("run_started", job.id);
  clock.leap(60_000);
  await started;
});

test("clock: a restart whose moment is past is made at once by the next generation", async () => {
  const { fixture, clock } = await withClock();
  await using _ = fixture;
  const decided = fixture.nextDecision();
  const { job } = await fixture.jobs.add(fixture.spec("exit 1", { restart: { when: "always" } }));
  await decided;
  clock.jumpWall(DAY_MS);
  const started = fixture.nextOf("run_started", job.id);
  await fixture.reopen();
  await started;
});

test("restart: waits for the dependencies that are down when its delay is over", async () => {
  const { fixture, clock } = await withClock();
  await using _ = fixture;
  const failing = fixture.upSpec("web", "exit 1", { depends_on: ["db"], restart: { when: "always" } });
  const decided = fixture.nextDecision();
  await fixture.jobs.up({ project: fixture.directory, jobs: [fixture.upSpec("db", "sleep 100"), failing] });
  const { id } = await decided;
  await fixture.jobs.stop({ job_id: "db" });
  clock.leap(500);
  await new Promise(setImmediate);
  assert.equal(fixture.jobs.get({ job_id: id }).job.state, "waiting");
  assert.equal(fixture.runCountOf(id), 1);
  const again = fixture.nextOf("run_started", id);
  await fixture.jobs.startJob({ job_id: "db", env: fixture.spec("").env });
  await again;
  assert.equal(fixture.runCountOf(id), 2);
});
