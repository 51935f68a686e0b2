import type { Job, Run } from "../../protocol/units.ts";

/** A running job as the server describes one; for tests. */
export const sampleJob = (changes: Partial<Job> = {}): Job => ({
  id: "4xc",
  kind: "job",
  server: "blazing",
  pid: 12345,
  status: "running",
  state: "running",
  outcome: null,
  command: ["npm", "run", "dev"],
  workdir: "/srv/site",
  labels: {},
  created_at: "2026-01-01T00:00:00.000Z",
  started_at: "2026-01-01T00:00:00.000Z",
  stdout_path: "/logs/4xc-1.stdout.log",
  stderr_path: "/logs/4xc-1.stderr.log",
  run_id: "4xc-1",
  run_count: 1,
  success_count: 0,
  failure_count: 0,
  success_rate: 0,
  avg_duration_ms: 0,
  failure_avg_duration_ms: 0,
  min_duration_ms: 0,
  max_duration_ms: 0,
  ...changes,
});

export const sampleRun = (changes: Partial<Run> = {}): Run => ({
  id: "4xc-1",
  job_id: "4xc",
  pid: 0,
  status: "stopped",
  state: "ended",
  outcome: { kind: "exited", status: 0 },
  exit_code: 0,
  stdout_path: "/logs/4xc-1.stdout.log",
  stderr_path: "/logs/4xc-1.stderr.log",
  started_at: "2026-01-01T00:00:00.000Z",
  duration_ms: 1000,
  ...changes,
});
