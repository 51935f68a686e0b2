import { formatDuration } from "../../protocol/durations.ts";
import type { Job } from "../../protocol/units.ts";

/** gob's sentences about a job, kept word for word, since scripts and agents read them. */

/** Fewer successes than this say nothing about how long it takes. */
const EXPECTATION_COUNT_MIN = 3;
const STUCK_DEFAULT_MS = 5 * 60_000;
const STUCK_SLACK_MS = 60_000;

/** What a person calls the job: its name, or its id where it has none. */
export const nameOf = (job: Pick<Job, "id" | "name">): string => job.name ?? job.id;

export const commandText = (job: Pick<Job, "command">): string => job.command.join(" ");

/** What is known from earlier runs, indented by two. */
export function historyLines(job: Job): string[] {
  const lines: string[] = [];
  const endedCount = job.run_count - (job.status === "running" ? 1 : 0);
  const isJudged = job.success_count + job.failure_count > 0; // runs that were stopped say nothing about success
  const rate = isJudged ? ` (${Math.round(job.success_rate)}% success rate)` : "";
  if (endedCount > 0) lines.push(`  Previous runs: ${endedCount}${rate}`);
  if (job.success_count >= EXPECTATION_COUNT_MIN) {
    lines.push(`  Expected duration if success: ~${formatDuration(job.avg_duration_ms)}`);
  }
  if (job.failure_count >= EXPECTATION_COUNT_MIN) {
    lines.push(`  Expected duration if failure: ~${formatDuration(job.failure_avg_duration_ms)}`);
  }
  return lines;
}

/** After how long without an end, and a minute without output, a run counts as stuck. */
export const stuckAfterMs = (job: Pick<Job, "success_count" | "avg_duration_ms">): number =>
  job.success_count < EXPECTATION_COUNT_MIN ? STUCK_DEFAULT_MS : job.avg_duration_ms + STUCK_SLACK_MS;

/** Of a run that usually takes as long as `job` did; undefined when that is not known. */
export const expectedMs = (job: Job): number | undefined =>
  job.success_count >= EXPECTATION_COUNT_MIN ? (job.p50_duration_ms ?? job.avg_duration_ms) : undefined;

/** `since 2m10s ago` of a run that was found running. */
export const runningForText = (job: Job, nowMs: number): string =>
  job.started_at === undefined ? "" : `since ${formatDuration(nowMs - Date.parse(job.started_at))} ago`;

/** What stands behind `Exit code:`. */
export function exitCodeText(outcome: Job["outcome"]): string {
  switch (outcome?.kind) {
    case "exited":
      return String(outcome.status);
    case "signalled":
      return `${outcome.status} (killed by ${outcome.signal}${SIGNALLED_BY[outcome.by]})`;
    case "lost":
      return `unknown (lost: ${outcome.reason})`;
    default:
      return "unknown";
  }
}

const SIGNALLED_BY = { user: "", timeout: " at its timeout", owner: " when its owner ended", stop: "", unknown: "" };
