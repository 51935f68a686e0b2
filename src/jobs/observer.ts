import { statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { bootId, isAlive, listeningPorts, listProcesses, type ProcessInfo, usageOf } from "../platform/process.ts";
import { formatBytes } from "../protocol/durations.ts";
import { messageOf } from "../protocol/errors.ts";
import type { Finding } from "../protocol/messages.ts";
import type { JobPorts, Port } from "../protocol/units.ts";
import { holdBallast, releaseBallast } from "../runs/logs/ballast.ts";
import { capRunLog } from "../runs/logs/cap.ts";
import { logPaths } from "../runs/logs/files.ts";
import { enforceFreeSpaceFloor, type FloorCandidate } from "../runs/logs/floor.ts";
import { findOrphans } from "../runs/logs/orphans.ts";
import { findMembers } from "../runs/tree.ts";
import { isStuck, NO_RUNS, type RunStats, stuckAfterMs } from "./history.ts";
import type { Ledger } from "./ledger.ts";
import type { LiveRun } from "./live-run.ts";
import { LookPace } from "./look-pace.ts";
import { silenceMs } from "./probes.ts";
import type { JobOptions, JobRecord, RunRecord } from "./records.ts";
import type { Runner } from "./runner.ts";
import type { JobStore } from "./store.ts";
import type { Observed } from "./views.ts";

/**
 * Looks at what runs: processor time, memory and ports of the trees, owners, time limits, the size of logs and the free space below them. It decides
 * nothing about jobs: it asks for a stop, or says what it saw. With nothing running it does nothing at all.
 */
export interface ObserverOptions {
  store: JobStore;
  ledger: Ledger;
  runner: Runner;
  clock: Clock;
  log: Log;
  logsDir: string;
  logMaxBytes: number;
  freeSpaceFloorBytes: number;
  stop: (run: LiveRun, by: "timeout" | "owner") => void;
}

/** Owners are looked after this often: no system call tells of the death of a process that is not our child. */
const OWNER_LOOK_MS = 1_000;
/** Peaks, ports and log sizes are looked at this often while something runs; peaks and ports of what sleeps more rarely (see `LookPace`). */
const SAMPLE_MS = 5_000;
/** A run that has just begun is looked at after these times as well: a server opens its port in its first seconds. */
const FIRST_LOOKS_MS = [700, 2_000];
/** What `list` shows may be this old. */
const FRESH_MS = 500;
/** Ports cost more to find (every descriptor of every process), so they may be older. */
const PORTS_FRESH_MS = 1_500;
/** Files of ended runs looked at when space is short. */
const FLOOR_CANDIDATES_MAX = 5_000;

interface Sample {
  atMs: number;
  cpuMs: number;
  cpuPercent: number;
  memoryBytes: number;
  ports: Port[];
  isStuck: boolean;
  /** As they were at the last look at their size. */
  logs: LogTraces | undefined;
}

/** By which it is seen that something was written. */
interface LogTraces {
  blocks: number;
  writtenAtMs: number;
}

export class Observer {
  readonly #options: ObserverOptions;
  readonly #signal: AbortSignal;
  readonly #samples = new Map<string, Sample>();
  /** Of the job's earlier runs: the same for as long as this one lives. */
  readonly #statsBefore = new WeakMap<LiveRun, RunStats>();
  /** Live runs that end with somebody else. */
  readonly #owned = new Map<LiveRun, NonNullable<JobOptions["owner"]>>();
  /** Ended since the last look at the sizes of logs. */
  readonly #justEnded: RunRecord[] = [];
  readonly #pace = new LookPace();
  #refreshedAtMs = Number.NEGATIVE_INFINITY;
  #portsAtMs = Number.NEGATIVE_INFINITY;
  #isSampling = false;
  /** Beside the logs: the state is there too. */
  readonly #ballastPath: string;

  constructor(options: ObserverOptions, signal: AbortSignal) {
    this.#options = options;
    this.#ballastPath = join(dirname(options.logsDir), "ballast");
    this.#signal = signal;
  }

  start(): void {
    void holdBallast(this.#ballastPath);
    const owners = setInterval(() => this.#lookAfterOwners(), OWNER_LOOK_MS);
    const samples = setInterval(() => void this.#sample(), SAMPLE_MS);
    owners.unref();
    samples.unref();
    this.#signal.addEventListener(
      "abort",
      () => {
        clearInterval(owners);
        clearInterval(samples);
      },
      { once: true },
    );
  }

  /** From now on until the run's end. */
  watch(run: LiveRun, job: JobRecord): void {
    this.#statsBefore.set(run, job.stats);
    const until = AbortSignal.any([run.over, this.#signal]);
    const { owner } = job.options;
    if (owner?.on_death === "kill") {
      this.#owned.set(run, owner);
      until.addEventListener("abort", () => this.#owned.delete(run), { once: true });
    }
    for (const delayMs of FIRST_LOOKS_MS) {
      until.addEventListener(
        "abort",
        this.#options.clock.timer(delayMs, () => this.refresh()),
        { once: true },
      );
    }
    this.#armTimeout(run, job, until);
  }

  /** Its logs are looked at once more: it may have written more than their cap since the last look. */
  afterEnd(run: RunRecord): void {
    this.#justEnded.push(run);
  }

  /** What is left of the time limit, when the run was taken over. */
  #armTimeout(run: LiveRun, job: JobRecord, until: AbortSignal): void {
    const { timeout_ms: timeoutMs } = job.options;
    if (timeoutMs === undefined) return;
    const { clock, stop } = this.#options;
    // A wall clock that jumped must neither cut the run short by more than was measured nor give it more than its whole time.
    const spentMs = Math.max(0, clock.wallMs() - run.record.startedAtMs);
    const cancel = clock.timer(Math.max(0, Math.min(timeoutMs, timeoutMs - spentMs)), () => stop(run, "timeout"));
    until.addEventListener("abort", cancel, { once: true });
  }

  /** Brings memory, processor share and ports up to date, unless they were a moment ago. One look at /proc for all runs. */
  refresh(): void {
    const { clock, runner } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#refreshedAtMs < FRESH_MS || runner.liveCount === 0) return;
    this.#refreshedAtMs = nowMs;
    const trees = treesOf(listProcesses(), runner.live);
    let usedMs = 0;
    for (const run of runner.live) usedMs += this.#update(run, trees.get(run.id) ?? [], nowMs);
    this.#pace.note({ atMs: nowMs, usedMs, pids: [...trees.values()].flat().map(({ pid }) => pid) });
    if (nowMs - this.#portsAtMs < PORTS_FRESH_MS) return;
    this.#portsAtMs = nowMs;
    const ports = portsByTree(trees);
    for (const run of runner.live) this.#tellPorts(run, ports.get(run.id) ?? []);
  }

  observed(jobId: string): Observed {
    const run = this.#options.runner.ofJob(jobId);
    const sample = run && this.#samples.get(run.id);
    if (!sample) return {};
    return {
      cpuPercent: sample.cpuPercent,
      memoryBytes: sample.memoryBytes,
      stuck: sample.isStuck,
      ...(sample.ports.length > 0 ? { ports: sample.ports } : {}),
    };
  }

  portsOf(job: JobRecord): JobPorts {
    const run = this.#options.runner.ofJob(job.id);
    if (!run?.marks)
      return {
        job_id: job.id,
        pid: 0,
        ports: [],
        status: "stopped",
        message: `job ${job.name ?? job.id} is not running`,
      };
    const ports = listeningPorts(findMembers(run.marks).map(({ pid }) => pid));
    this.#tellPorts(run, ports);
    return { job_id: job.id, pid: run.record.jobPid ?? 0, ports };
  }

  async isStuck(run: LiveRun): Promise<boolean> {
    const { store, clock, logsDir } = this.#options;
    const job = store.job(run.record.jobId);
    // What listens waits for others, as it should: a quiet dev server is not stuck.
    if (!job || this.#listens(run)) return false;
    const elapsedMs = clock.wallMs() - run.record.startedAtMs;
    if (elapsedMs <= stuckAfterMs(job.stats)) return false;
    const silentMs = await silenceMs(logPaths(logsDir, run.id), run.record.startedAtMs, clock);
    return isStuck({ elapsedMs, silentMs, stats: job.stats });
  }

  #isSilentTooLong(run: LiveRun, { writtenAtMs }: LogTraces): boolean {
    const { startedAtMs } = run.record;
    const nowMs = this.#options.clock.wallMs();
    return isStuck({
      elapsedMs: nowMs - startedAtMs,
      silentMs: nowMs - Math.max(startedAtMs, writtenAtMs),
      stats: this.#statsBefore.get(run) ?? NO_RUNS,
    });
  }

  #listens(run: LiveRun): boolean {
    const sample = this.#samples.get(run.id);
    return sample !== undefined && sample.ports.length > 0;
  }

  forget(runId: string): void {
    this.#samples.delete(runId);
  }

  /** For `doctor`. */
  async findings(knownRunIds: ReadonlySet<string>): Promise<Finding[]> {
    const { logsDir, runner } = this.#options;
    const findings: Finding[] = [];
    const orphans = await findOrphans(logsDir, knownRunIds);
    if (orphans.length > 0) {
      const bytes = orphans.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      findings.push({
        level: "warning",
        subject: "orphaned logs",
        text: `${orphans.length} log files (${formatBytes(bytes)}) belong to no run.`,
        fix: "warren cleanup",
      });
    }
    for (const run of runner.live) {
      if (!run.shimLost) continue;
      findings.push({
        level: "warning",
        subject: run.record.jobId,
        text: `The shim of run ${run.id} was killed: the job goes on, but its exit status will not be known.`,
        fix: `warren restart ${run.record.jobId}`,
      });
    }
    return findings;
  }

  #lookAfterOwners(): void {
    for (const [run, owner] of this.#owned) {
      if (run.stopping) continue;
      if (!isAlive({ bootId: bootId(), pid: owner.pid, startTicks: owner.start_ticks ?? -1 }))
        this.#options.stop(run, "owner");
    }
  }

  async #sample(): Promise<void> {
    const { runner, log } = this.#options;
    if ((runner.liveCount === 0 && this.#justEnded.length === 0) || this.#isSampling) return;
    this.#isSampling = true;
    try {
      if (this.#pace.isDue(this.#options.clock.monotonicMs())) this.refresh();
      await this.#keepFloor(); // first: the rest may need room
      for (const run of runner.live) await this.#sampleOne(run);
      for (const { id } of this.#justEnded.splice(0)) await this.#capEnded(id);
    } catch (error) {
      log.warn("sample_failed", { error: messageOf(error) });
    } finally {
      this.#isSampling = false;
    }
  }

  /** Nothing is looked up of the job of a run that is silent: that is what most are, and there may be hundreds. */
  async #sampleOne(run: LiveRun): Promise<void> {
    const sample = this.#samples.get(run.id);
    if (sample) {
      const { logs } = sample;
      const now = logTraces(logPaths(this.#options.logsDir, run.id));
      sample.logs = now;
      sample.isStuck = !this.#listens(run) && this.#isSilentTooLong(run, now);
      if (logs?.blocks === now.blocks && logs.writtenAtMs === now.writtenAtMs) return;
    }
    const dropped = await this.#capLogs(run.record);
    if (dropped && !run.over.aborted) run.record = { ...run.record, ...atLeast(run.record, dropped) };
  }

  async #capEnded(runId: string): Promise<void> {
    const { store, ledger } = this.#options;
    const ended = store.run(runId);
    const dropped = ended && (await this.#capLogs(ended));
    const run = store.run(runId); // it may have been removed meanwhile
    if (run && dropped) ledger.tryCommit(() => store.updateRun({ ...run, ...atLeast(run, dropped) }));
  }

  /** Absolute offsets before which all is gone; undefined when nothing is. */
  async #capLogs({ id, jobId }: RunRecord): Promise<Dropped | undefined> {
    const { logsDir, logMaxBytes, store } = this.#options;
    const maxBytes = store.job(jobId)?.options.log_max_bytes ?? logMaxBytes;
    const { stdoutPath, stderrPath } = logPaths(logsDir, id);
    const stdoutDropped = await this.#cap(stdoutPath, maxBytes);
    const stderrDropped = await this.#cap(stderrPath, maxBytes);
    return stdoutDropped === 0 && stderrDropped === 0 ? undefined : { stdoutDropped, stderrDropped };
  }

  /** Looked at cheaply first: most logs are far below their cap. */
  async #cap(path: string, maxBytes: number): Promise<number> {
    const diskBytes = (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
    return diskBytes > maxBytes ? (await capRunLog(path, maxBytes)).droppedBytes : 0;
  }

  async #keepFloor(): Promise<void> {
    const { logsDir, freeSpaceFloorBytes, ledger, store, log } = this.#options;
    const { bavail, bsize } = await statfs(logsDir);
    if (bavail * bsize >= freeSpaceFloorBytes) return holdBallast(this.#ballastPath);
    await releaseBallast(this.#ballastPath);
    const candidates = this.#floorCandidates();
    const { freed, freeBytes } = await enforceFreeSpaceFloor({
      dir: logsDir,
      floorBytes: freeSpaceFloorBytes,
      candidates,
    });
    if (freed.length === 0) return;
    log.warn("disk_low", { free_bytes: freeBytes, freed: freed.length });
    ledger.tryCommit((tell) => {
      for (const { runId, kind, freedBytes, droppedBytes } of freed) {
        const run = store.run(runId);
        const job = run && store.job(run.jobId);
        if (job)
          tell("job_updated", job, run, {
            disk_low: { kind, freed_bytes: freedBytes, dropped_bytes: droppedBytes, free_bytes: freeBytes },
          });
      }
    });
  }

  #floorCandidates(): FloorCandidate[] {
    const { store, logsDir, runner } = this.#options;
    const filesOf = (runId: string, live: boolean): FloorCandidate[] => {
      const { stdoutPath, stderrPath } = logPaths(logsDir, runId);
      return [stdoutPath, stderrPath].map((path) => ({ path, runId, live }));
    };
    const ended = store.endedRuns(FLOOR_CANDIDATES_MAX).flatMap(({ id }) => filesOf(id, false));
    return [...ended, ...[...runner.live].flatMap(({ id }) => filesOf(id, true))];
  }

  /** Answers with the processor time that it has used since the look before. */
  #update(run: LiveRun, tree: ProcessInfo[], nowMs: number): number {
    const { cpuMs, rssBytes } = usageOf(tree);
    const before = this.#samples.get(run.id);
    const sinceMs = before ? nowMs - before.atMs : Math.max(1, this.#options.clock.wallMs() - run.record.startedAtMs);
    const usedMs = Math.max(0, cpuMs - (before?.cpuMs ?? 0));
    const cpuPercent = Math.round((usedMs / Math.max(1, sinceMs)) * 1000) / 10;
    this.#samples.set(run.id, {
      atMs: nowMs,
      cpuMs,
      cpuPercent,
      memoryBytes: rssBytes,
      ports: before?.ports ?? [],
      isStuck: before?.isStuck ?? false,
      logs: before?.logs,
    });
    run.record = {
      ...run.record,
      cpuMs: Math.max(cpuMs, run.record.cpuMs ?? 0),
      peakMemoryBytes: Math.max(rssBytes, run.record.peakMemoryBytes ?? 0),
    };
    if (!before) run.over.addEventListener("abort", () => this.#samples.delete(run.id), { once: true });
    return usedMs;
  }

  #tellPorts(run: LiveRun, ports: Port[]): void {
    const sample = this.#samples.get(run.id);
    if (!sample || JSON.stringify(sample.ports) === JSON.stringify(ports)) return;
    sample.ports = ports;
    const { store, ledger } = this.#options;
    const job = store.job(run.record.jobId);
    if (job) ledger.tryCommit((tell) => tell("ports_updated", job, run.record, { ports }));
  }
}

interface Dropped {
  stdoutDropped: number;
  stderrDropped: number;
}

const atLeast = (run: RunRecord, { stdoutDropped, stderrDropped }: Dropped): Dropped => ({
  stdoutDropped: Math.max(stdoutDropped, run.stdoutDropped ?? 0),
  stderrDropped: Math.max(stderrDropped, run.stderrDropped ?? 0),
});

function logTraces({ stdoutPath, stderrPath }: ReturnType<typeof logPaths>): LogTraces {
  const traces = { blocks: 0, writtenAtMs: 0 };
  for (const path of [stdoutPath, stderrPath]) {
    const found = statSync(path, { throwIfNoEntry: false });
    traces.blocks += found?.blocks ?? 0;
    traces.writtenAtMs = Math.max(traces.writtenAtMs, found?.mtimeMs ?? 0);
  }
  return traces;
}

/** One search for all trees; a port belongs to the tree of the process that holds it. */
function portsByTree(trees: Map<string, ProcessInfo[]>): Map<string, Port[]> {
  const runByPid = new Map<number, string>();
  for (const [runId, tree] of trees) for (const { pid } of tree) runByPid.set(pid, runId);
  return Map.groupBy(listeningPorts([...runByPid.keys()]), ({ pid }) => runByPid.get(pid) ?? "");
}

/** Members of each run, by session and descent: one pass for all runs. Those that left the session and lost their parent are found by `findMembers` only. */
function treesOf(processes: ProcessInfo[], runs: Iterable<LiveRun>): Map<string, ProcessInfo[]> {
  const trees = new Map<string, ProcessInfo[]>();
  const runByPid = new Map<number, string>();
  for (const run of runs) {
    if (!run.job) continue;
    runByPid.set(run.job.pid, run.id);
    trees.set(run.id, []);
  }
  const ordered = processes.toSorted((a, b) => a.startTicks - b.startTicks);
  for (const info of ordered) {
    const runId = runByPid.get(info.pid) ?? runByPid.get(info.sid) ?? runByPid.get(info.ppid);
    if (runId === undefined) continue;
    if (!runByPid.has(info.pid)) runByPid.set(info.pid, runId);
    trees.get(runId)?.push(info);
  }
  return trees;
}
