import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { signalName, signalNumber } from "../platform/process.ts";
import { Turns } from "../platform/turns.ts";
import { isWarrenError } from "../protocol/errors.ts";
import type { DataOf, NewJob, PayloadOf } from "../protocol/messages.ts";
import type { Job, Run } from "../protocol/units.ts";
import { Answers } from "./answers.ts";
import { JobControl, type StartAction, type StartRequest } from "./control.ts";
import { Definitions } from "./definitions.ts";
import { Desire } from "./desire.ts";
import * as errors from "./errors.ts";
import { Ledger } from "./ledger.ts";
import type { LiveRun } from "./live-run.ts";
import { LogRoom } from "./log-room.ts";
import { findJob } from "./lookup.ts";
import { Observer } from "./observer.ts";
import { Projects } from "./projects.ts";
import { Readiness } from "./readiness.ts";
import { type EventRecord, type JobRecord, labelOf, type RunRecord } from "./records.ts";
import { Removals } from "./removals.ts";
import { RunLimits } from "./run-limits.ts";
import { Runner } from "./runner.ts";
import { JobStore, type Receipt } from "./store.ts";
import { type ViewContext, viewJob, viewRun } from "./views.ts";
import { waitFor } from "./wait.ts";
import { whyReport } from "./why.ts";

/**
 * The jobs of a home: what the messages about jobs do. A job is a command in a directory; starting a known one makes a new run of it.
 *
 * Invariants
 * 1. One live run per job. Starts and removals of a job take turns; a stop does not wait its turn, it ends what runs and calls off what waits to start.
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
  graceMs: number;
  /** Default cap of each of a run's two logs. */
  logMaxBytes: number;
  freeSpaceFloorBytes: number;
}

export class Jobs {
  readonly #store: JobStore;
  readonly #ledger: Ledger;
  readonly #runner: Runner;
  readonly #desire: Desire;
  readonly #readiness: Readiness;
  readonly #logRoom: LogRoom;
  readonly #limits: RunLimits;
  readonly #observer: Observer;
  readonly #definitions: Definitions;
  readonly #control: JobControl;
  readonly #projects: Projects;
  readonly #answers: Answers;
  readonly #removals: Removals;
  readonly #options: JobsOptions;
  readonly #over = new AbortController();
  readonly #turns = new Turns();

  constructor(options: JobsOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#store = new JobStore(options.database);
    this.#ledger = new Ledger({
      store: this.#store,
      clock,
      emit: options.emit,
      log,
      describe: (job, run) => this.#describe(job, run),
    });
    this.#runner = new Runner(
      {
        ...options,
        store: this.#store,
        ledger: this.#ledger,
        onEnded: (job, run, outcome) => {
          this.#logRoom.afterEnd(run);
          this.#desire.afterEnd(job, run, outcome);
        },
      },
      this.#over.signal,
    );
    this.#desire = new Desire(
      {
        store: this.#store,
        ledger: this.#ledger,
        runner: this.#runner,
        clock,
        log,
        random: options.random ?? Math.random,
        start: ({ id }, env, cause) =>
          this.#turns.take(id, async () => {
            if (this.#runner.ofJob(id) || this.#store.job(id)?.wanted !== "up") return;
            await this.#control.startRun(id, env, cause);
          }),
      },
      this.#over.signal,
    );
    this.#readiness = new Readiness({
      logsDir: options.logsDir,
      clock,
      log,
      onReady: (run) => {
        const job = this.#store.job(run.record.jobId); // as it is by now: it may have been named since its start
        if (!job) return;
        this.#runner.markReady(run, job);
        this.#desire.reconcileDependents(job);
      },
      onLate: (run) => void this.#control.stopLive(run, { by: "timeout", graceMs: this.#control.graceOf(run) }),
    });
    this.#logRoom = new LogRoom({ ...options, store: this.#store, ledger: this.#ledger, runner: this.#runner });
    this.#limits = new RunLimits(
      {
        clock,
        stop: (run, by) => void this.#control.stopLive(run, { by, graceMs: this.#control.graceOf(run) }),
      },
      this.#over.signal,
    );
    this.#observer = new Observer(
      {
        store: this.#store,
        ledger: this.#ledger,
        runner: this.#runner,
        logRoom: this.#logRoom,
        clock,
        log,
        logsDir: options.logsDir,
      },
      this.#over.signal,
    );
    const parts = { store: this.#store, ledger: this.#ledger, runner: this.#runner, desire: this.#desire };
    this.#control = new JobControl({
      ...parts,
      observer: this.#observer,
      limits: this.#limits,
      readiness: this.#readiness,
      clock,
      graceMs: options.graceMs,
      over: this.#over.signal,
    });
    this.#answers = new Answers({ store: this.#store, ledger: this.#ledger, clock });
    this.#removals = new Removals({
      ...parts,
      answers: this.#answers,
      turns: this.#turns,
      logsDir: options.logsDir,
    });
    this.#definitions = new Definitions({ store: this.#store, ledger: this.#ledger, clock });
    this.#projects = new Projects({
      ...parts,
      control: this.#control,
      definitions: this.#definitions,
      turns: this.#turns,
      view: (job) => this.view(job),
      stop: (job, how) => this.stop({ job_id: job.id, ...how }),
    });
  }

  /** Takes up what runs, goes on with what is wanted. Resolves when the jobs are as the rows say. */
  async start(): Promise<void> {
    this.#store.forgetOldRequests(this.#options.clock.wallMs());
    await this.#runner.adopt();
    for (const run of this.#runner.live) this.#control.afterStart(run);
    this.#logRoom.start();
    this.#limits.start();
    this.#observer.start();
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
    if (!answer?.$job) return answer;
    const { $run: runId, $job: jobId, ...rest } = answer;
    const live = this.#runner.ofJob(String(jobId));
    if (live && live.id === runId) await live.started;
    const job = this.#store.job(String(jobId));
    return job && this.#store.answerOf(requestId) ? { ...rest, job: this.view(job) } : undefined;
  }

  async add(spec: NewJob, receipt?: Receipt): Promise<{ job: Job; action: StartAction }> {
    for (;;) {
      using definition = this.#definitions.define(spec);
      const { job, isNew } = definition;
      if (job.options.blocked) throw errors.jobBlocked(labelOf(job), job.options.description);
      const result = await this.#turns.take(job.id, async (calledOff) => {
        const live = await this.#control.lasting(job.id);
        if (live && (await live.started)) return this.#alreadyRunning(live, receipt);
        const isKnown = this.#store.job(job.id) !== undefined;
        if (!isKnown && !isNew) return undefined; // removed while we waited for our turn
        if (calledOff.aborted) throw errors.stoppedMeanwhile(labelOf(job));
        const request: StartRequest = isKnown
          ? { receipt, action: "started" }
          : { receipt, action: "created", insert: job };
        if (this.#desire.unmetDependencies(job).length === 0) return this.#startByUser(job.id, spec.env, request);
        const held = this.#control.holdBack(this.#store.job(job.id) ?? job, spec.env, request);
        return { job: this.view(held.job), action: held.action };
      });
      if (result) return result;
    }
  }

  create(spec: PayloadOf<"create">, receipt?: Receipt): { job: Job } {
    using definition = this.#definitions.define(spec);
    const { job, isNew } = definition;
    const stored: JobRecord = { ...job, env: job.options.autostart && spec.env ? spec.env : job.env };
    const answer = this.#ledger.commit((tell) => {
      if (isNew) this.#store.insertJob(stored);
      else this.#store.updateJob(stored);
      tell(isNew ? "job_added" : "job_updated", stored, this.#store.latestRun(stored.id));
      return this.#answers.keep(receipt, { job: this.view(stored) });
    });
    const live = this.#runner.ofJob(stored.id);
    if (live && live.record.state !== "starting") this.#control.watchReadiness(live, stored); // else its start will
    return answer;
  }

  /** @param fallback the environment where neither the request nor the job has one */
  async startJob(
    { job_id, workdir, env }: PayloadOf<"start">,
    receipt?: Receipt,
    fallback?: string[],
  ): Promise<{ job: Job }> {
    const job = this.find(job_id, workdir);
    if (job.options.blocked) throw errors.jobBlocked(labelOf(job), job.options.description);
    return this.#turns.take(job.id, async (calledOff) => {
      if (this.#runner.ofJob(job.id)) throw errors.jobRunning(labelOf(job));
      if (calledOff.aborted) throw errors.stoppedMeanwhile(labelOf(job));
      return this.#startByUser(job.id, this.#environment(job, env, fallback), { receipt });
    });
  }

  /** Two restarts at once take turns: the second restarts what the first one started. @throws JOB_STOPPED when a stop came after it */
  async restart(
    { job_id, workdir, env, force, grace_ms }: PayloadOf<"restart">,
    receipt?: Receipt,
    fallback?: string[],
  ): Promise<{ job: Job }> {
    const job = this.find(job_id, workdir);
    if (job.options.blocked) throw errors.jobBlocked(labelOf(job), job.options.description);
    const environment = this.#environment(job, env, fallback);
    return this.#turns.take(job.id, async (calledOff) => {
      const live = this.#runner.ofJob(job.id);
      if (live)
        await this.#control.end(live, {
          by: "stop",
          force: force === true,
          graceMs: grace_ms ?? this.#control.graceOf(live),
        });
      const current = this.#store.job(job.id);
      if (!current) throw errors.jobNotFound(job.id);
      if (calledOff.aborted) throw errors.stoppedMeanwhile(labelOf(job));
      this.#store.transaction(() => this.#store.updateJob({ ...current, restartCount: 0, restartAtMs: null }));
      return this.#startByUser(job.id, environment, { receipt });
    });
  }

  async stop({ job_id, workdir, force, grace_ms }: PayloadOf<"stop">, receipt?: Receipt): Promise<DataOf<"stop">> {
    const job = this.find(job_id, workdir);
    this.#control.unwant(job.id);
    this.#turns.callOff(job.id);
    const live = this.#runner.ofJob(job.id);
    let pid = 0;
    if (live) {
      await live.started;
      pid = live.record.jobPid ?? 0;
      await this.#control.end(live, {
        by: "user",
        force: force === true,
        graceMs: grace_ms ?? this.#control.graceOf(live),
      });
    } else await this.#control.endLeftovers(job, force === true);
    const answer = {
      job_id: job.id,
      pid,
      force: force === true,
      stopped: live !== undefined,
      job: this.view(this.#store.job(job.id) ?? job),
    };
    return this.#answers.keepAfter(receipt, answer);
  }

  /** Resolves with how many it stopped; those that survive SIGKILL are an error of `stop`, here they are counted out. */
  async stopAll({ workdir, force, grace_ms }: PayloadOf<"stop_all">, receipt?: Receipt): Promise<{ stopped: number }> {
    const jobs = this.#store.jobs(workdir);
    for (const { id } of jobs) this.#turns.callOff(id);
    const results = await Promise.allSettled(
      jobs
        .filter(({ id, wanted }) => this.#runner.ofJob(id) || wanted === "up")
        .map(({ id }) => this.stop({ job_id: id, force, grace_ms })),
    );
    const stopped = results.filter((result) => result.status === "fulfilled" && result.value.stopped).length;
    return this.#answers.keepAfter(receipt, { stopped });
  }

  async signal({ job_id, workdir, signal, leader }: PayloadOf<"signal">, receipt?: Receipt): Promise<DataOf<"signal">> {
    const number = signalNumber(signal);
    const name = signalName(number);
    const job = this.find(job_id, workdir);
    const live = this.#runner.ofJob(job.id);
    if (!live || !(await live.started)) throw errors.jobNotRunning(labelOf(job));
    try {
      this.#runner.signal(live, name, { leader: leader === true });
    } catch (error) {
      throw isWarrenError(error, "RUN_NOT_RUNNING") ? errors.signalGone(labelOf(job)) : error;
    }
    const answer = { job_id: job.id, pid: live.record.jobPid ?? 0, signal: number, name };
    return this.#answers.keepAfter(receipt, answer);
  }

  async remove({ job_id, workdir }: PayloadOf<"remove">, receipt?: Receipt): Promise<DataOf<"remove">> {
    return this.#removals.job(this.find(job_id, workdir), receipt);
  }

  async removeRun(payload: PayloadOf<"remove_run">, receipt?: Receipt): Promise<DataOf<"remove_run">> {
    return this.#removals.run(payload, receipt);
  }

  async cleanup(payload: PayloadOf<"cleanup">, receipt?: Receipt): Promise<DataOf<"cleanup">> {
    return this.#removals.ended(payload, receipt);
  }

  /** Stops everything and removes it. */
  async nuke({ grace_ms }: PayloadOf<"nuke">): Promise<DataOf<"nuke">> {
    const { stopped } = await this.stopAll({ grace_ms });
    const survivors: number[] = [];
    for (const run of this.#runner.live) {
      survivors.push(...(await this.#control.stopLive(run, { by: "user", force: true, graceMs: 0 })));
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
    return { job: this.#viewClosely(this.find(job_id, workdir)) };
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
      job: this.#viewClosely(job),
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

  async up(payload: PayloadOf<"up">, receipt?: Receipt): Promise<DataOf<"up">> {
    const answer = await this.#projects.up(payload);
    return this.#answers.keepAfter(receipt, answer);
  }

  async down(payload: PayloadOf<"down">, receipt?: Receipt): Promise<DataOf<"down">> {
    const answer = await this.#projects.down(payload);
    return this.#answers.keepAfter(receipt, answer);
  }

  view(job: JobRecord): Job {
    const run = this.#runner.ofJob(job.id)?.record ?? this.#store.latestRun(job.id);
    return viewJob(job, run, this.#observer.observed(job.id), this.#context());
  }

  /** What only the server can tell `doctor`. */
  findings(): Promise<DataOf<"doctor">["findings"]> {
    return this.#observer.findings(this.#store.runIds());
  }

  /** With what costs a look at every process: for one job, not for a list. */
  #viewClosely(job: JobRecord): Job {
    const leftoverCount = this.#control.leftoverCount(job);
    return { ...this.view(job), ...(leftoverCount > 0 ? { leftover_count: leftoverCount } : {}) };
  }

  async #startByUser(jobId: string, env: string[], request: StartRequest): Promise<{ job: Job; action: StartAction }> {
    const { job, action } = await this.#control.startRun(jobId, env, "user", request);
    return { job: this.view(job), action };
  }

  #alreadyRunning(run: LiveRun, receipt: Receipt | undefined): { job: Job; action: StartAction } {
    const { jobId } = run.record;
    const job = this.#store.job(jobId);
    if (!job) throw errors.jobNotFound(jobId);
    this.#control.watchReadiness(run, job);
    const answer = { job: this.view(job), action: "already_running" as const };
    return this.#answers.keepAfter(receipt, answer);
  }

  #environment(job: JobRecord, env: string[] | undefined, fallback?: string[]): string[] {
    const environment = env ?? job.env ?? fallback;
    if (!environment) throw errors.environmentUnknown(labelOf(job));
    return environment;
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
