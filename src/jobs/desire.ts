import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { Backoff } from "../protocol/backoff.ts";
import { messageOf } from "../protocol/errors.ts";
import { type Outcome, succeeded } from "../protocol/outcome.ts";
import type { Ledger } from "./ledger.ts";
import {
  type JobRecord,
  keepsEnvironment,
  marked,
  policyOf,
  REBOOTED,
  type RunCause,
  type RunRecord,
} from "./records.ts";
import type { Runner } from "./runner.ts";
import type { JobStore } from "./store.ts";

/**
 * What should run, compared with what does: restart policies and dependencies. Ends, readiness and timers only record a fact and call `reconcile`.
 *
 * Invariants
 * 1. A job that a person stopped, or whose owner died, is not wanted any more, whatever its policy says.
 * 2. `wanted`, the restart count and the moment of the next restart are on disk, so that a server that comes back goes on where the last one was.
 * 3. A job that waits for a dependency starts at most once per `want`.
 */
export interface DesireOptions {
  store: JobStore;
  ledger: Ledger;
  runner: Runner;
  clock: Clock;
  log: Log;
  random: () => number;
  /** Starts it unless it is not wanted any more, or runs already, when its turn comes. */
  start: (job: JobRecord, env: string[], cause: RunCause) => Promise<unknown>;
}

const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 60_000;
/** A run of this length was a good one: the next restart counts as the first. */
const RESET_AFTER_MS = 10_000;

export class Desire {
  readonly #options: DesireOptions;
  readonly #timers = new Map<string, () => void>();
  readonly #starting = new Set<string>();

  constructor(options: DesireOptions, signal: AbortSignal) {
    this.#options = options;
    signal.addEventListener("abort", () => this.#cancelAll(), { once: true });
  }

  /** After a start of the server: goes on with every job that is wanted. */
  resume(): void {
    for (const job of this.#options.store.jobsWanted()) this.reconcile(job.id);
  }

  /** Cancels what was planned for a job: somebody stopped or removed it. */
  forget(jobId: string): void {
    this.#timers.get(jobId)?.();
    this.#timers.delete(jobId);
  }

  /** A run ended: decides whether the job is still wanted, and when it runs again. */
  afterEnd(job: JobRecord, run: RunRecord, outcome: Outcome): void {
    const { store, ledger, clock } = this.#options;
    if (job.wanted === "up") {
      const again = this.#wantsAgain(job, run, outcome);
      ledger.tryCommit((tell) => {
        const current = store.job(job.id);
        if (!current) return;
        const restartCount = again ? current.restartCount + 1 : current.restartCount;
        const updated: JobRecord = {
          ...current,
          options: again || isReboot(outcome) ? current.options : marked(current.options, false),
          wanted: again ? "up" : "down",
          env: again || keepsEnvironment(current) ? current.env : null,
          restartCount: again && isLong(run) ? 1 : restartCount,
          restartAtMs: again ? clock.wallMs() + this.#delayMs(current, run) : null,
        };
        store.updateJob(updated);
        tell("job_updated", updated, run);
      });
      this.reconcile(job.id);
    }
    this.reconcileDependents(job);
  }

  /** Something that others may wait for has changed. */
  reconcileDependents(job: JobRecord): void {
    for (const other of this.#options.store.jobsWanted()) {
      if (other.project === job.project && other.options.depends_on?.includes(job.name ?? job.id))
        this.reconcile(other.id);
    }
  }

  /** Starts the job if it is wanted, does not run, and nothing holds it back. */
  reconcile(jobId: string): void {
    const { store, runner, clock } = this.#options;
    const job = store.job(jobId);
    if (!job || job.wanted === "down" || runner.ofJob(jobId) || this.#starting.has(jobId)) return;
    this.forget(jobId);
    const waitMs = (job.restartAtMs ?? 0) - clock.wallMs();
    if (job.restartAtMs !== null && waitMs > 0) {
      // A wall clock that jumped must not hold a restart back for longer than the longest delay.
      this.#timers.set(
        jobId,
        clock.timer(Math.min(waitMs, backoffOf(job).maxMs), () => this.#startIfFree(jobId)),
      );
      return;
    }
    this.#startIfFree(jobId);
  }

  /** Names of dependencies that are not ready yet: not running, not ready by their condition, or, when they are to exit, not ended well. */
  unmetDependencies(job: JobRecord): string[] {
    return (job.options.depends_on ?? []).filter((name) => {
      const dependency = this.#options.store.jobByName(job.project, name) ?? this.#options.store.job(name);
      return !dependency || !this.#isMet(dependency);
    });
  }

  #isMet(dependency: JobRecord): boolean {
    const live = this.#options.runner.ofJob(dependency.id);
    const { ready } = dependency.options;
    if (ready?.kind === "exit") {
      return !live && succeeded(this.#options.store.latestRun(dependency.id)?.outcome ?? null);
    }
    return live !== undefined && live.record.state === "running" && (ready === undefined || live.record.ready);
  }

  /** Its moment has come. A dependency that is down holds it back until that one is ready again. */
  #startIfFree(jobId: string): void {
    const { store, log, start, runner } = this.#options;
    this.forget(jobId);
    const job = store.job(jobId);
    if (!job || job.wanted === "down" || runner.ofJob(jobId) || this.#starting.has(jobId)) return;
    if (this.unmetDependencies(job).length > 0) return;
    const { env } = job;
    if (env === null) return log.warn("start_without_environment", { job: jobId });
    this.#starting.add(jobId);
    const cause: RunCause = job.restartAtMs === null ? "dependency" : "restart-policy";
    void start(job, env, cause)
      .catch((error) => this.#afterFailedStart(jobId, error))
      .finally(() => this.#starting.delete(jobId));
  }

  /** The program or its directory is gone: counts as a failed run, so that the policy's limit and delay apply. */
  #afterFailedStart(jobId: string, error: unknown): void {
    const { store, ledger, clock, log } = this.#options;
    log.warn("restart_failed", { job: jobId, error: messageOf(error) });
    let again = false;
    ledger.tryCommit((tell) => {
      const job = store.job(jobId);
      if (!job || job.wanted === "down") return;
      const policy = policyOf(job.options);
      const goesOn = policy !== undefined && job.restartCount < (policy.max ?? Number.POSITIVE_INFINITY);
      const restartAtMs = goesOn ? clock.wallMs() + this.#delayMs(job, undefined) : null;
      const updated: JobRecord = {
        ...job,
        options: goesOn ? job.options : marked(job.options, false),
        wanted: goesOn ? "up" : "down",
        restartCount: job.restartCount + 1,
        restartAtMs,
      };
      store.updateJob(updated);
      tell("job_updated", updated, store.latestRun(jobId));
      again = goesOn;
    });
    if (again)
      this.#timers.set(
        jobId,
        clock.timer(0, () => this.reconcile(jobId)),
      ); // once this start is over
  }

  #cancelAll(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #wantsAgain(job: JobRecord, run: RunRecord, outcome: Outcome): boolean {
    const policy = policyOf(job.options);
    if (!policy) return false;
    if (outcome.kind === "signalled" && (outcome.by === "user" || outcome.by === "stop" || outcome.by === "owner"))
      return false;
    if (run.sent.some(({ by }) => by === "owner")) return false; // a program that takes the signal ends by itself
    if (isReboot(outcome)) return false;
    if (policy.when === "on-failure" && succeeded(outcome)) return false;
    const inARow = isLong(run) ? 0 : job.restartCount;
    return inARow < (policy.max ?? Number.POSITIVE_INFINITY);
  }

  #delayMs(job: JobRecord, run: RunRecord | undefined): number {
    const backoff = new Backoff({ ...backoffOf(job), random: this.#options.random });
    const inARow = run && isLong(run) ? 0 : job.restartCount;
    for (let skipped = 0; skipped < Math.min(inARow, 20); skipped++) backoff.nextMs();
    return backoff.nextMs();
  }
}

/** A first delay that is longer than what others grow to is every delay. */
function backoffOf({ options: { restart } }: JobRecord): { firstMs: number; maxMs: number } {
  const firstMs = restart?.backoff_ms ?? BACKOFF_FIRST_MS;
  return { firstMs, maxMs: Math.max(BACKOFF_MAX_MS, firstMs) };
}

/** The machine went down with it. */
const isReboot = (outcome: Outcome): boolean => outcome.kind === "lost" && outcome.reason === REBOOTED;

const isLong = (run: RunRecord): boolean => (run.stoppedAtMs ?? 0) - run.startedAtMs >= RESET_AFTER_MS;
