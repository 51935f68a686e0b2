import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { bootId, isAlive, readProcess } from "../platform/process.ts";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { launch } from "../runs/launch.ts";
import { logPaths } from "../runs/logs/files.ts";
import { fileSays, until } from "../runs/run-fixture.ts";
import { prepareStatusFile } from "../runs/status-file.ts";
import { NO_RUNS } from "./history.ts";
import { JobsFixture, placesIn } from "./jobs-fixture.ts";
import { BLANK_RUN, type JobRecord, type RunRecord } from "./records.ts";

/** A generation that is killed: what it does not say to its successor is not said. */
class Generation implements AsyncDisposable {
  readonly #child;
  readonly #lines;

  constructor(directory: string) {
    const script = new URL("./jobs-process-fixture.ts", import.meta.url).pathname;
    this.#child = spawn(process.execPath, [script, directory], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  tell(method: string, payload: unknown, receipt?: unknown): void {
    this.#child.stdin.write(`${JSON.stringify({ method, payload, receipt })}\n`);
  }

  async answer() {
    const { value } = await this.#lines.next();
    return JSON.parse(value ?? "null");
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, "exit");
    if (this.#child.kill("SIGKILL")) await ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

/** A directory with a database, and nobody who looks after it. */
async function abandoned(clock?: HandClock): Promise<JobsFixture> {
  const fixture = await JobsFixture.make(clock ? { clock } : {});
  fixture.jobs.close();
  fixture.prepare();
  return fixture;
}

const jobRow = (fixture: JobsFixture, extra: Partial<JobRecord> = {}): JobRecord => ({
  id: "1aa",
  name: null,
  project: fixture.directory,
  command: ["sleep", "100"],
  workdir: fixture.directory,
  options: {},
  stats: NO_RUNS,
  nextRunNumber: 2,
  wanted: "down",
  restartCount: 0,
  restartAtMs: null,
  env: null,
  createdAtMs: Date.now(),
  ...extra,
});

const runRow = (extra: Partial<RunRecord> = {}): RunRecord => ({
  ...BLANK_RUN,
  id: "1aa-1",
  jobId: "1aa",
  number: 1,
  tag: process.pid * 1000 + 7,
  startedAtMs: Date.now(),
  ...extra,
});

const statusPath = (fixture: JobsFixture): string => fixture.path("status/1aa-1.1.status");

test("adoption: after SIGKILL what runs is the same, what ended is told as it was, what was being stopped is stopped", async () => {
  await using fixture = await abandoned();
  await using first = new Generation(fixture.directory);
  assert.equal(await first.answer(), "ready");
  first.tell("add", fixture.spec("exec sleep 100"));
  const running = (await first.answer()).job;
  first.tell("add", fixture.spec("while ! test -e gate; do sleep 0.01; done; exit 3"));
  const ending = (await first.answer()).job;
  const stubborn = `trap 'echo told' USR1; trap 'echo wrong' TERM; echo up; while :; do sleep 0.01; done`;
  first.tell("add", fixture.spec(stubborn, { stop_signal: "SIGUSR1" }));
  const stopping = (await first.answer()).job;
  await fileSays(stopping.stdout_path, (text) => text.includes("up"));
  first.tell("stop", { job_id: stopping.id, grace_ms: 600 });
  await fileSays(stopping.stdout_path, (text) => text.includes("told"));
  await first.kill();
  await writeFile(fixture.path("gate"), "");
  await fileSays(fixture.path(`status/${ending.run_id}.1.status`), (text) => text.includes("exit 3"));

  const stopped = fixture.nextOf("run_stopped", stopping.id);
  await fixture.takeUp();
  const after = (id: string) => fixture.jobs.get({ job_id: id }).job;
  assert.deepEqual([after(running.id).pid, after(running.id).state], [running.pid, "running"]);
  assert.deepEqual([after(ending.id).state, after(ending.id).outcome], ["ended", { kind: "exited", status: 3 }]);
  assert.equal(after(ending.id).failure_count, 1);
  await stopped;
  assert.deepEqual(after(stopping.id).outcome, { kind: "signalled", signal: "SIGKILL", status: 137, by: "user" });
  assert.doesNotMatch(
    await readFile(stopping.stdout_path, "utf8"),
    /wrong/,
    "the signal is the one that was asked for",
  );

  const { pid, outcome } = (await fixture.jobs.stop({ job_id: running.id })).job;
  assert.deepEqual([pid, outcome], [0, { kind: "signalled", signal: "SIGTERM", status: 143, by: "user" }]);
  assert.deepEqual(await readdir(fixture.path("status")), []);
});

test("adoption: a start that was confirmed by its process goes on and is told of", async () => {
  await using fixture = await abandoned();
  fixture.jobs.store.insertJob(jobRow(fixture));
  fixture.jobs.store.insertRun(runRow());
  fixture.jobs.store.answer({ id: "r1", type: "add" }, Date.now(), { $run: "1aa-1", $job: "1aa", action: "created" });
  const { stdoutPath, stderrPath } = logPaths(placesIn(fixture.directory).logsDir, "1aa-1");
  const launched = await launch({
    runId: "1aa-1",
    unit: "1aa",
    command: ["sleep", "100"],
    workdir: fixture.directory,
    env: fixture.spec("").env,
    stdoutPath,
    stderrPath,
    statusPath: statusPath(fixture),
    tag: runRow().tag,
  });
  await fixture.takeUp();
  const { job } = fixture.jobs.get({ job_id: "1aa" });
  assert.deepEqual([job.pid, job.state], [launched.job.pid, "running"]);
  assert.deepEqual(
    fixture.events.map(({ type }) => type),
    ["job_added", "run_started"],
  );
  assert.equal((await fixture.jobs.answerTo("r1"))?.action, "created");
});

test("adoption: a start of which nothing runs is taken back with its job and the answer to its request", async () => {
  await using fixture = await abandoned();
  fixture.jobs.store.insertJob(jobRow(fixture));
  fixture.jobs.store.insertRun(runRow());
  fixture.jobs.store.answer({ id: "r1", type: "add" }, Date.now(), { $run: "1aa-1", $job: "1aa", action: "created" });
  fixture.jobs.store.answer({ id: "r2", type: "add" }, Date.now(), { $run: "1aa-11", $job: "1aa", action: "created" });
  await (await prepareStatusFile(statusPath(fixture))).close();
  await fixture.takeUp();
  assert.deepEqual(fixture.jobs.list({}).jobs, []);
  assert.equal(await fixture.jobs.answerTo("r1"), undefined);
  assert.equal(fixture.jobs.store.answerOf("r2")?.$run, "1aa-11", "another run's answer stays");
  assert.equal(existsSync(statusPath(fixture)), false);
  assert.deepEqual(fixture.events, [], "what never was is not told of");
});

test("adoption: the first start of a job that was there before is taken back without the job", async () => {
  await using fixture = await abandoned();
  fixture.jobs.store.insertJob(jobRow(fixture, { name: "web" }));
  fixture.jobs.store.insertRun(runRow());
  fixture.jobs.store.answer({ id: "r1", type: "start" }, Date.now(), { $run: "1aa-1", $job: "1aa", action: "started" });
  await fixture.takeUp();
  const { job } = fixture.jobs.get({ job_id: "web" });
  assert.deepEqual([job.state, job.run_count], ["created", 0]);
  const again = await fixture.jobs.startJob({ job_id: "web", env: fixture.spec("").env }, { id: "r1", type: "start" });
  assert.equal(again.job.run_id, "1aa-1");
});

test("adoption: a run of an earlier boot is lost, unless it wrote down how it ended", async () => {
  await using fixture = await abandoned();
  const me = readProcess(process.pid);
  const earlier = {
    state: "running" as const,
    bootId: "00000000-0000-0000-0000-000000000000",
    jobPid: process.pid,
    jobTicks: me?.startTicks ?? 0,
    shimPid: process.pid,
    shimTicks: me?.startTicks ?? 0,
  };
  const { store } = fixture.jobs;
  store.insertJob(jobRow(fixture, { wanted: "up", env: [], options: { restart: { when: "always" } } }));
  store.insertRun(runRow(earlier));
  store.insertJob(jobRow(fixture, { id: "2bb", command: ["true"] }));
  store.insertRun(runRow({ ...earlier, id: "2bb-1", jobId: "2bb" }));
  await writeFile(fixture.path("status/2bb-1.1.status"), "exit 4\n");
  await fixture.takeUp();
  const [lost, ended] = ["1aa", "2bb"].map((job_id) => fixture.jobs.get({ job_id }).job);
  assert.deepEqual(lost?.outcome, { kind: "lost", reason: "the machine restarted" });
  assert.deepEqual([lost?.state, fixture.record("1aa").wanted], ["ended", "down"]);
  assert.deepEqual(ended?.outcome, { kind: "exited", status: 4 });
  assert.equal(fixture.runCountOf("1aa"), 1);
});

test("adoption: a run whose shim was killed meanwhile is watched by its own process, and lost at its end", async () => {
  await using fixture = await JobsFixture.make();
  const { job } = await fixture.jobs.add(fixture.spec("while ! test -e gate; do sleep 0.01; done"));
  fixture.jobs.close();
  fixture.prepare();
  const run = fixture.jobs.store.run(job.run_id ?? "");
  const shim = { bootId: bootId(), pid: run?.shimPid ?? 0, startTicks: run?.shimTicks ?? 0 };
  process.kill(shim.pid, "SIGKILL");
  await until(() => !isAlive(shim), "the end of the shim");
  await fixture.takeUp();
  assert.deepEqual([fixture.jobs.get({ job_id: job.id }).job.state], ["running"]);
  assert.match((await fixture.jobs.findings())[0]?.text ?? "", /shim of run .* was killed/);
  const stopped = fixture.nextOf("job_stopped", job.id);
  await writeFile(fixture.path("gate"), "");
  await stopped;
  assert.deepEqual(fixture.jobs.get({ job_id: job.id }).job.outcome, { kind: "lost", reason: "shim killed" });
});

test("adoption: a time limit goes on; a clock that was set back gives no more than the whole of it", async () => {
  const clock = new HandClock({ wallMs: Date.now() });
  await using fixture = await JobsFixture.make({ clock });
  await fixture.jobs.add(fixture.spec("exec sleep 100", { timeout_ms: 60_000 }));
  assert.deepEqual(
    clock.delays.filter((ms) => ms > 2_000),
    [60_000],
  );
  clock.leap(20_000);
  await fixture.reopen();
  assert.deepEqual(
    clock.delays.filter((ms) => ms > 2_000),
    [40_000],
  );
  clock.jumpWall(-3_600_000);
  await fixture.reopen();
  assert.deepEqual(
    clock.delays.filter((ms) => ms > 2_000),
    [60_000],
  );
  const stopped = fixture.nextOf("job_stopped");
  clock.leap(60_000);
  const { outcome } = (await stopped).data.job as { outcome: { by: string } };
  assert.equal(outcome.by, "timeout");
});
