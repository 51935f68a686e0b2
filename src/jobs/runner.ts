import { randomInt } from "node:crypto";
import { readdir, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { bootId, isAlive, isTaken, type ProcessIdentity } from "../platform/process.ts";
import { messageOf } from "../protocol/errors.ts";
import type { Outcome, SignalledBy } from "../protocol/outcome.ts";
import { filesOfAttempt } from "../runs/exec-exact.ts";
import { findAttempt, invalidateAttempt } from "../runs/find-attempt.ts";
import { launch } from "../runs/launch.ts";
import { logPaths } from "../runs/logs/files.ts";
import { watchRun } from "../runs/logs/order-sampler.ts";
import { lookAtRun, type RunFound } from "../runs/look-at-run.ts";
import { outcomeOf } from "../runs/outcome.ts";
import { SharedSearches } from "../runs/shared-searches.ts";
import { signalRun } from "../runs/signal.ts";
import { StatusWatch } from "../runs/status-watch.ts";
import { stopTree } from "../runs/stop.ts";
import type { RunMarks } from "../runs/tree.ts";
import { addOutcome } from "./history.ts";
import type { Ledger, RecordEvent } from "./ledger.ts";
import { LiveRun } from "./live-run.ts";
import { BLANK_RUN, type JobRecord, REBOOTED, type RunCause, type RunRecord } from "./records.ts";
import { clearLogs } from "./run-logs.ts";
import type { JobStore } from "./store.ts";

/**
 * Starts, re-adopts, watches and ends runs. It owns the set of live runs; whoever asks for a stop or waits for an end asks here.
 *
 * Invariants
 * 1. A run's row exists before its process does, and its process before anybody is told of it.
 * 2. A run ends once: the transition to `ended` is one transaction with the job's statistics and both events.
 * 3. A run whose process cannot be confirmed never starts late: its attempt is invalidated before the row goes.
 * 4. The recorded exit status wins over every other sign; `lost` is said only when no shim is left that could still record one.
 */
export interface RunnerOptions {
  store: JobStore;
  ledger: Ledger;
  clock: Clock;
  log: Log;
  statusDir: string;
  logsDir: string;
  nodePath: string;
  /** After a run has ended, outside the transaction. */
  onEnded: (job: JobRecord, run: RunRecord, outcome: Outcome) => void;
}

export interface StartOptions {
  job: JobRecord;
  /** The job is new: its row is made with the run's. */
  insertJob: boolean;
  env: string[];
  cause: RunCause;
  /** Done in the transaction that makes the run known: e.g. the answer to the request. */
  alsoBegin?: (run: RunRecord) => void;
  /** Done in the transaction that rolls a failed start back. */
  alsoRollBack?: () => void;
  /** The event that tells of it: job_added for a new job, else job_started. */
  event: "job_added" | "job_started";
}

export interface StopOptions {
  signal?: string | undefined;
  graceMs: number;
  force?: boolean;
  by: SignalledBy;
}

/** Of an attempt: its status, the word that it is not to start any more, its environment. */
const STATUS_FILE = /\.status(\.invalid|\.env)?$/;
/** Signals of a run that are remembered, the latest ones: the one that ended it is among them. */
const SENT_MAX = 64;

/** Shims and jobs are looked after this often, for the ends that nobody reports. */
const SWEEP_MS = 1_000;
/** Each time whether there is such a process; whether it is still the same one, and no zombie, once in so many. */
const IDENTITY_EVERY = 10;
/** A start that was begun by a server that died is waited for this long before it is taken back. */
const PENDING_START_MS = 2_000;
const PENDING_POLL_MS = 10;
/** What is left of a grace period that a server before began; a clock that was set back makes it no longer than this. */
const GRACE_MAX_MS = 600_000;

export class Runner {
  readonly #options: RunnerOptions;
  readonly #live = new Map<string, LiveRun>();
  /** Many runs that are stopped at once look at the processes together. */
  readonly #searches = new SharedSearches();
  readonly #liveByJob = new Map<string, LiveRun>();
  readonly #signal: AbortSignal;

  constructor(options: RunnerOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  get live(): Iterable<LiveRun> {
    return this.#live.values();
  }

  get liveCount(): number {
    return this.#live.size;
  }

  ofJob(jobId: string): LiveRun | undefined {
    return this.#liveByJob.get(jobId);
  }

  /** Takes up every run that the rows say is not ended, then watches. Resolves when each is accounted for. */
  async adopt(): Promise<void> {
    const { statusDir, store } = this.#options;
    const rows = store.liveRuns();
    for (const record of rows) this.#add(new LiveRun(record));
    const watch = new StatusWatch({ directory: statusDir, onChange: (runId) => void this.#check(runId) });
    await watch.start(this.#signal);
    await Promise.all([...this.#live.values()].map((run) => this.#adoptOrLeave(run)));
    await this.#removeStrayStatusFiles();
    this.#sweepLater();
  }

  /** Resolves once the job's process exists and its row says so. Nothing is left behind when it rejects. */
  async start({ job, insertJob, env, cause, alsoBegin, alsoRollBack, event }: StartOptions): Promise<LiveRun> {
    const { store, clock, ledger } = this.#options;
    const number = job.nextRunNumber;
    const record: RunRecord = {
      ...BLANK_RUN,
      id: `${job.id}-${number}`,
      jobId: job.id,
      number,
      cause,
      tag: randomInt(2 ** 47),
      startedAtMs: clock.wallMs(),
    };
    const run = new LiveRun(record);
    store.transaction(() => {
      if (insertJob) store.insertJob({ ...job, nextRunNumber: number + 1 });
      else store.updateJob({ ...job, nextRunNumber: number + 1 });
      store.insertRun(record);
      alsoBegin?.(record);
    });
    this.#add(run);
    try {
      clearLogs(this.#options.logsDir, record.id);
      const {
        shim,
        job: process,
        shimEnded,
      } = await launch(
        {
          runId: record.id,
          unit: job.name ?? job.id,
          command: job.command,
          workdir: job.workdir,
          env,
          ...this.#paths(record),
          statusPath: this.#statusPath(record),
          tag: record.tag,
        },
        { nodePath: this.#options.nodePath },
      );
      run.identify(process, shim);
      run.isOurChild = true;
      void shimEnded.then(() => this.#check(record.id));
      ledger.commit((tell) => this.#markRunning(run, tell, event));
    } catch (error) {
      if (!this.#signal.aborted) await this.#takeBack(run, number, alsoRollBack); // else the successor sees what became of it
      throw error;
    }
    run.settleStart(true);
    this.#watchOutput(run);
    void this.#check(record.id);
    return run;
  }

  /**
   * Ends the whole tree of a run: resolves with the pids that survived everything (usually none), once the end is recorded. A second call joins the
   * first; with `force` it makes it kill at once.
   */
  async stop(run: LiveRun, { signal = "SIGTERM", graceMs, force = false, by }: StopOptions): Promise<number[]> {
    if (run.stopping) {
      if (force) run.stopping.escalate();
      return run.stopping.done;
    }
    const escalation = new AbortController();
    const done = this.#stop(run, { signal, graceMs, force, by }, escalation.signal);
    run.stopping = { escalate: () => escalation.abort(), done };
    try {
      return await done;
    } finally {
      run.stopping = undefined; // whoever survived can be stopped once more
    }
  }

  /** @throws JOB_NOT_RUNNING when it ended meanwhile. */
  signal(run: LiveRun, signal: string, options: { leader: boolean }): void {
    const { marks } = run;
    if (!marks) return;
    this.#noteSent(run, signal, "user");
    signalRun(marks, signal, options);
  }

  /** Persists that the run is ready. */
  markReady(run: LiveRun, job: JobRecord): void {
    run.record = { ...run.record, ready: true };
    this.#options.ledger.tryCommit((tell) => {
      this.#options.store.updateRun(run.record);
      tell("job_updated", job, run.record);
    });
  }

  /** A start that failed: nothing ran, or it could not be written down that it runs. */
  async #takeBack(run: LiveRun, number: number, alsoRollBack?: () => void): Promise<void> {
    const { store } = this.#options;
    this.#remove(run);
    if (run.marks) await stopTree(run.marks, { force: true, find: this.#searches.find });
    run.settleStart(false);
    store.transaction(() => {
      store.deleteRun(run.id);
      const job = store.job(run.record.jobId);
      if (job) store.updateJob({ ...job, nextRunNumber: number });
      alsoRollBack?.();
    });
    for (const path of filesOfAttempt(this.#statusPath(run.record))) await rm(path, { force: true });
  }

  async #stop(
    run: LiveRun,
    options: Required<StopOptions> & { signal: string },
    escalate: AbortSignal,
  ): Promise<number[]> {
    const { graceMs, force, by } = options;
    const { clock } = this.#options;
    await run.started;
    const { marks } = run;
    if (run.over.aborted || !marks) return [];
    // SIGKILL is noted before it may be sent: the end can be read from the status file before the stop comes back.
    const sent = [...run.record.sent, { signal: options.signal, by }, { signal: "SIGKILL", by }].slice(-SENT_MAX);
    run.record = { ...run.record, state: "stopping", stopDeadlineMs: clock.wallMs() + graceMs, sent };
    this.#save(run);
    const survivors = await this.#stopTree(marks, { signal: options.signal, graceMs, force }, escalate);
    if (survivors.length > 0) return survivors;
    await this.#settleAfterStop(run);
    return [];
  }

  async #stopTree(
    marks: RunMarks,
    options: { signal: string; graceMs: number; force: boolean },
    escalate: AbortSignal,
  ): Promise<number[]> {
    const { find } = this.#searches;
    try {
      return (await stopTree(marks, { ...options, find, abort: escalate })).survivors;
    } catch (error) {
      if (!escalate.aborted) throw error;
      return (await stopTree(marks, { find, force: true })).survivors;
    }
  }

  /** The tree is dead; the shim writes its word within moments, or never, which `#check` then says. */
  async #settleAfterStop(run: LiveRun): Promise<void> {
    const deadlineMs = performance.now() + PENDING_START_MS;
    while (!run.over.aborted && !this.#signal.aborted && performance.now() < deadlineMs) {
      await this.#check(run.id);
      if (!run.over.aborted) await new Promise((wake) => setTimeout(wake, PENDING_POLL_MS));
    }
  }

  #noteSent(run: LiveRun, signal: string, by: SignalledBy): void {
    run.record = { ...run.record, sent: [...run.record.sent, { signal, by }].slice(-SENT_MAX) };
    this.#save(run);
  }

  /** What a successor should know of a run that goes on. A full disk does not hold back a stop or a signal. */
  #save(run: LiveRun): void {
    this.#options.ledger.tryCommit(() => this.#options.store.updateRun(run.record));
  }

  #markRunning(run: LiveRun, tell: RecordEvent, event: StartOptions["event"]): void {
    const { store } = this.#options;
    run.record = { ...run.record, state: "running" };
    store.updateRun(run.record);
    const job = store.job(run.record.jobId);
    if (!job) return;
    tell(event, job, run.record);
    tell("run_started", job, run.record);
  }

  /** On a full disk a run that cannot be accounted for now must not keep the server from starting; the next start looks again. */
  async #adoptOrLeave(run: LiveRun): Promise<void> {
    try {
      await this.#adoptOne(run);
    } catch (error) {
      this.#options.log.error("adopt_failed", { run: run.id, error: messageOf(error) });
      run.settleStart(false);
    }
  }

  async #adoptOne(run: LiveRun): Promise<void> {
    const { record } = run;
    if (record.state === "starting") return this.#adoptStarting(run);
    if (record.bootId !== bootId()) {
      const before = { bootId: record.bootId ?? "", pid: 0, startTicks: 0 };
      return this.#endOrLose(run, await this.#look(record, before, before), REBOOTED);
    }
    run.job = { bootId: record.bootId, pid: record.jobPid ?? 0, startTicks: record.jobTicks ?? 0 };
    run.shim = { bootId: record.bootId, pid: record.shimPid ?? 0, startTicks: record.shimTicks ?? 0 };
    run.settleStart(true);
    await this.#check(run.id);
    if (run.over.aborted) return;
    this.#watchOutput(run);
    if (record.state === "stopping") {
      const graceMs = Math.max(0, (record.stopDeadlineMs ?? 0) - this.#options.clock.wallMs());
      const asked = record.sent.findLast(({ signal }) => signal !== "SIGKILL");
      void this.stop(run, { signal: asked?.signal, graceMs: Math.min(graceMs, GRACE_MAX_MS), by: asked?.by ?? "stop" });
    }
  }

  /** A server died between the row and the word that the process runs: confirm the process, or take the start back. */
  async #adoptStarting(run: LiveRun): Promise<void> {
    const { ledger, store, log } = this.#options;
    const statusPath = this.#statusPath(run.record);
    const deadline = performance.now() + PENDING_START_MS;
    for (;;) {
      const attempt = await findAttempt(statusPath, run.id);
      if (attempt.kind === "started") {
        run.identify(attempt.job, attempt.shim);
        ledger.commit((tell) => this.#markRunning(run, tell, run.record.number === 1 ? "job_added" : "job_started"));
        run.settleStart(true);
        this.#watchOutput(run);
        return this.#check(run.id);
      }
      if (attempt.kind === "absent" || performance.now() > deadline) break;
      await new Promise((wake) => setTimeout(wake, PENDING_POLL_MS));
    }
    if ((await invalidateAttempt(statusPath)) === "started") return this.#adoptStarting(run);
    log.warn("start_taken_back", { run: run.id });
    this.#remove(run);
    run.settle({ kind: "lost", reason: "the server died while it was starting" });
    store.transaction(() => {
      store.deleteRun(run.id);
      const hasMadeJob = store.forgetRequestsOfRun(run.id).some(({ action }) => action === "created");
      const job = store.job(run.record.jobId);
      if (job && hasMadeJob && job.wanted === "down") store.deleteJob(job.id);
      else if (job) store.updateJob({ ...job, nextRunNumber: run.record.number });
    });
  }

  /** Looks at the run's status file, and at who is left, and records the end if there is one. */
  async #check(runId: string): Promise<void> {
    const run = this.#live.get(runId);
    if (!run?.job || this.#signal.aborted) return;
    const found = await this.#look(run.record, run.job, run.shim);
    if (run.over.aborted || !found) return;
    if (found.kind === "runs") run.shimLost = found.isShimLost;
    else this.#endOrLose(run, found, "shim killed");
  }

  /** Undefined when the status file cannot be read: a later look may. */
  async #look(
    record: RunRecord,
    job: ProcessIdentity,
    shim: ProcessIdentity | undefined,
  ): Promise<RunFound | undefined> {
    try {
      return await lookAtRun({ statusPath: this.#statusPath(record), job, shim });
    } catch (error) {
      this.#options.log.error("status_unreadable", { run: record.id, error: messageOf(error) });
      return undefined;
    }
  }

  #endOrLose(run: LiveRun, found: RunFound | undefined, reason: string): void {
    if (found?.kind !== "ended") return this.#finish(run, { kind: "lost", reason }, this.#options.clock.wallMs());
    const { exitStatus, shellWord } = found.status;
    this.#finish(run, outcomeOf({ exitStatus, shellWord, sent: run.record.sent }), found.endedAtMs);
  }

  #finish(run: LiveRun, outcome: Outcome, endedAtMs: number): void {
    if (this.#live.get(run.id) !== run || this.#signal.aborted) return; // the successor records it
    const { store, ledger, onEnded } = this.#options;
    const stoppedAtMs = Math.max(run.record.startedAtMs, endedAtMs);
    const ended: RunRecord = { ...run.record, state: "ended", outcome, stoppedAtMs, stopDeadlineMs: null };
    let job: JobRecord | undefined;
    this.#remove(run); // before the events, which count what still runs
    const isCommitted = ledger.tryCommit((tell) => {
      const current = store.job(ended.jobId);
      store.updateRun(ended);
      if (!current) return;
      job = { ...current, stats: addOutcome(current.stats, outcome, stoppedAtMs - ended.startedAtMs) };
      store.updateJob(job);
      tell("run_stopped", job, ended);
      tell("job_stopped", job, ended);
    });
    if (!isCommitted) {
      run.isOurChild = false; // a full disk: the status file keeps what happened, and the sweep comes back to it
      return this.#add(run);
    }
    run.record = ended;
    run.settle(outcome);
    for (const path of filesOfAttempt(this.#statusPath(ended))) void unlink(path).catch(() => {});
    if (job) onEnded(job, ended, outcome);
  }

  #watchOutput(run: LiveRun): void {
    const { indexPath, stdoutPath, stderrPath } = logPaths(this.#options.logsDir, run.id);
    watchRun({ runId: run.id, stdoutPath, stderrPath, indexPath, signal: AbortSignal.any([run.over, this.#signal]) });
  }

  /** Of no live run: the commit of an end came, the unlink did not. */
  async #removeStrayStatusFiles(): Promise<void> {
    for (const file of await readdir(this.#options.statusDir)) {
      const runId = file.split(".")[0] ?? "";
      if (STATUS_FILE.test(file) && !this.#live.has(runId))
        await unlink(join(this.#options.statusDir, file)).catch(() => {});
    }
  }

  #sweepLater(): void {
    let turn = 0;
    const timer = setInterval(() => {
      turn += 1;
      const withIdentity = turn % IDENTITY_EVERY === 0;
      for (const run of this.#live.values())
        if (run.job && run.record.state !== "starting") this.#sweep(run, withIdentity);
    }, SWEEP_MS);
    timer.unref();
    this.#signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  }

  #sweep(run: LiveRun, withIdentity: boolean): void {
    if (run.isOurChild && !run.shimLost && run.record.state !== "stopping") return;
    const watched: ProcessIdentity | undefined = run.shimLost ? run.job : run.shim;
    const isThere =
      watched && (withIdentity || run.record.state === "stopping" ? isAlive(watched) : isTaken(watched.pid));
    if (!isThere) void this.#check(run.id);
  }

  #paths(record: RunRecord): { stdoutPath: string; stderrPath: string } {
    const { stdoutPath, stderrPath } = logPaths(this.#options.logsDir, record.id);
    return { stdoutPath, stderrPath };
  }

  #statusPath({ id, attempt }: RunRecord): string {
    return join(this.#options.statusDir, `${id}.${attempt}.status`);
  }

  #add(run: LiveRun): void {
    const { jobId, number } = run.record;
    this.#live.set(run.id, run);
    // A start that a full disk kept from being taken back may stand beside the run that came after it.
    if ((this.#liveByJob.get(jobId)?.record.number ?? 0) < number) this.#liveByJob.set(jobId, run);
  }

  #remove(run: LiveRun): void {
    this.#live.delete(run.id);
    if (this.#liveByJob.get(run.record.jobId) === run) this.#liveByJob.delete(run.record.jobId);
  }
}
