import type { UpJob } from "../protocol/messages.ts";
import type { Condition } from "../protocol/units.ts";
import type { ReadyFile } from "./project-fields.ts";
import type { JobConfig, ProjectConfig } from "./warren-yaml.ts";

/**
 * The jobs of a project as the message `up` carries them. Each runs with the caller's environment, over it that of its env files and of `env`.
 * A blocked job is never started by itself. The limit on readiness travels as `timeout_ms` beside the condition.
 */
export function toUpJobs(config: ProjectConfig, callerEnv: Readonly<Record<string, string | undefined>>): UpJob[] {
  return config.jobs.map((job) => upJob(job, callerEnv));
}

function upJob(job: JobConfig, callerEnv: Readonly<Record<string, string | undefined>>): UpJob {
  const given = new Map(Object.entries(callerEnv).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const env = [...new Map([...given, ...job.env])].map(([key, value]) => `${key}=${value}`);
  return {
    name: job.name,
    command: job.command,
    workdir: job.dir,
    env,
    file_env: [...job.env].map(([key, value]) => `${key}=${value}`),
    autostart: job.autostart && !job.blocked,
    blocked: job.blocked,
    ...(job.labels.size > 0 && { labels: Object.fromEntries(job.labels) }),
    ...(job.after.length > 0 && { depends_on: job.after }),
    ...(job.description !== undefined && { description: job.description }),
    ...(job.ready !== undefined && { ready: conditionOf(job.ready) }),
    ...(job.restart !== undefined && { restart: job.restart }),
    ...(job.timeoutMs !== undefined && { timeout_ms: job.timeoutMs }),
    ...(job.graceMs !== undefined && { grace_ms: job.graceMs }),
    ...(job.stopSignal !== undefined && { stop_signal: job.stopSignal }),
    ...(job.logMaxBytes !== undefined && { log_max_bytes: job.logMaxBytes }),
  };
}

function conditionOf({ port, log, http, idle, timeout }: ReadyFile): Condition {
  const limit = timeout === undefined ? {} : { timeout_ms: timeout };
  if (port !== undefined) return { kind: "port", ...(port !== "any" && { port }), ...limit };
  if (log !== undefined) return { kind: "log", pattern: log, ...limit };
  if (http !== undefined) return { kind: "http", url: http, ...limit };
  if (idle !== undefined) return { kind: "idle", idle_ms: idle, ...limit };
  return { kind: "exit", ...limit };
}
