import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { HandClock } from "../platform/testing/hand-clock.ts";
import type { Outcome } from "../protocol/outcome.ts";
import { until } from "../runs/run-fixture.ts";
import { ENV, JobsFixture } from "./jobs-fixture.ts";
import type { EventRecord } from "./records.ts";

const outcomeIn = ({ data }: EventRecord): Outcome => (data.job as { outcome: Outcome }).outcome;

test("owner: its death ends the job for good, whatever the policy; `keep` lets it go on", async () => {
  await using fixture = await JobsFixture.make();
  const owner = spawn("sleep", ["100"]);
  const [kill, keep] = ["kill" as const, "keep" as const].map((on_death) => ({ pid: owner.pid ?? 0, on_death }));
  const leased = fixture.spec("exec sleep 100", { restart: { when: "always" }, ...(kill ? { owner: kill } : {}) });
  const { job } = await fixture.jobs.add(leased);
  const kept = await fixture.jobs.add(fixture.spec("exec sleep 101", keep ? { owner: keep } : {}));
  assert.deepEqual(
    fixture.jobs
      .list({ owner_pid: owner.pid })
      .jobs.map(({ id }) => id)
      .toSorted(),
    [job.id, kept.job.id].toSorted(),
  );
  const stopped = fixture.nextOf("job_stopped");
  const ended = once(owner, "exit");
  owner.kill("SIGKILL");
  await ended;
  const event = await stopped;
  assert.equal(event.jobId, job.id);
  assert.deepEqual(outcomeIn(event), { kind: "signalled", signal: "SIGTERM", status: 143, by: "owner" });
  assert.equal(fixture.record(job.id).wanted, "down");
  assert.equal(fixture.jobs.get({ job_id: kept.job.id }).job.state, "running");
});

test("owner: its death ends a job for good that takes the signal and ends by itself, too", async () => {
  await using fixture = await JobsFixture.make();
  for (const [status, when] of [
    [0, "always"],
    [3, "on-failure"],
  ] as const) {
    const owner = spawn("sleep", ["100"]);
    const { job } = await fixture.jobs.add(
      fixture.spec(`trap 'exit ${status}' TERM; echo up; while :; do sleep 0.01; done`, {
        restart: { when },
        owner: { pid: owner.pid ?? 0, on_death: "kill" },
      }),
    );
    const up = { job_id: job.id, conditions: [{ kind: "log" as const, pattern: "up" }] };
    await fixture.jobs.wait(up, AbortSignal.timeout(20_000));
    const decided = fixture.nextDecision();
    owner.kill("SIGKILL");
    assert.equal((await decided).wanted, "down", when);
    assert.equal(fixture.jobs.get({ job_id: job.id }).job.exit_code, status);
  }
});

test("time limit: ends the run by its signal; the policy takes it for a failure", async () => {
  const clock = new HandClock({ wallMs: Date.now() });
  await using fixture = await JobsFixture.make({ clock });
  const { job } = await fixture.jobs.add(
    fixture.spec("trap 'exit 5' TERM; echo up; while :; do sleep 0.01; done", {
      timeout_ms: 1_000,
      restart: { when: "on-failure" },
    }),
  );
  await fixture.jobs.wait(
    { job_id: job.id, conditions: [{ kind: "log", pattern: "up" }] },
    AbortSignal.timeout(20_000),
  );
  clock.jumpWall(-50_000); // does not matter to a timer that was set
  const decided = fixture.nextDecision();
  clock.leap(999);
  assert.equal(fixture.jobs.get({ job_id: job.id }).job.state, "running");
  clock.leap(1);
  assert.equal((await decided).wanted, "up");
  assert.equal(fixture.jobs.get({ job_id: job.id }).job.exit_code, 5, "its own status, since it ended by itself");
});

test("stuck: a machine's sleep is not the job's silence", async () => {
  const clock = new HandClock({ wallMs: Date.now() });
  await using fixture = await JobsFixture.make({ clock });
  const { job } = await fixture.jobs.add(fixture.spec("exec sleep 100"));
  let result = "waits";
  const waiting = fixture.jobs
    .wait({ job_id: job.id, conditions: [{ kind: "exit" }] }, AbortSignal.timeout(60_000))
    .then((found) => {
      result = found.result;
    });
  const looks = async (): Promise<void> => {
    for (let look = 0; look < 3; look++) {
      await until(() => clock.delays.includes(5_000) || result !== "waits", "the next look");
      clock.pass(5_000);
    }
  };
  clock.jumpWall(8 * 3_600_000);
  await looks();
  assert.equal(result, "waits");
  clock.pass(60_000);
  await looks();
  await waiting;
  assert.equal(result, "stuck");
});

test("list: memory and ports of the whole tree, looked at again only after a while, and told of when they change", async () => {
  const clock = new HandClock({ wallMs: Date.now() });
  await using fixture = await JobsFixture.make({ clock });
  const script = `require("node:net").createServer().listen(0, "127.0.0.1", () => console.log("up"));`;
  const told = fixture.nextOf("ports_updated");
  const { job } = await fixture.jobs.add({
    ...fixture.spec(""),
    command: ["sh", "-c", `${process.execPath} -e '${script}'; :`],
  });
  for await (const _ of lookUntilPort(fixture, clock)) clock.leap(600);
  const event = await told;
  const ports = event.data.ports as { port: number; pid: number }[];
  assert.equal(ports.length, 1);
  assert.notEqual(ports[0]?.pid, job.pid, "a child listens");
  const seen = fixture.jobs.get({ job_id: job.id }).job;
  assert.deepEqual(seen.ports, ports);
  assert.ok((seen.memory_bytes ?? 0) > 0); // a process that was just executed may have none yet
});

/** Looks as a client's `list` would, every time the last look is old enough. */
async function* lookUntilPort(fixture: JobsFixture, clock: HandClock) {
  const deadlineMs = performance.now() + 5_000;
  while (!fixture.jobs.list({}).jobs[0]?.ports) {
    if (performance.now() > deadlineMs) throw new Error("no port is seen");
    yield clock.wallMs();
    await new Promise(setImmediate);
  }
}

test("owner: what it owned may be started again by somebody else, and goes on", async () => {
  await using fixture = await JobsFixture.make();
  const owner = spawn("sleep", ["100"]);
  const owned = fixture.spec("exec sleep 100", { owner: { pid: owner.pid ?? 0, on_death: "kill" } });
  const { job } = await fixture.jobs.add(owned);
  const stopped = fixture.nextOf("job_stopped");
  owner.kill("SIGKILL");
  await stopped;
  assert.ok(fixture.record(job.id).options.owner);
  await fixture.jobs.startJob({ job_id: job.id, env: ENV });
  assert.equal(fixture.record(job.id).options.owner, undefined);
  assert.equal(fixture.jobs.get({ job_id: job.id }).job.owner, undefined);
});
