import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../src/client/client.ts";
import { messageOf } from "../../src/protocol/errors.ts";
import type { Job } from "../../src/protocol/units.ts";
import type { Random } from "../harness/random.ts";
import { waitUntil } from "../harness/wait-until.ts";
import { assertAsPlanned, hasSaidAll, type Planned, plan } from "../harness/workload.ts";
import { type Ground, type Part, pause, rounds } from "./ground.ts";

/** Short jobs one after another, each checked to the byte when it has ended and again at the end, and long ones that are there all the time. */
const LANES = 3;
const STEPS_MAX = 8;
const PAUSE_MS_MAX = 500;
/** Ended ones that stay; older ones are removed, so that what grows is a leak and not a list. */
const KEPT = 100;
const LONG = 3;
const LOUD_LOG_BYTES = 1024 * 1024;
const LAST_WORDS_MS = 60_000;

const ORPHANED = "server killed while it removes a job: its log is there until cleanup";

const LONG_SCRIPT = 'n=0; while :; do n=$((n+1)); echo "line $n"; echo "error $n" >&2; sleep 0.5; done';
/** Some 50 KB a second into a log of a mebibyte. */
const LOUD_SCRIPT =
  'n=0; while :; do i=0; while [ $i -lt 100 ]; do i=$((i+1)) n=$((n+1)); echo "line $n"; done; sleep 0.05; done';

interface Done {
  planned: Planned;
  jobId: string;
}

export class Jobs implements Part {
  readonly name = "jobs";
  readonly #ground: Ground;
  readonly #client: Client;
  readonly #dir: string;
  readonly #random: Random;
  readonly #kept: Done[] = [];
  #long: Job[] = [];
  #loud: Job | undefined;
  #index = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#client = ground.house.client();
    this.#dir = join(ground.house.dir, "jobs");
    this.#random = ground.random;
  }

  async open(): Promise<void> {
    mkdirSync(this.#dir);
    for (let at = 0; at < LONG; at++) this.#long.push(await this.#start(["sh", "-c", LONG_SCRIPT, `long-${at}`]));
    this.#loud = await this.#start(["sh", "-c", LOUD_SCRIPT, "loud"], LOUD_LOG_BYTES);
  }

  async work(): Promise<void> {
    const lanes = Array.from({ length: LANES }, () => rounds(this.#ground, this.name, () => this.#oneByClient()));
    await Promise.all([...lanes, rounds(this.#ground, this.name, () => this.#oneByCommand())]);
  }

  say(): string {
    return `jobs ${this.#ground.ledger.count("jobs")}`;
  }

  async check(): Promise<void> {
    const { jobs } = await this.#client.request("list", { workdir: this.#dir });
    const known = new Map(jobs.map((job) => [job.id, job]));
    for (const { planned, jobId } of this.#kept) {
      const job = known.get(jobId);
      assert.ok(job, `job ${planned.index} is known`);
      assertAsPlanned(job, planned);
    }
    assert.equal(jobs.length, this.#kept.length + LONG + 1, "those that were kept, and no other");
    for (const job of [...this.#long, this.#loud!]) await this.#checkLong(job);
    await this.#client.request("cleanup", {});
    const left = readdirSync(this.#ground.house.places.logsDir).filter((name) => /\.(log|order)$/.test(name));
    assert.deepEqual(left.filter(isOfRun), [], "cleanup leaves no log of a run");
  }

  async #start(command: string[], log_max_bytes?: number): Promise<Job> {
    const { job, action } = await this.#client.request("add", {
      command,
      workdir: this.#dir,
      env: [`PATH=${this.#ground.house.env.PATH}`, `WARREN_HOME=${this.#ground.house.home}`],
      ...(log_max_bytes === undefined ? {} : { log_max_bytes }),
    });
    assert.equal(action, "created", `${command.slice(3).join(" ")} was started once`);
    return job;
  }

  #next(): Planned {
    return plan({ index: this.#index++, random: this.#random, stepsMax: STEPS_MAX });
  }

  async #oneByClient(): Promise<void> {
    const planned = this.#next();
    const { id } = await this.#start(planned.command);
    if (planned.end.kind === "is stopped") {
      await this.#lastWords(planned, id);
      await this.#client.request("stop", { job_id: id });
    } else await this.#client.request("wait", { job_id: id, conditions: [{ kind: "exit" }] });
    await this.#done({ planned, jobId: id });
  }

  /** As a person does: a process each. */
  async #oneByCommand(): Promise<void> {
    const planned = this.#next();
    const { house } = this.#ground;
    if (planned.end.kind === "is stopped") {
      const added = await house.warren(["add", "--json", "--", ...planned.command], { cwd: this.#dir });
      assert.equal(added.status, 0, added.stderr);
      const { job } = JSON.parse(added.stdout) as { job: Job };
      await this.#lastWords(planned, job.id);
      const stopped = await house.warren(["stop", job.id]);
      assert.equal(stopped.status, 0, stopped.stderr);
      return this.#done({ planned, jobId: job.id });
    }
    const run = await house.warren(["run", "--quiet", "--", ...planned.command], { cwd: this.#dir });
    assert.equal(run.status, planned.end.status, `job ${planned.index}: status of warren run: ${run.stderr}`);
    const { jobs } = await this.#client.request("list", { workdir: this.#dir });
    const job = jobs.find(({ command }) => command[4] === String(planned.index));
    assert.ok(job, `job ${planned.index} is known`);
    await this.#done({ planned, jobId: job.id });
  }

  async #lastWords(planned: Planned, jobId: string): Promise<void> {
    const { job } = await this.#client.request("get_job", { job_id: jobId });
    const sizes = () => ({ stdout: sizeOf(job.stdout_path), stderr: sizeOf(job.stderr_path) });
    try {
      await waitUntil(() => hasSaidAll(planned, sizes()), {
        what: `the last words of job ${planned.index}`,
        deadlineMs: LAST_WORDS_MS,
        everyMs: 20,
      });
    } catch (error) {
      const { stdout, stderr } = sizes();
      const found = `${stdout} of ${planned.stdout.length} and ${stderr} of ${planned.stderr.length} bytes`;
      const { job: now } = await this.#client.request("get_job", { job_id: jobId });
      throw new Error(`${messageOf(error)}: ${found}; then ${JSON.stringify(job)}, now ${JSON.stringify(now)}`);
    }
  }

  async #done(done: Done): Promise<void> {
    const { job } = await this.#client.request("get_job", { job_id: done.jobId });
    assertAsPlanned(job, done.planned);
    this.#ground.ledger.add("jobs");
    this.#kept.push(done);
    while (this.#kept.length > KEPT) await this.#remove(this.#kept.shift()!);
    await pause(this.#random.between(0, PAUSE_MS_MAX), this.#ground.over);
  }

  async #remove({ planned, jobId }: Done): Promise<void> {
    const { job } = await this.#client.request("get_job", { job_id: jobId });
    assertAsPlanned(job, planned);
    const { incidents, ledger } = this.#ground;
    const beganMs = incidents.nowMs();
    await this.#client.request("remove", { job_id: jobId });
    if (!existsSync(job.stdout_path)) return;
    assert.ok(
      incidents.within(["server"], beganMs, incidents.nowMs()),
      `job ${planned.index} is removed, its log is not`,
    );
    ledger.allow(ORPHANED);
  }

  /** The same process all the time; its lines follow each other to the last. */
  async #checkLong({ id, pid, command, stdout_path }: Job): Promise<void> {
    const said = command[3] ?? id;
    const { job: running } = await this.#client.request("get_job", { job_id: id });
    assert.deepEqual(
      [running.status, running.pid, running.run_count],
      ["running", pid, 1],
      `${said}: the same process`,
    );
    const { job } = await this.#client.request("stop", { job_id: id });
    assert.deepEqual(job.outcome, { kind: "signalled", signal: "SIGTERM", status: 143, by: "user" }, said);
    if (said === "loud") this.#checkCap(stdout_path);
    else checkLines(readFileSync(stdout_path, "latin1"), 1, said);
  }

  /** The oldest bytes have gone, the newest are whole. */
  #checkCap(path: string): void {
    const { blocks } = statSync(path);
    assert.ok(blocks * 512 <= LOUD_LOG_BYTES * 2, `the log of the loud job takes ${blocks * 512} bytes`);
    const tail = readFileSync(path, "latin1").slice(-LOUD_LOG_BYTES / 4);
    const whole = tail.slice(tail.indexOf("\n") + 1);
    checkLines(whole, Number(/^line (\d+)/.exec(whole)?.[1]), "loud");
  }
}

/** Line by line from a number on; the last one may be cut by the signal. */
export function checkLines(text: string, first: number, what: string): void {
  const lines = text.slice(0, text.lastIndexOf("\n")).split("\n");
  const wrong = lines.findIndex((line, at) => line !== `line ${first + at}`);
  assert.equal(
    wrong,
    -1,
    `${what}: line ${first + wrong} says ${JSON.stringify(lines[wrong])} (${lines.length} lines)`,
  );
}

/** Not the keeper's own. */
const isOfRun = (name: string): boolean => !name.startsWith("keeper");

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
