import { statSync } from "node:fs";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { listeningPorts, listProcesses, type ProcessInfo, usageOf } from "../platform/process.ts";
import { formatBytes } from "../protocol/durations.ts";
import { messageOf } from "../protocol/errors.ts";
import type { Finding } from "../protocol/messages.ts";
import type { JobPorts, Port } from "../protocol/units.ts";
import { logPaths } from "../runs/logs/files.ts";
import { findOrphans } from "../runs/logs/orphans.ts";
import { findMembers } from "../runs/tree.ts";
import { Awake } from "./awake.ts";
import { isStuck, NO_RUNS, type RunStats, stuckAfterMs } from "./history.ts";
import type { Ledger } from "./ledger.ts";
import type { LiveRun } from "./live-run.ts";
import type { LogRoom } from "./log-room.ts";
import { LookPace } from "./look-pace.ts";
import { silenceMs } from "./probes.ts";
import type { JobRecord } from "./records.ts";
import type { Runner } from "./runner.ts";
import type { JobStore } from "./store.ts";
import type { Observed } from "./views.ts";

/**
 * Looks at what runs: processor time, memory and ports of the trees, how long it has been silent, and what was written since the last look. It decides nothing about
 * jobs, it says what it saw. With nothing running it does nothing at all.
 */
export interface ObserverOptions {
  store: JobStore;
  ledger: Ledger;
  runner: Runner;
  clock: Clock;
  log: Log;
  logsDir: string;
  logRoom: LogRoom;
}

/** Peaks, ports and log sizes are looked at this often while something runs; peaks and ports of what sleeps more rarely (see `LookPace`). */
const SAMPLE_MS = 5_000;
/** A run that has just begun is looked at after these times as well: a server opens its port in its first seconds. */
const FIRST_LOOKS_MS = [700, 2_000];
/** What `list` shows may be this old. */
const FRESH_MS = 500;
/** Ports cost more to find (every descriptor of every process), so they may be older. */
const PORTS_FRESH_MS = 1_500;

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
  readonly #pace = new LookPace();
  /** A run does not write while the machine sleeps. */
  readonly #awake: Awake;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;
  #portsAtMs = Number.NEGATIVE_INFINITY;
  #isSampling = false;

  constructor(options: ObserverOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#awake = new Awake(options.clock);
  }

  start(): void {
    const samples = setInterval(() => void this.#sample(), SAMPLE_MS);
    samples.unref();
    this.#signal.addEventListener("abort", () => clearInterval(samples), { once: true });
  }

  /** From now on until the run's end. */
  watch(run: LiveRun, job: JobRecord): void {
    this.#statsBefore.set(run, job.stats);
    const until = AbortSignal.any([run.over, this.#signal]);
    for (const delayMs of FIRST_LOOKS_MS) {
      until.addEventListener(
        "abort",
        this.#options.clock.timer(delayMs, () => this.refresh()),
        { once: true },
      );
    }
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
    const awakeMs = clock.wallMs() - this.#awake.sinceMs();
    return isStuck({ elapsedMs, silentMs: Math.min(silentMs, awakeMs), stats: job.stats });
  }

  #isSilentTooLong(run: LiveRun, { writtenAtMs }: LogTraces): boolean {
    const { startedAtMs } = run.record;
    const nowMs = this.#options.clock.wallMs();
    return isStuck({
      elapsedMs: nowMs - startedAtMs,
      silentMs: nowMs - Math.max(startedAtMs, writtenAtMs, this.#awake.sinceMs()),
      stats: this.#statsBefore.get(run) ?? NO_RUNS,
    });
  }

  #listens(run: LiveRun): boolean {
    const sample = this.#samples.get(run.id);
    return sample !== undefined && sample.ports.length > 0;
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

  async #sample(): Promise<void> {
    const { runner, log, logRoom } = this.#options;
    if ((runner.liveCount === 0 && !logRoom.hasEnded) || this.#isSampling) return;
    this.#isSampling = true;
    try {
      if (this.#pace.isDue(this.#options.clock.monotonicMs())) this.refresh();
      await logRoom.keepFloor(); // first: the rest may need room
      for (const run of runner.live) await this.#sampleOne(run);
      await logRoom.capEnded();
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
    await this.#options.logRoom.capLive(run);
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
