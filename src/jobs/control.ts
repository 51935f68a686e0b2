import type { Clock } from "../platform/clock.ts";
import { bootId, type ProcessIdentity } from "../platform/process.ts";
import { stopTree } from "../runs/stop.ts";
import { findMembers, type RunMarks } from "../runs/tree.ts";
import type { Desire } from "./desire.ts";
import * as errors from "./errors.ts";
import type { Ledger } from "./ledger.ts";
import type { LiveRun } from "./live-run.ts";
import type { Observer } from "./observer.ts";
import type { Readiness } from "./readiness.ts";
import { type JobRecord, keepsEnvironment, marked, policyOf, type RunCause } from "./records.ts";
import { type RunLimits, withoutDeadOwner } from "./run-limits.ts";
import type { Runner, StopOptions } from "./runner.ts";
import type { JobStore, Receipt } from "./store.ts";

/**
 * Starting and ending one job's runs, with all that hangs on it: the request's answer, what the policy wants from now on, who waits for it. Callers
 * hold the job's turn for a start; an end needs none.
 */
export interface ControlOptions {
  store: JobStore;
  ledger: Ledger;
  runner: Runner;
  observer: Observer;
  limits: RunLimits;
  readiness: Readiness;
  desire: Desire;
  clock: Clock;
  graceMs: number;
  over: AbortSignal;
}

export type StartAction = "created" | "started" | "already_running";

export interface StartRequest {
  receipt?: Receipt | undefined;
  action?: StartAction;
  /** A new job: stored together with its first run. */
  insert?: JobRecord;
}

export interface Started {
  job: JobRecord;
  action: StartAction;
}

export class JobControl {
  readonly #options: ControlOptions;
  readonly #store: JobStore;
  readonly #ledger: Ledger;
  readonly #runner: Runner;
  readonly #observer: Observer;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#ledger = options.ledger;
    this.#runner = options.runner;
    this.#observer = options.observer;
  }

  /** In its turn, with no live run. Answers when the process exists. */
  async startRun(
    jobId: string,
    env: string[],
    cause: RunCause,
    { receipt, action = "started", insert }: StartRequest = {},
  ): Promise<Started> {
    const existing = insert ?? this.#store.job(jobId);
    if (!existing) throw errors.jobNotFound(jobId);
    const wholeEnv = withFileEnvironment(env, existing.options.file_env);
    const staysWanted = policyOf(existing.options) !== undefined;
    const job: JobRecord = {
      ...existing,
      options: marked(cause === "user" ? withoutDeadOwner(existing.options) : existing.options, staysWanted),
      wanted: staysWanted ? "up" : "down",
      restartCount: cause === "user" ? 0 : existing.restartCount,
      restartAtMs: null,
      env: staysWanted || keepsEnvironment(existing) ? wholeEnv : null,
    };
    const run = await this.#runner.start({
      job,
      env: wholeEnv,
      cause,
      insertJob: insert !== undefined,
      event: insert ? "job_added" : "job_started",
      alsoBegin: ({ id }) => {
        if (receipt) this.#store.answer(receipt, this.#options.clock.wallMs(), { $run: id, $job: jobId, action });
      },
      alsoRollBack: () => {
        if (receipt) this.#store.forgetRequest(receipt.id);
        if (insert) this.#store.deleteJob(jobId);
        else this.#undoStart(existing, job, cause);
      },
    });
    this.afterStart(run);
    return { job: this.#store.job(jobId) ?? job, action };
  }

  /** The job is as before, but for what somebody else has changed since: a stop that came meanwhile holds. */
  #undoStart(before: JobRecord, started: JobRecord, cause: RunCause): void {
    const current = this.#store.job(before.id);
    if (!current) return;
    const { restartCount, restartAtMs, env, options } = before;
    const wanted = cause === "user" || current.wanted !== started.wanted ? "down" : before.wanted;
    this.#store.updateJob({ ...current, restartCount, restartAtMs, env, options, wanted });
  }

  /** It starts by itself when what it depends on is ready: until then it is wanted, and its environment is kept. */
  holdBack(job: JobRecord, env: string[], { receipt, action = "started", insert }: StartRequest = {}): Started {
    const waiting: JobRecord = {
      ...job,
      options: withoutDeadOwner(job.options),
      env: withFileEnvironment(env, job.options.file_env),
      wanted: "up",
      restartCount: 0,
      restartAtMs: null,
    };
    this.#ledger.commit((tell) => {
      if (insert) this.#store.insertJob(waiting);
      else this.#store.updateJob(waiting);
      tell(insert ? "job_added" : "job_updated", waiting, this.#store.latestRun(job.id));
      if (receipt) this.#store.answer(receipt, this.#options.clock.wallMs(), { $job: job.id, action });
    });
    return { job: waiting, action };
  }

  afterStart(run: LiveRun): void {
    const job = this.#store.job(run.record.jobId);
    if (!job || run.over.aborted) return;
    this.#observer.watch(run, job);
    this.#options.limits.watch(run, job);
    this.watchReadiness(run, job);
    this.#options.desire.reconcileDependents(job);
  }

  async stopLive(run: LiveRun, options: StopOptions): Promise<number[]> {
    const job = this.#store.job(run.record.jobId);
    return this.#runner.stop(run, { ...options, signal: options.signal ?? job?.options.stop_signal ?? "SIGTERM" });
  }

  /** @throws TREE_SURVIVED */
  async end(run: LiveRun, options: StopOptions): Promise<void> {
    const survivors = await this.stopLive(run, options);
    if (survivors.length > 0) throw errors.treeSurvived(run.record.jobId, survivors);
  }

  /**
   * The run that goes on: the end of one that is being stopped is waited for.
   * @throws TREE_SURVIVED
   */
  async lasting(jobId: string): Promise<LiveRun | undefined> {
    const run = this.#runner.ofJob(jobId);
    if (!run?.stopping) return run;
    const survivors = await run.stopping.done;
    if (survivors.length > 0) throw errors.treeSurvived(jobId, survivors);
    return this.#runner.ofJob(jobId);
  }

  /** A job that daemonised leaves processes behind when its first one ends; they are found by their marks. */
  leftoverCount(job: JobRecord): number {
    const marks = this.#runner.ofJob(job.id) ? undefined : this.#marksOfLatest(job);
    return marks ? findMembers(marks).length : 0;
  }

  /** @throws TREE_SURVIVED */
  async endLeftovers(job: JobRecord, force: boolean): Promise<void> {
    const marks = this.#marksOfLatest(job);
    if (!marks) return;
    const { survivors } = await stopTree(marks, { force, graceMs: job.options.grace_ms ?? this.#options.graceMs });
    if (survivors.length > 0) throw errors.treeSurvived(job.id, survivors);
  }

  /** Undefined when it never ran, or ran before the machine restarted. */
  #marksOfLatest(job: JobRecord): RunMarks | undefined {
    const run = this.#store.latestRun(job.id);
    if (!run || run.bootId !== bootId() || run.jobPid === null || run.shimPid === null) return undefined;
    const identity = (pid: number, startTicks: number | null): ProcessIdentity => ({
      bootId: bootId(),
      pid,
      startTicks: startTicks ?? 0,
    });
    return {
      runId: run.id,
      tag: run.tag,
      job: identity(run.jobPid, run.jobTicks),
      shim: identity(run.shimPid, run.shimTicks),
    };
  }

  unwant(jobId: string): void {
    this.#options.desire.forget(jobId);
    const job = this.#store.job(jobId);
    if (!job) return;
    const options = marked(job.options, false);
    if (job.wanted === "down" && options.autostart === job.options.autostart) return;
    const updated: JobRecord = {
      ...job,
      options,
      wanted: "down",
      restartAtMs: null,
      restartCount: 0,
      env: keepsEnvironment(job) ? job.env : null,
    };
    this.#ledger.tryCommit((tell) => {
      this.#store.updateJob(updated);
      tell("job_updated", updated, this.#runner.ofJob(jobId)?.record ?? this.#store.latestRun(jobId));
    });
  }

  graceOf(run: LiveRun): number {
    return this.#store.job(run.record.jobId)?.options.grace_ms ?? this.#options.graceMs;
  }

  /** By the condition that its job has now. A run that is ready stays so. */
  watchReadiness(run: LiveRun, job: JobRecord): void {
    const { ready } = job.options;
    if (run.record.ready || run.over.aborted) return;
    this.#options.readiness.watch(run, ready?.kind === "exit" ? undefined : ready, this.#options.over);
  }
}

/** What a warren.yaml sets goes over what the caller's shell had. */
function withFileEnvironment(env: string[], fileEnv: readonly string[] = []): string[] {
  const keyOf = (entry: string): string => entry.slice(0, entry.indexOf("="));
  const written = new Set(fileEnv.map(keyOf));
  return [...env.filter((entry) => !written.has(keyOf(entry))), ...fileEnv];
}
