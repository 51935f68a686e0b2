import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { mock, test } from "node:test";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { isWarrenError } from "../protocol/errors.ts";
import type { UpJob } from "../protocol/messages.ts";
import { until } from "../runs/run-fixture.ts";
import { JobControl } from "./control.ts";
import * as errors from "./errors.ts";
import { ENV, JobsFixture } from "./jobs-fixture.ts";
import type { LiveRun } from "./live-run.ts";
import type { StopOptions } from "./runner.ts";

const LONG = "exec sleep 100";

/** `up` of these jobs; the answer as `name action state`. */
async function up(fixture: JobsFixture, jobs: UpJob[], names?: string[]): Promise<string[]> {
  const payload = { project: fixture.directory, jobs, ...(names ? { names } : {}) };
  const answer = await fixture.jobs.up(payload);
  return answer.jobs.map(({ job, action }) => `${job.name} ${action} ${job.state}`);
}

const startsIn = (fixture: JobsFixture): unknown[] =>
  fixture.events.filter(({ type }) => type === "run_started").map(({ data }) => (data.job as { name: string }).name);

test("up: repeated, it leaves what runs as it is written", async () => {
  await using fixture = await JobsFixture.make();
  const jobs = [fixture.upSpec("web", LONG), fixture.upSpec("db", `${LONG}0`)];
  assert.deepEqual(await up(fixture, jobs), ["web created running", "db created running"]);
  const runs = fixture.jobs.list({}).jobs.map(({ run_id }) => run_id);
  assert.deepEqual(await up(fixture, jobs), ["web already_running running", "db already_running running"]);
  assert.deepEqual(
    fixture.jobs.list({}).jobs.map(({ run_id }) => run_id),
    runs,
  );
});

test("up: what was changed is stopped and started again, under its name and with its history", async () => {
  await using fixture = await JobsFixture.make();
  await up(fixture, [fixture.upSpec("web", LONG)]);
  const { id } = fixture.jobs.find("web");
  assert.deepEqual(await up(fixture, [fixture.upSpec("web", "exec sleep 200")]), ["web recreated running"]);
  const { runs, job } = fixture.jobs.runs({ job_id: "web" });
  assert.deepEqual([job.id, job.command], [id, ["sh", "-c", "exec sleep 200"]]);
  assert.deepEqual(
    runs.map(({ outcome }) => outcome?.kind === "signalled" && outcome.by),
    [false, "stop"],
  );
});

test("up: a change is kept also while the job is down, and an option that is gone from the file is gone", async () => {
  await using fixture = await JobsFixture.make();
  await up(fixture, [fixture.upSpec("web", LONG, { description: "old", autostart: false })]);
  assert.deepEqual(await up(fixture, [fixture.upSpec("web", "exec sleep 5", { autostart: false })]), [
    "web defined created",
  ]);
  const { job } = fixture.jobs.get({ job_id: "web" });
  assert.deepEqual([job.command[2], job.description], ["exec sleep 5", undefined]);
});

test("up: by name starts that job and what it depends on, others are defined", async () => {
  await using fixture = await JobsFixture.make();
  const jobs = [
    fixture.upSpec("db", LONG, { autostart: false }),
    fixture.upSpec("web", `${LONG}1`, { depends_on: ["db"] }),
    fixture.upSpec("docs", `${LONG}2`),
  ];
  assert.deepEqual(await up(fixture, jobs, ["web"]), [
    "db created running",
    "web created running",
    "docs defined created",
  ]);
  await assert.rejects(up(fixture, jobs, ["wbe"]), (error) => isWarrenError(error, "DEPENDENCY_UNKNOWN"));
});

test("up: a dependency that is no job of the project changes nothing", async () => {
  await using fixture = await JobsFixture.make();
  const jobs = [fixture.upSpec("db", LONG), fixture.upSpec("web", LONG, { depends_on: ["bd"] })];
  await assert.rejects(up(fixture, jobs), (error) => isWarrenError(error, "DEPENDENCY_UNKNOWN"));
  assert.deepEqual(fixture.jobs.list({}).jobs, []);
});

test("up: dependencies start first, whatever the order of the file, and wait until they are ready", async () => {
  await using fixture = await JobsFixture.make();
  const gate = fixture.path("gate");
  const jobs = [
    fixture.upSpec("web", LONG, { depends_on: ["api", "db"] }),
    fixture.upSpec("api", `${LONG}1`, { depends_on: ["db"] }),
    fixture.upSpec("db", `while ! test -e gate; do sleep 0.01; done; echo listening; exec sleep 100`, {
      ready: { kind: "log", pattern: "^listening$" },
    }),
  ];
  const web = fixture.next(({ type, data }) => type === "run_started" && (data.job as { name: string }).name === "web");
  assert.deepEqual(await up(fixture, jobs), ["web waiting waiting", "api waiting waiting", "db created running"]);
  assert.deepEqual(startsIn(fixture), ["db"]);
  await writeFile(gate, "");
  await web;
  assert.deepEqual(startsIn(fixture), ["db", "api", "web"]);
  assert.equal(fixture.jobs.get({ job_id: "db" }).job.ready, true);
  assert.deepEqual(
    ["db", "api", "web"].map((name) => fixture.jobs.runs({ job_id: name }).runs.map(({ cause }) => cause)),
    [["user"], ["dependency"], ["dependency"]],
  );
});

test("up: a dependency that has to end well holds the others back until it does", async () => {
  await using fixture = await JobsFixture.make();
  await writeFile(fixture.path("broken"), "");
  const jobs = [
    fixture.upSpec("migrate", "test ! -e broken", { ready: { kind: "exit" } }),
    fixture.upSpec("web", LONG, { depends_on: ["migrate"] }),
  ];
  const failed = fixture.nextDecision();
  await up(fixture, jobs);
  await failed;
  assert.equal(fixture.jobs.get({ job_id: "web" }).job.state, "waiting");
  assert.deepEqual(startsIn(fixture), ["migrate"]);

  await rm(fixture.path("broken"));
  const started = fixture.nextOf("run_started", fixture.jobs.find("web").id);
  await fixture.jobs.startJob({ job_id: "migrate", env: fixture.spec("").env });
  await started;
});

test("up: a waiting job is still waited for by the next generation", async () => {
  await using fixture = await JobsFixture.make();
  const jobs = [
    fixture.upSpec("db", "while ! test -e gate; do sleep 0.01; done; echo listening; exec sleep 100", {
      ready: { kind: "log", pattern: "listening" },
    }),
    fixture.upSpec("web", LONG, { depends_on: ["db"] }),
  ];
  await up(fixture, jobs);
  await fixture.reopen();
  const started = fixture.nextOf("run_started", fixture.jobs.find("web").id);
  await writeFile(fixture.path("gate"), "");
  await started;
});

test("ready: a run that is late is ended, which its policy sees as a failure", async () => {
  await using fixture = await JobsFixture.make();
  const decided = fixture.nextDecision();
  const spec = fixture.spec(LONG, {
    ready: { kind: "log", pattern: "never", timeout_ms: 30 },
    restart: { when: "on-failure", backoff_ms: 60_000 },
  });
  const { job } = await fixture.jobs.add(spec);
  assert.equal((await decided).wanted, "up");
  const { outcome } = fixture.jobs.runs({ job_id: job.id }).runs[0]!;
  assert.deepEqual(outcome, { kind: "signalled", signal: "SIGTERM", status: 143, by: "timeout" });
});

test("ready: a condition that is given to a job that runs is watched in that run", async () => {
  await using fixture = await JobsFixture.make();
  const { workdir, command, env } = fixture.spec("echo listening; exec sleep 100");
  const ready = { kind: "log", pattern: "^listening$" } as const;
  const gives = {
    up: () => up(fixture, [{ name: "web", workdir, command, env, ready }]),
    add: () => fixture.jobs.add({ name: "web", workdir, command, env, ready }),
    create: () => fixture.jobs.create({ name: "web", workdir, command, ready }),
  };
  for (const [verb, give] of Object.entries(gives)) {
    await up(fixture, [{ name: "web", workdir, command, env }]);
    const started = fixture.next(
      ({ type, data }) => type === "run_started" && (data.job as { name: string }).name === "api",
      `the start behind what \`${verb}\` gave`,
    );
    await give();
    await fixture.jobs.add(fixture.spec(LONG, { name: "api", depends_on: ["web"] }));
    await started;
    for (const name of ["api", "web"]) await fixture.jobs.stop({ job_id: name });
    await fixture.jobs.cleanup({});
  }
});

test("ready: a run that is late by a time that was changed, or taken out of the file, goes on", async () => {
  const clock = new HandClock({ wallMs: Date.now() });
  await using fixture = await JobsFixture.make({ clock });
  const timesOf = async (timeout_ms?: number): Promise<number[]> => {
    const ready = { kind: "log", pattern: "never", ...(timeout_ms ? { timeout_ms } : {}) } as const;
    await up(fixture, [fixture.upSpec("web", LONG, { ready })]);
    return clock.delays.filter((ms) => ms > 40_000);
  };
  assert.deepEqual(await timesOf(50_000), [50_000]);
  assert.deepEqual(await timesOf(50_000), [50_000], "the same one goes on");
  assert.deepEqual(await timesOf(70_000), [70_000]);
  assert.deepEqual(await timesOf(), []);
});

test("ready: with the condition taken out of the file, who waits for the job starts, though not asked for", async () => {
  await using fixture = await JobsFixture.make();
  const api = fixture.upSpec("api", `${LONG}1`, { depends_on: ["web"] });
  const never = fixture.upSpec("web", LONG, { ready: { kind: "log", pattern: "never" } });
  assert.deepEqual(await up(fixture, [never, api]), ["web created running", "api waiting waiting"]);
  const started = fixture.nextOf("run_started", fixture.jobs.find("api").id);
  await up(fixture, [fixture.upSpec("web", LONG), api], ["web"]);
  await started;
});

test("ready: who waits for a job by a name that it got while it ran starts when it is ready", async () => {
  await using fixture = await JobsFixture.make();
  const { workdir, command, env } = fixture.spec(
    "while ! test -e gate; do sleep 0.01; done; echo listening; exec sleep 100",
  );
  const ready = { kind: "log", pattern: "^listening$" } as const;
  await fixture.jobs.add({ workdir, command, env, ready });
  await fixture.jobs.add({ workdir, command, env, name: "web" });
  const { job } = await fixture.jobs.add(fixture.spec(LONG, { depends_on: ["web"] }));
  const started = fixture.nextOf("run_started", job.id);
  await writeFile(fixture.path("gate"), "");
  await started;
});

test("down: those that depend on others stop first, those that wait are not started any more", async () => {
  await using fixture = await JobsFixture.make();
  const jobs = [
    fixture.upSpec("db", LONG),
    fixture.upSpec("api", `${LONG}1`, { depends_on: ["db"] }),
    fixture.upSpec("web", `${LONG}2`, { depends_on: ["api", "db"] }),
    fixture.upSpec("late", LONG, { depends_on: ["web", "slow"] }),
    fixture.upSpec("slow", `${LONG}3`, { ready: { kind: "log", pattern: "never" } }),
  ];
  await up(fixture, jobs);
  const stranger = fixture.jobs.create(fixture.spec("x", { workdir: "/elsewhere" })).job;
  const { stopped } = await fixture.jobs.down({ project: fixture.directory });
  assert.deepEqual(stopped.map(({ name }) => name).toSorted(), ["api", "db", "slow", "web"]);
  const order = fixture.events
    .filter(({ type }) => type === "run_stopped")
    .map(({ data }) => (data.job as { name: string }).name)
    .filter((name) => name !== "slow");
  assert.deepEqual(order, ["web", "api", "db"]);
  assert.equal(fixture.record(fixture.jobs.find("late").id).wanted, "down");
  assert.equal(fixture.jobs.get({ job_id: stranger.id }).job.state, "created");
  assert.deepEqual((await fixture.jobs.down({ project: fixture.directory })).stopped, []);
});

test("down: a circle of dependencies is stopped all the same", async () => {
  await using fixture = await JobsFixture.make();
  const jobs = [
    fixture.upSpec("a", LONG, { depends_on: ["b"] }),
    fixture.upSpec("b", `${LONG}1`, { depends_on: ["a"] }),
  ];
  assert.deepEqual(await up(fixture, jobs), ["a waiting waiting", "b waiting waiting"]);
  const started = fixture.nextOf("run_started", fixture.jobs.find("b").id);
  await fixture.jobs.startJob({ job_id: "a" });
  await started;
  assert.equal((await fixture.jobs.down({ project: fixture.directory })).stopped.length, 2);
});

test("up: two at once of one project start each job once", async () => {
  await using fixture = await JobsFixture.make();
  const jobs = [fixture.upSpec("db", LONG), fixture.upSpec("web", `${LONG}1`, { depends_on: ["db"] })];
  const answers = await Promise.all([up(fixture, jobs), up(fixture, jobs)]);
  assert.deepEqual(startsIn(fixture), ["db", "web"]);
  assert.deepEqual(answers.flat().filter((line) => line.includes("created")).length, 2);
});

test("up: what a file sets goes over the environment of whoever starts the job later", async () => {
  await using fixture = await JobsFixture.make();
  const show = 'echo "$PORT $OTHER"; exec sleep 100';
  await up(fixture, [fixture.upSpec("web", show, { env: [...ENV, "PORT=3000", "OTHER=a"], file_env: ["PORT=3000"] })]);
  const line = (pattern: string) =>
    fixture.jobs.wait({ job_id: "web", conditions: [{ kind: "log", pattern }] }, AbortSignal.timeout(20_000));
  assert.equal((await line("^3000 a$")).result, "met");
  await fixture.jobs.restart({ job_id: "web", env: [...ENV, "PORT=1", "OTHER=b"] });
  assert.equal((await line("^3000 b$")).result, "met");
});

test("up: a file's job comes back after a reboot while its policy keeps it up, and no other does", async () => {
  await using fixture = await JobsFixture.make();
  const jobs = [
    fixture.upSpec("web", LONG, { autostart: true, restart: { when: "always" } }),
    fixture.upSpec("migrate", `${LONG}1`, { autostart: true }),
  ];
  await up(fixture, jobs);
  const marks = () => ["web", "migrate"].map((name) => fixture.jobs.get({ job_id: name }).job.autostart);
  assert.deepEqual(marks(), [true, undefined]);
  await up(fixture, jobs);
  await up(fixture, jobs, ["migrate"]);
  assert.deepEqual(marks(), [true, undefined], "nor does a second `up` change that");
  await fixture.jobs.stop({ job_id: "web" });
  assert.deepEqual(marks(), [undefined, undefined]);
  await fixture.jobs.startJob({ job_id: "web", env: ENV });
  assert.deepEqual(marks(), [true, undefined]);
  await fixture.jobs.down({ project: fixture.directory });
  assert.deepEqual(marks(), [undefined, undefined]);
});

test("up: a job that runs, and whose policy was taken out of the file, does not come back after a reboot", async () => {
  await using fixture = await JobsFixture.make();
  await up(fixture, [fixture.upSpec("web", LONG, { restart: { when: "always" } })]);
  assert.equal(fixture.jobs.get({ job_id: "web" }).job.autostart, true);
  assert.deepEqual(await up(fixture, [fixture.upSpec("web", LONG)]), ["web already_running running"]);
  assert.equal(fixture.jobs.get({ job_id: "web" }).job.autostart, undefined);
  await up(fixture, [fixture.upSpec("web", LONG, { restart: { when: "always" } })]);
  assert.equal(fixture.jobs.get({ job_id: "web" }).job.autostart, true, "and with it put back it does");
});

test("up: a job that is being stopped is started when it has ended", async () => {
  await using fixture = await JobsFixture.make();
  const slow = fixture.upSpec(
    "web",
    "trap 'until [ -e go ]; do sleep 0.01; done; exit 0' TERM; echo up; while :; do sleep 0.01; done",
  );
  await up(fixture, [slow]);
  const said = { job_id: "web", conditions: [{ kind: "log" as const, pattern: "up" }] };
  await fixture.jobs.wait(said, AbortSignal.timeout(20_000));
  const stopping = fixture.jobs.stop({ job_id: "web", grace_ms: 60_000 });
  await until(() => fixture.jobs.get({ job_id: "web" }).job.state === "stopping", "the stop to begin");
  const again = up(fixture, [slow]);
  await writeFile(fixture.path("go"), "");
  assert.deepEqual(await again, ["web started running"]);
  await stopping;
});

test("up: a job that is being stopped, and is not asked for, stays down when it has ended", async () => {
  await using fixture = await JobsFixture.make();
  const script = "trap 'until [ -e go ]; do sleep 0.01; done; exit 0' TERM; echo up; while :; do sleep 0.01; done";
  const web = fixture.upSpec("web", script, { restart: { when: "always", backoff_ms: 1 } });
  await up(fixture, [web]);
  const { id } = fixture.jobs.find("web");
  const said = { job_id: "web", conditions: [{ kind: "log" as const, pattern: "up" }] };
  await fixture.jobs.wait(said, AbortSignal.timeout(20_000));
  const stopping = fixture.jobs.stop({ job_id: "web", grace_ms: 60_000 });
  await until(() => fixture.jobs.get({ job_id: "web" }).job.state === "stopping", "the stop to begin");
  await up(fixture, [web, fixture.upSpec("api", LONG)], ["api"]);
  await writeFile(fixture.path("go"), "");
  await stopping;
  const { wanted, options } = fixture.record(id);
  assert.deepEqual([wanted, options.autostart], ["down", undefined]);
  assert.equal(fixture.runCountOf(id), 1);
});

test("up: a policy that is given to a job that runs holds for that run", async () => {
  await using fixture = await JobsFixture.make();
  await up(fixture, [fixture.upSpec("web", LONG)]);
  const policy = { restart: { when: "always", backoff_ms: 1 } } as const;
  assert.deepEqual(await up(fixture, [fixture.upSpec("web", LONG, policy)]), ["web already_running running"]);
  const { pid } = fixture.jobs.get({ job_id: "web" }).job;
  const decided = fixture.nextDecision();
  process.kill(pid, "SIGKILL");
  await decided;
  assert.equal(fixture.jobs.get({ job_id: "web" }).job.restart_count, 1);
});

test("up: a job whose policy is done with it does not come back after a reboot", async () => {
  await using fixture = await JobsFixture.make();
  const decided = fixture.nextDecision();
  await up(fixture, [fixture.upSpec("migrate", "exit 0", { restart: { when: "on-failure" } })]);
  assert.equal((await decided).wanted, "down");
  assert.equal(fixture.jobs.get({ job_id: "migrate" }).job.autostart, undefined);
});

test("down: a tree that survives holds up no other job, and is told of at the end", async () => {
  await using fixture = await JobsFixture.make();
  await up(fixture, [fixture.upSpec("db", LONG), fixture.upSpec("web", `${LONG}1`, { depends_on: ["db"] })]);
  const end = JobControl.prototype.end;
  const { id } = fixture.jobs.find("web");
  const failing = mock.method(
    JobControl.prototype,
    "end",
    function (this: JobControl, run: LiveRun, options: StopOptions) {
      if (run.record.jobId === id) throw errors.treeSurvived(id, [1]);
      return end.call(this, run, options);
    },
  );
  try {
    await assert.rejects(fixture.jobs.down({ project: fixture.directory }), (error) =>
      isWarrenError(error, "TREE_SURVIVED"),
    );
  } finally {
    failing.mock.restore();
  }
  assert.equal(fixture.jobs.get({ job_id: "db" }).job.state, "ended");
});

test("stop: one that comes while a restart, or a changed `up`, ends the old run is the last word", async () => {
  await using fixture = await JobsFixture.make();
  const stubborn =
    "trap 'touch asked; while ! test -e go; do sleep 0.01; done; exit 0' TERM; touch up; while :; do sleep 0.01; done";
  await up(fixture, [fixture.upSpec("web", stubborn, { grace_ms: 20_000 })]);
  const { id } = fixture.jobs.find("web");
  for (const change of [
    () => fixture.jobs.restart({ job_id: id, env: ENV }),
    () => up(fixture, [fixture.upSpec("web", `${stubborn} # changed`, { grace_ms: 20_000 })]),
  ]) {
    await until(() => existsSync(fixture.path("up")), "the run");
    const changed = change().then(
      (answer) => answer,
      (error) => error,
    );
    await until(() => existsSync(fixture.path("asked")), "the signal");
    const stopped = fixture.jobs.stop({ job_id: id });
    await writeFile(fixture.path("go"), "");
    assert.equal((await stopped).stopped, true);
    const answer = await changed;
    assert.ok(isWarrenError(answer, "JOB_STOPPED") || String(answer) === "web defined ended", String(answer));
    assert.equal(fixture.jobs.get({ job_id: id }).job.state, "ended");
    for (const name of ["up", "asked", "go"]) await rm(fixture.path(name), { force: true });
    if (isWarrenError(answer, "JOB_STOPPED")) await fixture.jobs.startJob({ job_id: id, env: ENV });
  }
});
