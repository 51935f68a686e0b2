import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { isWarrenError } from "../protocol/errors.ts";
import { until } from "../runs/run-fixture.ts";
import { JobsFixture } from "./jobs-fixture.ts";

const code = (wanted: string) => (error: unknown) => isWarrenError(error, wanted);

test("add: the same command in the same directory is the same job", async () => {
  await using fixture = await JobsFixture.make();
  const { jobs } = fixture;
  const first = await jobs.add(fixture.spec("exec sleep 100"));
  const second = await jobs.add(fixture.spec("exec sleep 100", { description: "now described" }));
  assert.deepEqual([first.action, second.action], ["created", "already_running"]);
  assert.equal(second.job.id, first.job.id);
  assert.equal(second.job.description, "now described");
  await jobs.stop({ job_id: first.job.id });
  const third = await jobs.add(fixture.spec("exec sleep 100"));
  assert.deepEqual([third.action, third.job.id, third.job.description], ["started", first.job.id, "now described"]);

  await mkdir(fixture.path("elsewhere"));
  const other = await jobs.add(fixture.spec("exec sleep 100", { workdir: fixture.path("elsewhere") }));
  assert.deepEqual([other.action, other.job.id === first.job.id], ["created", false]);
});

test("add: one that is being stopped is no job that runs: its end is waited for, and it starts again", async () => {
  await using fixture = await JobsFixture.make();
  const { jobs } = fixture;
  const slow = fixture.spec(
    "trap 'until [ -e go ]; do sleep 0.01; done; exit 0' TERM; echo up; while :; do sleep 0.01; done",
  );
  const { job } = await jobs.add(slow);
  const up = { job_id: job.id, conditions: [{ kind: "log" as const, pattern: "up" }] };
  await jobs.wait(up, AbortSignal.timeout(20_000));
  const stopping = jobs.stop({ job_id: job.id, grace_ms: 60_000 });
  await until(() => jobs.get({ job_id: job.id }).job.state === "stopping", "the stop to begin");
  const again = jobs.add(slow);
  await writeFile(fixture.path("go"), "");
  const { action, job: after } = await again;
  assert.deepEqual([action, after.state, after.run_id === job.run_id], ["started", "running", false]);
  assert.equal((await stopping).stopped, true);
});

test("add: many at once of one new command start it once", async () => {
  await using fixture = await JobsFixture.make();
  const answers = await Promise.all(Array.from({ length: 8 }, () => fixture.jobs.add(fixture.spec("exec sleep 100"))));
  assert.deepEqual(answers.map(({ action }) => action).sort(), [...Array(7).fill("already_running"), "created"]);
  assert.equal(new Set(answers.map(({ job }) => job.run_id)).size, 1);
});

test("add: many at once of one new name start it once, and another command cannot have it", async () => {
  await using fixture = await JobsFixture.make();
  const answers = await Promise.allSettled([
    fixture.jobs.add(fixture.spec("exec sleep 100", { name: "web" })),
    fixture.jobs.add(fixture.spec("exec sleep 100", { name: "web" })),
    fixture.jobs.add(fixture.spec("exec sleep 99", { name: "web" })),
  ]);
  assert.deepEqual(
    answers.map((answer) => (answer.status === "fulfilled" ? answer.value.action : answer.reason.code)),
    ["created", "already_running", "NAME_TAKEN"],
  );
});

test("add: the failed start of a new job leaves no job, and those that wait for their turn try for themselves", async () => {
  await using fixture = await JobsFixture.make();
  const spec = { ...fixture.spec(""), command: ["no-such-program"] };
  const answers = await Promise.allSettled([fixture.jobs.add(spec), fixture.jobs.add(spec)]);
  for (const answer of answers) assert.ok(answer.status === "rejected" && code("PROGRAM_NOT_FOUND")(answer.reason));
  assert.deepEqual(fixture.jobs.list({}).jobs, []);
  assert.deepEqual(fixture.events, []);
});

test("names: belong to one job of a project", async () => {
  await using fixture = await JobsFixture.make();
  const { jobs } = fixture;
  const { job } = jobs.create(fixture.spec("one", { name: "web" }));
  assert.throws(() => jobs.create(fixture.spec("two", { name: "web" })), code("NAME_TAKEN"));
  assert.equal(jobs.create(fixture.spec("one", { name: "web" })).job.id, job.id);
  await mkdir(fixture.path("elsewhere"));
  const other = jobs.create(fixture.spec("two", { name: "web", workdir: fixture.path("elsewhere") }));
  assert.notEqual(other.job.id, job.id);
});

test("names: a job gets one later, and keeps it when it is added without", async () => {
  await using fixture = await JobsFixture.make();
  const { id } = fixture.jobs.create(fixture.spec("one")).job;
  assert.deepEqual(
    [fixture.jobs.create(fixture.spec("one", { name: "web" })).job, fixture.jobs.create(fixture.spec("one")).job].map(
      (job) => [job.id, job.name],
    ),
    [
      [id, "web"],
      [id, "web"],
    ],
  );
});

test("create: refuses what no job can be, and stores nothing", async () => {
  await using fixture = await JobsFixture.make();
  const { jobs } = fixture;
  for (const name of ["", "Web", "1web", "a b", "a".repeat(33), "x/y"])
    assert.throws(() => jobs.create(fixture.spec("one", { name })), code("NAME_INVALID"), name);
  for (const command of [[], [""]])
    assert.throws(() => jobs.create({ ...fixture.spec("one"), command }), code("COMMAND_EMPTY"));
  assert.throws(() => jobs.create(fixture.spec("one", { stop_signal: "SIGNOPE" })), code("UNKNOWN_SIGNAL"));
  assert.throws(
    () => jobs.create(fixture.spec("one", { ready: { kind: "log", pattern: "(" } })),
    code("PATTERN_INVALID"),
  );
  assert.throws(
    () => jobs.create(fixture.spec("one", { owner: { pid: 2 ** 30, on_death: "kill" } })),
    code("OWNER_GONE"),
  );
  assert.deepEqual([jobs.list({}).jobs, fixture.events], [[], []]);
});

test("create: tells of a new job once, and of a change", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = fixture.jobs.create(fixture.spec("one"));
  assert.deepEqual([job.state, job.stdout_path, job.run_count], ["created", "", 0]);
  fixture.jobs.create(fixture.spec("one", { labels: { tier: "db" } }));
  assert.deepEqual(
    fixture.events.map(({ type, jobId }) => [type, jobId]),
    [
      ["job_added", job.id],
      ["job_updated", job.id],
      ["job_updated", job.id],
    ].slice(0, fixture.events.length),
  );
  assert.deepEqual(fixture.jobs.get({ job_id: job.id }).job.labels, { tier: "db" });
});

test("blocked: starts neither by add nor by name", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = fixture.jobs.create(fixture.spec("exec sleep 100", { blocked: true, description: "costs money" }));
  await assert.rejects(fixture.jobs.add(fixture.spec("exec sleep 100")), code("JOB_BLOCKED"));
  await assert.rejects(fixture.jobs.startJob({ job_id: job.id, env: [] }), /costs money/);
  await assert.rejects(fixture.jobs.restart({ job_id: job.id, env: [] }), code("JOB_BLOCKED"));
});

test("environment: a start without one needs one that is stored, which only autostart and policies keep", async () => {
  await using fixture = await JobsFixture.make();
  const { jobs } = fixture;
  const plain = await jobs.add(fixture.spec("exit 0"));
  await jobs.wait({ job_id: plain.job.id, conditions: [{ kind: "exit" }] }, AbortSignal.timeout(20_000));
  await assert.rejects(jobs.startJob({ job_id: plain.job.id }), code("ENV_UNKNOWN"));

  const marked = await jobs.add(
    fixture.spec("echo $COLOUR", { autostart: true, env: [...fixture.spec("").env, "COLOUR=blue"] }),
  );
  await jobs.wait({ job_id: marked.job.id, conditions: [{ kind: "exit" }] }, AbortSignal.timeout(20_000));
  await jobs.startJob({ job_id: marked.job.id });
  const { job } = await jobs.wait(
    { job_id: marked.job.id, conditions: [{ kind: "exit" }] },
    AbortSignal.timeout(20_000),
  );
  assert.deepEqual((await jobs.why({ job_id: job.id })).lines, ["blue"]);
});
