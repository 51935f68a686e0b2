import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { readdir, utimes, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { environHas, hasEnded, isAlive, listProcesses, readProcess } from "../platform/process.ts";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { isWarrenError } from "../protocol/errors.ts";
import { fileSays, until } from "../runs/run-fixture.ts";
import { ENV, JobsFixture } from "./jobs-fixture.ts";

const LONG = "exec sleep 100";
const code = (wanted: string) => (error: unknown) => isWarrenError(error, wanted);
const receipt = (type: string) => ({ id: `request-${type}`, type });
const typesOf = (fixture: JobsFixture): string[] => fixture.events.map(({ type }) => type);

test("receipts: a repeat of whatever changes something gets the first answer", async () => {
  await using fixture = await JobsFixture.make();
  const { jobs } = fixture;
  const added = await jobs.add(fixture.spec(LONG), receipt("add"));
  const { id } = added.job;
  const [first] = fixture.jobs.runs({ job_id: id }).runs;
  const repeat = await jobs.answerTo("request-add");
  assert.deepEqual([repeat?.action, (repeat?.job as { run_id: string }).run_id], ["created", first?.id]);
  assert.ok(!("$run" in (repeat ?? {})), "what the answer is made from stays inside");

  const env = fixture.spec("").env;
  const answers: Record<string, unknown> = {
    create: jobs.create(fixture.spec("true"), receipt("create")),
    signal: await jobs.signal({ job_id: id, signal: "CONT" }, receipt("signal")),
    restart: await jobs.restart({ job_id: id, env }, receipt("restart")),
    stop: await jobs.stop({ job_id: id }, receipt("stop")),
    start: await jobs.startJob({ job_id: id, env }, receipt("start")),
    stop_all: await jobs.stopAll({}, receipt("stop_all")),
    remove_run: await jobs.removeRun({ run_id: first?.id ?? "" }, receipt("remove_run")),
    remove: await jobs.remove({ job_id: id }, receipt("remove")),
    up: await jobs.up({ project: fixture.directory, jobs: [fixture.upSpec("web", LONG)] }, receipt("up")),
    down: await jobs.down({ project: fixture.directory }, receipt("down")),
    cleanup: await jobs.cleanup({}, receipt("cleanup")),
  };
  assert.deepEqual(
    [answers.stop_all, answers.cleanup],
    [{ stopped: 1 }, { ...(answers.cleanup as object), removed: 2 }],
  );
  for (const [type, answer] of Object.entries(answers)) {
    if (type === "restart" || type === "start") continue; // made from the run's row, which is gone with the job
    assert.deepEqual(await jobs.answerTo(`request-${type}`), JSON.parse(JSON.stringify(answer)), type);
  }
  assert.equal(await jobs.answerTo("request-start"), undefined);
  assert.equal(await jobs.answerTo("never-made"), undefined);
});

test("receipts: survive the generation, and are forgotten after a day", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(fixture.spec(LONG), receipt("add"));
  await fixture.reopen();
  assert.equal(((await fixture.jobs.answerTo("request-add"))?.job as { id: string }).id, job.id);
  fixture.jobs.store.forgetOldRequests(Date.now() + 23 * 3_600_000);
  assert.ok(await fixture.jobs.answerTo("request-add"));
  fixture.jobs.store.forgetOldRequests(Date.now() + 25 * 3_600_000);
  assert.equal(await fixture.jobs.answerTo("request-add"), undefined);
});

test("receipts: the answer to a start that failed is not kept", async () => {
  await using fixture = await JobsFixture.make();
  const spec = { ...fixture.spec(""), command: ["no-such-program"] };
  await assert.rejects(fixture.jobs.add(spec, receipt("add")), code("PROGRAM_NOT_FOUND"));
  assert.equal(await fixture.jobs.answerTo("request-add"), undefined);
  assert.deepEqual(await readdir(fixture.path("logs")), []);
});

test("start: on a full disk it fails and leaves nothing, and the job can be started when there is space", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = fixture.jobs.create(fixture.spec(LONG, { description: "x".repeat(9_000) }));
  const mark = `MARK=${fixture.directory}`;
  const env = [...fixture.spec("").env, mark];
  const pages = () => Number(fixture.database.prepare("pragma page_count").get()?.page_count);
  const begun = pages();
  await fixture.jobs.startJob({ job_id: job.id, env });
  await fixture.jobs.stop({ job_id: job.id });
  const perRun = Math.max(1, pages() - begun);
  const eventsBefore = fixture.events.length;
  let failure: unknown;
  // The start's own rows fit, the word that it runs does not.
  for (let attempt = 0; attempt < 8 && !failure; attempt++) {
    fixture.database.exec(`pragma max_page_count=${pages() + (attempt % perRun)}`);
    failure = await fixture.jobs.startJob({ job_id: job.id, env }).then(
      () => fixture.jobs.stop({ job_id: job.id }).then(() => undefined),
      (error) => error,
    );
  }
  assert.ok(failure, "the disk was full at some point of a start");
  assert.equal(fixture.jobs.runningCount, 0);
  const left = listProcesses().filter((info) => !hasEnded(info) && environHas(info.pid, mark));
  assert.deepEqual(left, [], "no process is left");
  fixture.database.exec("pragma max_page_count=1000000");
  assert.equal((await fixture.jobs.startJob({ job_id: job.id, env })).job.state, "running");
  assert.ok(fixture.events.length > eventsBefore);
});

test("start: one that is under way when the server lets go is taken up by the next", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = fixture.jobs.create(fixture.spec(LONG));
  const starting = fixture.jobs.startJob({ job_id: job.id, env: fixture.spec("").env });
  await Promise.resolve();
  fixture.jobs.close();
  await assert.rejects(starting);
  await fixture.open();
  const { state, pid } = fixture.jobs.get({ job_id: job.id }).job;
  assert.equal(state, "running");
  assert.ok(readProcess(pid));
});

test("stop: takes the tree, escalates after the grace, and a second stop with force does not wait for it", async () => {
  await using fixture = await JobsFixture.make();
  const stubborn = "trap '' TERM; echo up; while :; do sleep 0.01; done";
  const { job } = await fixture.jobs.add(fixture.spec(stubborn));
  await fileSays(job.stdout_path, (text) => text.includes("up"));
  const slow = fixture.jobs.stop({ job_id: job.id, grace_ms: 60_000 });
  const fast = fixture.jobs.stop({ job_id: job.id, force: true });
  assert.deepEqual(
    (await Promise.all([slow, fast])).map(({ job: { outcome } }) => outcome),
    Array(2).fill({ kind: "signalled", signal: "SIGKILL", status: 137, by: "user" }),
  );
  assert.equal((await fixture.jobs.stop({ job_id: job.id })).stopped, false);
});

test("stop: ends what a job left behind", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(fixture.spec("sleep 100 & echo $!"));
  await fixture.jobs.wait({ job_id: job.id, conditions: [{ kind: "exit" }] }, AbortSignal.timeout(20_000));
  const pid = Number((await fixture.jobs.why({ job_id: job.id })).lines[0]);
  const left = readProcess(pid);
  assert.ok(left, "it outlives its parent");
  assert.equal((await fixture.jobs.stop({ job_id: job.id })).stopped, false);
  const now = readProcess(pid);
  assert.ok(!now || now.startTicks !== left.startTicks || now.state === "Z");
});

test("restart: two at once take turns, and each ends with a run of its own", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(fixture.spec(LONG));
  const env = fixture.spec("").env;
  const answers = await Promise.all([1, 2].map(() => fixture.jobs.restart({ job_id: job.id, env })));
  assert.deepEqual(
    answers.map((answer) => answer.job.run_id),
    [`${job.id}-2`, `${job.id}-3`],
  );
  assert.equal(fixture.jobs.runningCount, 1);
  await assert.rejects(fixture.jobs.startJob({ job_id: job.id, env }), code("JOB_RUNNING"));
});

test("signal: reaches the job, and none that has ended", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(fixture.spec("trap 'exit 9' USR1; echo up; while :; do sleep 0.01; done"));
  await fileSays(job.stdout_path, (text) => text.includes("up"));
  const stopped = fixture.nextOf("job_stopped");
  assert.deepEqual(await fixture.jobs.signal({ job_id: job.id, signal: 10, leader: true }), {
    job_id: job.id,
    pid: job.pid,
    signal: 10,
    name: "SIGUSR1",
  });
  await stopped;
  assert.equal(fixture.jobs.get({ job_id: job.id }).job.exit_code, 9);
  await assert.rejects(fixture.jobs.signal({ job_id: job.id, signal: "TERM" }), code("JOB_NOT_RUNNING"));
  await assert.rejects(fixture.jobs.signal({ job_id: job.id, signal: "NOPE" }), code("UNKNOWN_SIGNAL"));
});

test("logs: a run has its own alone, whatever a killed server has left of a job that had the same id", async () => {
  await using fixture = await JobsFixture.make();
  const ended = (job_id: string) =>
    fixture.jobs.wait({ job_id, conditions: [{ kind: "exit" }] }, AbortSignal.timeout(20_000));
  const spec = fixture.spec("echo own; echo own >&2");
  const { job } = await fixture.jobs.add(spec);
  await ended(job.id);
  const left = [job.stdout_path, job.stderr_path, `${job.stdout_path}.dropped`].map((path) =>
    path.replace("-1.", "-2."),
  );
  for (const path of left) writeFileSync(path, "another's\n");
  await fixture.jobs.add(spec);
  await ended(job.id);
  const { job: again } = fixture.jobs.get({ job_id: job.id });
  assert.deepEqual([again.stdout_path, again.stderr_path], left.slice(0, 2));
  for (const path of left.slice(0, 2)) assert.equal(readFileSync(path, "utf8"), "own\n");
  assert.ok(!existsSync(left[2]!));
});

test("remove: only what does not run, with its logs; cleanup takes all of them and logs of nobody", async () => {
  await using fixture = await JobsFixture.make();
  const { jobs } = fixture;
  const running = (await jobs.add(fixture.spec(LONG))).job;
  await assert.rejects(jobs.remove({ job_id: running.id }), code("JOB_RUNNING"));
  await assert.rejects(jobs.removeRun({ run_id: running.run_id ?? "" }), code("RUN_RUNNING"));
  await assert.rejects(jobs.removeRun({ run_id: "0xx-9" }), code("RUN_NOT_FOUND"));
  const stopped = fixture.nextOf("job_stopped");
  await jobs.add(fixture.spec("echo x"));
  await stopped;
  await writeFile(fixture.path("logs/9zz-4.stdout.log"), "of nobody");
  await utimes(fixture.path("logs/9zz-4.stdout.log"), 0, 0);
  const counts = await jobs.cleanup({});
  assert.deepEqual([counts.removed, counts.runs, counts.orphaned_logs], [1, 1, 1]);
  assert.ok(counts.bytes > 0);
  const left = await readdir(fixture.path("logs"));
  assert.ok(
    left.every((name) => name.startsWith(`${running.run_id}.`)),
    left.join(" "),
  );
});

test("events: are numbered without a gap, in the order of what happened, and told after they are stored", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(fixture.spec(LONG));
  await fixture.jobs.stop({ job_id: job.id });
  await fixture.jobs.remove({ job_id: job.id });
  assert.deepEqual(typesOf(fixture), ["job_added", "run_started", "run_stopped", "job_stopped", "job_removed"]);
  assert.deepEqual(
    fixture.events.map(({ seq }) => seq),
    [1, 2, 3, 4, 5],
  );
  assert.deepEqual(
    fixture.events.map(({ data }) => data.running_job_count),
    [1, 1, 0, 0, 0],
  );
  assert.deepEqual(fixture.jobs.store.eventsAfter(0), fixture.events);
});

test("view: a job's time, numbers and paths are those of its newest run", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(fixture.spec("exit 3", { labels: { a: "b" } }));
  await fixture.jobs.wait({ job_id: job.id, conditions: [{ kind: "exit" }] }, AbortSignal.timeout(20_000));
  await fixture.jobs.add(fixture.spec("exit 3"));
  await fixture.jobs.wait({ job_id: job.id, conditions: [{ kind: "exit" }] }, AbortSignal.timeout(20_000));
  const view = fixture.jobs.get({ job_id: job.id }).job;
  assert.deepEqual(
    [view.run_id, view.run_count, view.failure_count, view.success_rate, view.exit_code, view.labels, view.pid],
    [`${job.id}-2`, 2, 2, 0, 3, { a: "b" }, 0],
  );
  assert.ok(view.stdout_path.endsWith(`${view.run_id}.stdout.log`));
  const { runs } = fixture.jobs.runs({ job_id: job.id, limit: 1 });
  assert.deepEqual([runs.length, runs[0]?.state, runs[0]?.exit_code], [1, "ended", 3]);
});

test("nuke: ends and removes everything", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(fixture.spec("trap '' TERM; sleep 100", { restart: { when: "always" } }));
  fixture.jobs.create(fixture.spec("other"));
  const identity = fixture.jobs.store.run(job.run_id ?? "");
  const counts = await fixture.jobs.nuke({ grace_ms: 0 });
  assert.deepEqual(counts, { stopped: 1, removed: 2, survivors: [] });
  assert.equal(fixture.jobs.isIdle, true);
  assert.equal(isAlive({ bootId: identity?.bootId ?? "", pid: job.pid, startTicks: identity?.jobTicks ?? 0 }), false);
});

test("environment: that of a job which is killed before it takes it is not left behind", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(fixture.spec("exec sleep 100", { env: [...ENV, "A.B=secret"] }));
  await fixture.jobs.stop({ job_id: job.id, force: true });
  await until(() => readdirSync(fixture.path("status")).length === 0, "an empty folder");
});

test("receipts: old ones are forgotten also by a server that lives for months", async () => {
  const clock = new HandClock({ wallMs: Date.now() });
  await using fixture = await JobsFixture.make({ clock });
  const spec = fixture.spec("true");
  fixture.jobs.create(spec, { id: "old", type: "create" });
  clock.leap(25 * 3_600_000);
  for (let at = 0; at < 100; at++) fixture.jobs.create(spec, { id: `new-${at}`, type: "create" });
  assert.equal(await fixture.jobs.answerTo("old"), undefined);
  assert.ok(await fixture.jobs.answerTo("new-0"));
});
