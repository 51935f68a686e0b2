import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { bootId, readProcess, signalName, signalNumber } from "../platform/process.ts";
import { isWarrenError, WarrenError } from "../protocol/errors.ts";
import type { DataOf, NewJob, PayloadOf, UpJob } from "../protocol/messages.ts";
import { NAME_PATTERN } from "../protocol/names.ts";
import type { Job, Run } from "../protocol/units.ts";
import { stopTree } from "../runs/stop.ts";
import { Desire } from "./desire.ts";
import * as errors from "./errors.ts";
import { NO_RUNS } from "./history.ts";
import { newJobId } from "./job-id.ts";
import { Ledger } from "./ledger.ts";
import type { LiveRun } from "./live-run.ts";
import { findJob } from "./lookup.ts";
import { Observer } from "./observer.ts";
import { Readiness } from "./readiness.ts";
import type { EventRecord, JobOptions, JobRecord, RunCause, RunRecord } from "./records.ts";
import { removeLogs, sweepOrphans } from "./removal.ts";
import { Runner, type StopOptions } from "./runner.ts";
import { JobStore } from "./store.ts";
import { type ViewContext, viewJob, viewRun } from "./views.ts";
import { waitFor } from "./wait.ts";
import { whyReport } from "./why.ts";

/**
 * The jobs of a home: what the messages about jobs do. A job is a command in a directory; starting a known one makes a new run of it.
 *
 * Invariants
 * 1. One live run per job. Starts and removals of a job take turns; a stop does not wait its turn, it ends what runs.
 * 2. A request that changes something stores its answer in the transaction of its effect; a repeat is answered from there.
 * 3. `success` comes after the effect: a start answers when the process exists, a stop when the tree is gone.
 */
export interface JobsOptions {
  database: ConstructorParameters<typeof JobStore>[0];
  statusDir: string;
  logsDir: string;
  nodePath: string;
  server: string;
  clock: Clock;
  log: Log;
  random?: () => number;
  emit: (event: EventRecord) => void;
  /** Default grace between SIGTERM and SIGKILL. */
  graceMs?: number;
  /** Default cap of each of a run's two logs. */
  logMaxBytes: number;
  freeSpaceFloorBytes: number;
}

/** What a job is asked to be; `env` is no part of it. */
type JobSpec = PayloadOf<"create">;

/** The client's mark on a request that changes something. */
export interface Receipt {
  id: string;
  type: string;
}

export type StartAction = "created" | "started" | "already_running";

const GRACE_MS = 10_000;

export class Jobs {
  readonly #store: JobStore;
  readonly #ledger: Ledger;
  readonly #runner: Runner;
  readonly #desire: Desire;
  readonly #readiness: Readiness;
  readonly #observer: Observer;
  readonly #options: JobsOptions;
  readonly #over = new AbortController();
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(options: JobsOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#store = new JobStore(options.database);
    this.#ledger = new Ledger({
      store: this.#store,
      clock,
      emit: options.emit,
      describe: (job, run) => this.#describe(job, run),
    });
    this.#runner = new Runner(
      {
        ...options,
        store: this.#store,
        ledger: this.#ledger,
        onEnded: (job, run, outcome) => this.#desire.afterEnd(job, run, outcome),
      },
      this.#over.signal,
    );
    this.#desire = new Desire({
      store: this.#store,
      ledger: this.#ledger,
      runner: this.#runner,
      clock,
      log,
      random: options.random ?? Math.random,
      start: (job, env, cause) => this.#inTurn(job.id, () => this.#startRun(job.id, env, cause)),
    });
    this.#readiness = new Readiness({
      logsDir: options.logsDir,
      clock,
      onReady: (run, job) => {
        this.#runner.markReady(run, job);
        this.#desire.reconcileDependents(job);
      },
      onLate: (run) => void this.#stopLive(run, { by: "timeout", graceMs: this.#graceOf(run) }),
    });
    this.#observer = new Observer({
      store: this.#store,
      ledger: this.#ledger,
      runner: this.#runner,
      clock,
      log,
      logsDir: options.logsDir,
      logMaxBytes: options.logMaxBytes,
      freeSpaceFloorBytes: options.freeSpaceFloorBytes,
      stop: (run, by) => void this.#stopLive(run, { by, graceMs: this.#graceOf(run) }),
    });
  }

  /** Takes up what runs, goes on with what is wanted. Resolves when the jobs are as the rows say. */
  async start(): Promise<void> {
    this.#store.forgetOldRequests(this.#options.clock.wallMs());
    await this.#runner.adopt();
    for (const run of this.#runner.live) this.#afterStart(run);
    this.#observer.start(this.#over.signal);
    this.#desire.resume();
  }

  /** Lets go of everything; runs go on. */
  close(): void {
    this.#over.abort();
    this.#store.close();
  }

  get store(): JobStore {
    return this.#store;
  }

  get runningCount(): number {
    return this.#runner.liveCount;
  }

  /** Nothing runs, and nothing is planned. */
  get isIdle(): boolean {
    return this.#runner.liveCount === 0 && this.#store.jobsWanted().length === 0;
  }

  /** The answer to a request that was made before, once its effect is complete. */
  async answerTo(requestId: string): Promise<Record<string, unknown> | undefined> {
    const answer = this.#store.answerOf(requestId);
    if (!answer?.$run) return answer;
    const { $run: runId, $job: jobId, ...rest } = answer;
    const live = this.#runner.ofJob(String(jobId));
    if (live?.id === runId) await live.started;
    const job = this.#store.job(String(jobId));
    return job && this.#store.answerOf(requestId) ? { ...rest, job: this.view(job) } : undefined;
  }

  async add(spec: NewJob, receipt?: Receipt): Promise<{ job: Job; action: StartAction }> {
    for (;;) {
      const { job, isNew } = this.#define(spec);
      if (job.options.blocked) throw errors.jobBlocked(job.id, job.options.description);
      const result = await this.#inTurn(job.id, async () => {
        const live = this.#runner.ofJob(job.id);
        if (live && (await live.started)) return this.#alreadyRunning(job.id, receipt);
        const action = isNew ? "created" : "started";
        const known = this.#store.job(job.id);
        if (!known && !isNew) return undefined; // removed, or a first start that failed, while we waited for our turn
        return this.#startRun(job.id, spec.env, "user", { receipt, action, ...(isNew ? { insert: job } : {}) });
      });
      if (result) return result;
    }
  }

  create(spec: PayloadOf<"create">, receipt?: Receipt): { job: Job } {
    const { job, isNew } = this.#define(spec);
    const stored: JobRecord = { ...job, env: job.options.autostart && spec.env ? spec.env : job.env };
    return this.#ledger.commit((tell) => {
      if (isNew) this.#store.insertJob(stored);
      else this.#store.updateJob(stored);
      tell(isNew ? "job_added" : "job_updated", stored, this.#store.latestRun(stored.id));
      return this.#answer(receipt, { job: this.view(stored) });
    });
  }

  async startJob({ job_id, workdir, env }: PayloadOf<"start">, receipt?: Receipt): Promise<{ job: Job }> {
    const job = this.find(job_id, workdir);
    if (job.options.blocked) throw errors.jobBlocked(job.id, job.options.description);
    return this.#inTurn(job.id, async () => {
      if (this.#runner.ofJob(job.id)) throw errors.jobRunning(job.id);
      return this.#startRun(job.id, this.#environment(job, env), "user", { receipt });
    });
  }

  /** Two restarts at once take turns: the second restarts what the first one started. */
  async restart(
    { job_id, workdir, env, force, grace_ms }: PayloadOf<"restart">,
    receipt?: Receipt,
  ): Promise<{ job: Job }> {
    const job = this.find(job_id, workdir);
    if (job.options.blocked) throw errors.jobBlocked(job.id, job.options.description);
    const environment = this.#environment(job, env);
    return this.#inTurn(job.id, async () => {
      const live = this.#runner.ofJob(job.id);
      if (live) await this.#end(live, { by: "stop", force: force === true, graceMs: grace_ms ?? this.#graceOf(live) });
      const current = this.#store.job(job.id);
      if (!current) throw errors.jobNotFound(job.id);
      this.#store.transaction(() => this.#store.updateJob({ ...current, restartCount: 0, restartAtMs: null }));
      return this.#startRun(job.id, environment, "user", { receipt });
    });
  }

  async stop({ job_id, workdir, force, grace_ms }: PayloadOf<"stop">, receipt?: Receipt): Promise<DataOf<"stop">> {
    const job = this.find(job_id, workdir);
    this.#unwant(job.id);
    const live = this.#runner.ofJob(job.id);
    let pid = 0;
    if (live) {
      await live.started;
      pid = live.record.jobPid ?? 0;
      await this.#end(live, { by: "user", force: force === true, graceMs: grace_ms ?? this.#graceOf(live) });
    } else await this.#endLeftovers(job, force === true);
    const answer = {
      job_id: job.id,
      pid,
      force: force === true,
      stopped: live !== undefined,
      job: this.view(this.#store.job(job.id) ?? job),
    };
    return this.#store.transaction(() => this.#answer(receipt, answer));
  }

  /** Resolves with how many it stopped; those that survive SIGKILL are an error of `stop`, here they are counted out. */
  async stopAll({ workdir, force, grace_ms }: PayloadOf<"stop_all">, receipt?: Receipt): Promise<{ stopped: number }> {
    const jobs = this.#store.jobs(workdir);
    const results = await Promise.allSettled(
      jobs
        .filter(({ id, wanted }) => this.#runner.ofJob(id) || wanted === "up")
        .map(({ id }) => this.stop({ job_id: id, force, grace_ms })),
    );
    const stopped = results.filter((result) => result.status === "fulfilled" && result.value.stopped).length;
    return this.#store.transaction(() => this.#answer(receipt, { stopped }));
  }

  async signal({ job_id, workdir, signal, leader }: PayloadOf<"signal">, receipt?: Receipt): Promise<DataOf<"signal">> {
    const number = signalNumber(signal);
    const name = signalName(number);
    const job = this.find(job_id, workdir);
    const live = this.#runner.ofJob(job.id);
    if (!live || !(await live.started)) throw errors.jobNotRunning(job.id);
    try {
      this.#runner.signal(live, name, { leader: leader === true });
    } catch (error) {
      throw isWarrenError(error, "RUN_NOT_RUNNING") ? errors.signalGone(job.id) : error;
    }
    const answer = { job_id: job.id, pid: live.record.jobPid ?? 0, signal: number, name };
    return this.#store.transaction(() => this.#answer(receipt, answer));
  }

  async remove({ job_id, workdir }: PayloadOf<"remove">, receipt?: Receipt): Promise<DataOf<"remove">> {
    const job = this.find(job_id, workdir);
    return this.#inTurn(job.id, async () => {
      if (this.#runner.ofJob(job.id)) throw errors.cannotRemoveRunning(job.id);
      const pid = this.#store.latestRun(job.id)?.jobPid ?? 0;
      const answer = { job_id: job.id, pid };
      await this.#removeJob(job, () => this.#answer(receipt, answer));
      return answer;
    });
  }

  async removeRun({ run_id }: PayloadOf<"remove_run">, receipt?: Receipt): Promise<DataOf<"remove_run">> {
    const run = this.#store.run(run_id);
    if (!run) throw errors.runNotFound(run_id);
    if (run.state !== "ended") throw errors.cannotRemoveRunningRun(run_id);
    this.#ledger.commit((tell) => {
      const job = this.#store.job(run.jobId);
      this.#store.deleteRun(run_id);
      if (job) tell("run_removed", job, run);
      this.#answer(receipt, { run_id });
    });
    await removeLogs(this.#options.logsDir, [run_id]);
    return { run_id };
  }

  async cleanup({ workdir }: PayloadOf<"cleanup">, receipt?: Receipt): Promise<DataOf<"cleanup">> {
    const counts = { removed: 0, runs: 0, orphaned_logs: 0, bytes: 0 };
    for (const job of this.#store.jobs(workdir)) {
      await this.#inTurn(job.id, async () => {
        if (this.#runner.ofJob(job.id) || this.#store.job(job.id)?.wanted !== "down") return;
        const removed = await this.#removeJob(job, () => {});
        counts.removed += 1;
        counts.runs += removed.runs;
        counts.bytes += removed.bytes;
      });
    }
    const orphans = await sweepOrphans(this.#options.logsDir, this.#store.runIds());
    counts.orphaned_logs = orphans.files;
    counts.bytes += orphans.bytes;
    return this.#store.transaction(() => this.#answer(receipt, counts));
  }

  /** Stops everything and removes it. */
  async nuke({ grace_ms }: PayloadOf<"nuke">): Promise<DataOf<"nuke">> {
    const { stopped } = await this.stopAll({ grace_ms });
    const survivors: number[] = [];
    for (const run of this.#runner.live) {
      survivors.push(...(await this.#stopLive(run, { by: "user", force: true, graceMs: 0 })));
    }
    const { removed } = await this.cleanup({});
    return { stopped, removed, survivors };
  }

  find(ref: string, workdir?: string): JobRecord {
    return findJob(this.#store, ref, { workdir, server: this.#options.server });
  }

  list({ workdir, owner_pid }: PayloadOf<"list">): { jobs: Job[] } {
    const jobs = this.#store
      .jobs(workdir)
      .filter((job) => owner_pid === undefined || job.options.owner?.pid === owner_pid);
    this.#observer.refresh();
    return { jobs: jobs.map((job) => this.view(job)) };
  }

  get({ job_id, workdir }: PayloadOf<"get_job">): { job: Job } {
    this.#observer.refresh();
    return { job: this.view(this.find(job_id, workdir)) };
  }

  runs({ job_id, workdir, limit }: PayloadOf<"runs">): { runs: Run[]; job: Job } {
    const job = this.find(job_id, workdir);
    const live = this.#runner.ofJob(job.id)?.record;
    const runs = this.#store
      .runsOfJob(job.id, limit)
      .map((run) => viewRun(run.id === live?.id ? live : run, this.#context()));
    return { runs, job: this.view(job) };
  }

  ports({ job_id, workdir }: PayloadOf<"ports">): DataOf<"ports"> {
    if (job_id !== undefined) return { ports: this.#observer.portsOf(this.find(job_id, workdir)) };
    const running = this.#store.jobs(workdir).filter(({ id }) => this.#runner.ofJob(id));
    return { ports: running.map((job) => this.#observer.portsOf(job)) };
  }

  async why({ job_id, workdir, lines }: PayloadOf<"why">): Promise<DataOf<"why">> {
    const job = this.find(job_id, workdir);
    this.#observer.refresh();
    const runs = this.#store.runsOfJob(job.id, 20);
    return whyReport({
      job: this.view(job),
      runs: runs.map((run) => viewRun(run, this.#context())),
      lineCount: lines ?? 20,
    });
  }

  wait(payload: PayloadOf<"wait">, signal: AbortSignal): Promise<DataOf<"wait">> {
    const job = this.find(payload.job_id, payload.workdir);
    return waitFor({
      jobId: job.id,
      request: payload,
      runner: this.#runner,
      logsDir: this.#options.logsDir,
      clock: this.#options.clock,
      isWanted: () => this.#store.job(job.id)?.wanted === "up",
      isStuck: (run) => this.#observer.isStuck(run),
      view: () => this.view(this.#store.job(job.id) ?? job),
      signal: AbortSignal.any([signal, this.#over.signal]),
    });
  }

  async up({ project, jobs, names }: PayloadOf<"up">, receipt?: Receipt): Promise<DataOf<"up">> {
    const defined = new Map(jobs.map((spec) => [spec.name, spec]));
    const wanted = wantedNames(defined, names);
    const results: DataOf<"up">["jobs"] = [];
    for (const spec of jobs) {
      results.push(await this.#upOne({ ...spec, project }, wanted.has(spec.name)));
    }
    // Those that waited for one that is up by now have been started meanwhile.
    const answer = {
      jobs: results.map(({ job, action }) => ({
        job: this.view(this.#store.job(job.id) ?? this.find(job.id)),
        action,
      })),
    };
    return this.#store.transaction(() => this.#answer(receipt, answer));
  }

  /** Stops this project's jobs, those that depend on others first. */
  async down({ project, force, grace_ms }: PayloadOf<"down">, receipt?: Receipt): Promise<DataOf<"down">> {
    const left = this.#store
      .jobs()
      .filter((job) => job.project === project && (this.#runner.ofJob(job.id) || job.wanted === "up"));
    for (const job of left) this.#unwant(job.id);
    const stopped: Job[] = [];
    while (left.length > 0) {
      const free = left.filter((job) => !left.some((other) => other.options.depends_on?.includes(job.name ?? job.id)));
      const round = free.length > 0 ? free : [...left];
      for (const job of round) left.splice(left.indexOf(job), 1);
      const results = await Promise.all(round.map(({ id }) => this.stop({ job_id: id, force, grace_ms })));
      stopped.push(...results.filter((result) => result.stopped).map(({ job }) => job));
    }
    return this.#store.transaction(() => this.#answer(receipt, { stopped }));
  }

  view(job: JobRecord): Job {
    const run = this.#runner.ofJob(job.id)?.record ?? this.#store.latestRun(job.id);
    return viewJob(job, run, this.#observer.observed(job.id), this.#context());
  }

  /** What only the server can tell `doctor`. */
  findings(): Promise<DataOf<"doctor">["findings"]> {
    return this.#observer.findings(this.#store.runIds());
  }

  async #upOne(spec: UpJob, isWanted: boolean): Promise<DataOf<"up">["jobs"][number]> {
    const { job, isNew, isChanged } = this.#define(spec);
    return this.#inTurn(job.id, async () => {
      const live = this.#runner.ofJob(job.id);
      const stored: JobRecord = { ...job, env: spec.env };
      this.#ledger.commit((tell) => {
        if (isNew) this.#store.insertJob(stored);
        else this.#store.updateJob({ ...(this.#store.job(job.id) ?? stored), ...pickDefinition(stored) });
        tell(isNew ? "job_added" : "job_updated", stored, live?.record);
      });
      const viewNow = () => this.view(this.#store.job(job.id) ?? stored);
      if (!isWanted || job.options.blocked) return { job: viewNow(), action: live ? "already_running" : "defined" };
      if (live && !isChanged) return { job: viewNow(), action: "already_running" };
      if (live) await this.#end(live, { by: "stop", graceMs: this.#graceOf(live) });
      const current = this.#store.job(job.id) ?? stored;
      if (this.#desire.unmetDependencies(current).length > 0) {
        this.#ledger.commit((tell) => {
          const waiting: JobRecord = { ...current, wanted: "up", restartCount: 0, restartAtMs: null };
          this.#store.updateJob(waiting);
          tell("job_updated", waiting);
        });
        return { job: viewNow(), action: "waiting" };
      }
      await this.#startRun(job.id, spec.env, "user", {});
      return { job: viewNow(), action: live ? "recreated" : isNew ? "created" : "started" };
    });
  }

  /** The job that a request means: known by its name, else by command and directory, else new (not stored yet). */
  #define(spec: JobSpec): { job: JobRecord; isNew: boolean; isChanged: boolean } {
    const { name, project = spec.workdir, command, workdir } = spec;
    if (command.length === 0 || command[0] === "") {
      throw new WarrenError("COMMAND_EMPTY", "The command is empty.", { fix: "warren add -- npm run dev" });
    }
    if (name !== undefined && !NAME_PATTERN.test(name)) throw errors.nameInvalid(name);
    const options = this.#optionsOf(spec);
    const isProject = spec.project !== undefined;
    const named = name === undefined ? undefined : this.#store.jobByName(project, name);
    if (name !== undefined && named && !isProject && !isSame(named, spec)) throw errors.nameTaken(name, named);
    const known = named ?? this.#knownByIdentity(spec);
    if (!known) return { job: this.#newJob(spec, options), isNew: true, isChanged: false };
    const isChanged = !isSame(known, spec);
    const job: JobRecord = {
      ...known,
      name: name ?? known.name,
      project: name === undefined ? known.project : project,
      command,
      workdir,
      options: isProject ? options : { ...known.options, ...options },
    };
    const isDifferent = JSON.stringify(job) !== JSON.stringify(known);
    if (isDifferent && !isProject) this.#store.transaction(() => this.#store.updateJob(job));
    return { job, isNew: false, isChanged };
  }

  /** A named job of a warren.yaml is not taken over by another name of it. */
  #knownByIdentity({ workdir, command, name }: JobSpec): JobRecord | undefined {
    const known = this.#store.jobByIdentity(workdir, command);
    return known && name !== undefined && known.name !== null && known.name !== name ? undefined : known;
  }

  #newJob({ name, project, command, workdir }: JobSpec, options: JobOptions): JobRecord {
    return {
      id: newJobId((id) => this.#store.job(id) !== undefined),
      name: name ?? null,
      project: project ?? workdir,
      command,
      workdir,
      options,
      stats: NO_RUNS,
      nextRunNumber: 1,
      wanted: "down",
      restartCount: 0,
      restartAtMs: null,
      env: null,
      createdAtMs: this.#options.clock.wallMs(),
    };
  }

  #optionsOf(spec: JobSpec): JobOptions {
    const {
      description,
      labels,
      owner,
      restart,
      timeout_ms,
      grace_ms,
      stop_signal,
      ready,
      depends_on,
      blocked,
      autostart,
      log_max_bytes,
    } = spec;
    if (stop_signal !== undefined) signalNumber(stop_signal);
    const options: JobOptions = {
      description,
      labels,
      restart,
      timeout_ms,
      grace_ms,
      stop_signal,
      ready,
      depends_on,
      blocked,
      autostart,
      log_max_bytes,
    };
    if (owner) {
      const process = readProcess(owner.pid);
      if (!process)
        throw new WarrenError("OWNER_GONE", `No process has the owner's pid ${owner.pid}.`, {
          fix: "warren add --owner-pid $$ -- …",
        });
      options.owner = { ...owner, start_ticks: process.startTicks };
    }
    for (const key of Object.keys(options) as (keyof JobOptions)[]) if (options[key] === undefined) delete options[key];
    return options;
  }

  /** In its turn, with no live run. Answers when the process exists. */
  async #startRun(
    jobId: string,
    env: string[],
    cause: RunCause,
    {
      receipt,
      action = "started",
      insert,
    }: { receipt?: Receipt | undefined; action?: StartAction; insert?: JobRecord } = {},
  ): Promise<{ job: Job; action: StartAction }> {
    const existing = insert ?? this.#store.job(jobId);
    if (!existing) throw errors.jobNotFound(jobId);
    const { restart, autostart } = existing.options;
    const staysWanted = restart !== undefined && restart.when !== "no";
    const job: JobRecord = {
      ...existing,
      wanted: staysWanted ? "up" : "down",
      restartCount: cause === "user" ? 0 : existing.restartCount,
      restartAtMs: null,
      env: staysWanted || autostart ? env : null,
    };
    const run = await this.#runner.start({
      job,
      env,
      cause,
      insertJob: insert !== undefined,
      event: insert ? "job_added" : "job_started",
      alsoBegin: ({ id }) => {
        if (receipt) this.#store.answer(receipt, this.#options.clock.wallMs(), { $run: id, $job: jobId, action });
      },
      alsoRollBack: () => {
        if (receipt) this.#store.forgetRequest(receipt.id);
        if (insert) this.#store.deleteJob(jobId);
        else this.#store.updateJob({ ...existing, wanted: cause === "user" ? "down" : existing.wanted });
      },
    });
    this.#afterStart(run);
    return { job: this.view(this.#store.job(jobId) ?? job), action };
  }

  #afterStart(run: LiveRun): void {
    const job = this.#store.job(run.record.jobId);
    if (!job || run.over.aborted) return;
    this.#observer.watch(run, job);
    if (!run.record.ready && job.options.ready && job.options.ready.kind !== "exit") {
      this.#readiness.watch(run, job, job.options.ready, this.#over.signal);
    }
    this.#desire.reconcileDependents(job);
  }

  #alreadyRunning(jobId: string, receipt: Receipt | undefined): { job: Job; action: StartAction } {
    const job = this.#store.job(jobId);
    if (!job) throw errors.jobNotFound(jobId);
    const answer = { job: this.view(job), action: "already_running" as const };
    return this.#store.transaction(() => this.#answer(receipt, answer));
  }

  async #stopLive(run: LiveRun, options: StopOptions): Promise<number[]> {
    const job = this.#store.job(run.record.jobId);
    return this.#runner.stop(run, { ...options, signal: options.signal ?? job?.options.stop_signal ?? "SIGTERM" });
  }

  /** @throws TREE_SURVIVED */
  async #end(run: LiveRun, options: StopOptions): Promise<void> {
    const survivors = await this.#stopLive(run, options);
    if (survivors.length > 0) throw errors.treeSurvived(run.record.jobId, survivors);
  }

  /** A job that daemonised leaves processes behind when its first one ends; they are found by their marks and ended too. */
  async #endLeftovers(job: JobRecord, force: boolean): Promise<void> {
    const run = this.#store.latestRun(job.id);
    if (!run || run.bootId !== bootId() || run.jobPid === null || run.shimPid === null) return;
    const identity = (pid: number, startTicks: number | null) => ({
      bootId: bootId(),
      pid,
      startTicks: startTicks ?? 0,
    });
    const { survivors } = await stopTree(
      {
        runId: run.id,
        tag: run.tag,
        job: identity(run.jobPid, run.jobTicks),
        shim: identity(run.shimPid, run.shimTicks),
      },
      { force, graceMs: job.options.grace_ms ?? this.#options.graceMs ?? GRACE_MS },
    );
    if (survivors.length > 0) throw errors.treeSurvived(job.id, survivors);
  }

  #unwant(jobId: string): void {
    this.#desire.forget(jobId);
    const job = this.#store.job(jobId);
    if (!job || job.wanted === "down") return;
    const updated: JobRecord = {
      ...job,
      wanted: "down",
      restartAtMs: null,
      restartCount: 0,
      env: job.options.autostart ? job.env : null,
    };
    this.#ledger.commit((tell) => {
      this.#store.updateJob(updated);
      tell("job_updated", updated, this.#runner.ofJob(jobId)?.record ?? this.#store.latestRun(jobId));
    });
  }

  async #removeJob(job: JobRecord, alsoCommit: () => void): Promise<{ runs: number; bytes: number }> {
    this.#desire.forget(job.id);
    const runs = this.#store.runsOfJob(job.id);
    this.#ledger.commit((tell) => {
      this.#store.deleteJob(job.id);
      tell("job_removed", job, runs[0]);
      alsoCommit();
    });
    this.#observer.forget(job.id);
    const bytes = await removeLogs(
      this.#options.logsDir,
      runs.map(({ id }) => id),
    );
    return { runs: runs.length, bytes };
  }

  #environment(job: JobRecord, env: string[] | undefined): string[] {
    const environment = env ?? job.env;
    if (!environment) throw errors.environmentUnknown(job.id);
    return environment;
  }

  #graceOf(run: LiveRun): number {
    return this.#store.job(run.record.jobId)?.options.grace_ms ?? this.#options.graceMs ?? GRACE_MS;
  }

  #answer<T extends Record<string, unknown>>(receipt: Receipt | undefined, answer: T): T {
    if (receipt) this.#store.answer(receipt, this.#options.clock.wallMs(), answer);
    return answer;
  }

  /** One after the other per job, also when the one before failed. */
  #inTurn<T>(jobId: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(jobId) ?? Promise.resolve();
    const turn = before.then(work, work);
    const settled = turn.catch(() => {});
    this.#turns.set(jobId, settled);
    void settled.then(() => {
      if (this.#turns.get(jobId) === settled) this.#turns.delete(jobId);
    });
    return turn;
  }

  #describe(job: JobRecord, run: RunRecord | undefined): Record<string, unknown> {
    const context = this.#context();
    return {
      job: viewJob(job, run, this.#observer.observed(job.id), context),
      ...(run ? { run: viewRun(run, context) } : {}),
      job_count: this.#store.jobCount(),
      running_job_count: this.#runner.liveCount,
    };
  }

  #context(): ViewContext {
    return { server: this.#options.server, logsDir: this.#options.logsDir, nowMs: this.#options.clock.wallMs() };
  }
}

const isSame = (job: JobRecord, spec: JobSpec): boolean =>
  job.workdir === spec.workdir && JSON.stringify(job.command) === JSON.stringify(spec.command);

/** What a warren.yaml decides of a job; the rest of the record is its life. */
const pickDefinition = ({ name, project, command, workdir, options, env }: JobRecord) => ({
  name,
  project,
  command,
  workdir,
  options,
  env,
});

/** Those asked for by name with all they depend on; without names, all that start by themselves. */
function wantedNames(defined: Map<string, UpJob>, names: string[] | undefined): Set<string> {
  const wanted = new Set<string>();
  const want = (name: string, asker: string): void => {
    const spec = defined.get(name);
    if (!spec) throw errors.dependencyUnknown(name, asker);
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const dependency of spec.depends_on ?? []) want(dependency, name);
  };
  if (names && names.length > 0) for (const name of names) want(name, "warren up");
  else for (const [name, spec] of defined) if (spec.autostart !== false) want(name, name);
  return wanted;
}
