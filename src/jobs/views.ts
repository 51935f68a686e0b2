import { join } from "node:path";
import { timestamp } from "../platform/clock.ts";
import type { Outcome } from "../protocol/outcome.ts";
import type { Job, Port, Run } from "../protocol/units.ts";
import { avgFailureMs, avgSuccessMs, expected, progressPercent, successRate } from "./history.ts";
import type { JobRecord, RunRecord } from "./records.ts";

/** Records as the wire shows them (CONTRACT §5). Pure. */

/** What is known of a job beyond its rows: measured, not stored. */
export interface Observed {
  stuck?: boolean;
  ports?: Port[];
  cpuPercent?: number;
  memoryBytes?: number;
}

export interface ViewContext {
  server: string;
  logsDir: string;
  nowMs: number;
}

export function viewJob(job: JobRecord, run: RunRecord | undefined, observed: Observed, context: ViewContext): Job {
  const { options, stats } = job;
  const live = run !== undefined && run.state !== "ended";
  const outcome = run?.outcome ?? null;
  const { p50Ms, p90Ms } = expected(stats);
  const { owner } = options;
  return clean({
    id: job.id,
    name: job.name ?? undefined,
    kind: "job",
    server: context.server,
    pid: live ? (run.jobPid ?? 0) : 0,
    status: live ? "running" : "stopped",
    state: stateOf(job, run),
    outcome: live ? null : outcome,
    command: job.command,
    workdir: job.workdir,
    description: options.description,
    labels: options.labels ?? {},
    blocked: options.blocked || undefined,
    owner: owner && { pid: owner.pid, on_death: owner.on_death },
    restart: options.restart,
    restart_count: job.restartCount || undefined,
    timeout_ms: options.timeout_ms,
    ready: options.ready && live ? run.ready : undefined,
    stuck: observed.stuck || undefined,
    depends_on: options.depends_on,
    autostart: options.autostart,
    created_at: timestamp(job.createdAtMs),
    started_at: run && timestamp(run.startedAtMs),
    stopped_at: run?.stoppedAtMs != null ? timestamp(run.stoppedAtMs) : undefined,
    stdout_path: run ? logPath(context.logsDir, run.id, "stdout") : "",
    stderr_path: run ? logPath(context.logsDir, run.id, "stderr") : "",
    exit_code: live ? undefined : exitCodeOf(outcome),
    run_id: run?.id,
    ports: observed.ports,
    cpu_percent: observed.cpuPercent,
    memory_bytes: observed.memoryBytes,
    run_count: stats.runCount + (live ? 1 : 0),
    success_count: stats.successCount,
    failure_count: stats.failureCount,
    success_rate: successRate(stats),
    avg_duration_ms: avgSuccessMs(stats),
    failure_avg_duration_ms: avgFailureMs(stats),
    min_duration_ms: stats.minMs,
    max_duration_ms: stats.maxMs,
    p50_duration_ms: p50Ms,
    p90_duration_ms: p90Ms,
    progress_percent: live ? progressPercent(context.nowMs - run.startedAtMs, p50Ms) : undefined,
  });
}

export function viewRun(run: RunRecord, context: ViewContext): Run {
  return clean({
    id: run.id,
    job_id: run.jobId,
    pid: run.jobPid ?? 0,
    status: run.state === "ended" ? "stopped" : "running",
    state: run.state,
    outcome: run.outcome,
    exit_code: exitCodeOf(run.outcome),
    stdout_path: logPath(context.logsDir, run.id, "stdout"),
    stderr_path: logPath(context.logsDir, run.id, "stderr"),
    started_at: timestamp(run.startedAtMs),
    stopped_at: run.stoppedAtMs === null ? undefined : timestamp(run.stoppedAtMs),
    duration_ms: durationMs(run, context.nowMs),
    cause: run.cause,
    peak_memory_bytes: run.peakMemoryBytes ?? undefined,
    cpu_ms: run.cpuMs ?? undefined,
    stdout_dropped_bytes: run.stdoutDropped ?? undefined,
    stderr_dropped_bytes: run.stderrDropped ?? undefined,
  });
}

/** Never negative, also when the clock went back. */
export const durationMs = (run: RunRecord, nowMs: number): number =>
  Math.max(0, (run.stoppedAtMs ?? nowMs) - run.startedAtMs);

function stateOf(job: JobRecord, run: RunRecord | undefined): Job["state"] {
  if (run && run.state !== "ended") return run.state;
  if (job.wanted === "up") return "waiting";
  return run ? "ended" : "created";
}

/** gob's `exit_code`: absent for a run that a signal ended, and for a lost one. */
const exitCodeOf = (outcome: Outcome | null): number | undefined =>
  outcome?.kind === "exited" ? outcome.status : undefined;

const logPath = (logsDir: string, runId: string, stream: "stdout" | "stderr"): string =>
  join(logsDir, `${runId}.${stream}.log`);

/** Without the fields that are undefined: absent on the wire is absent here. */
function clean<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  for (const key of Object.keys(value) as (keyof T)[]) if (value[key] === undefined) delete value[key];
  return value as T;
}
