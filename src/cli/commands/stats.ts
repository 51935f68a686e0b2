import { formatDuration } from "../../protocol/durations.ts";
import { EXIT } from "../../protocol/outcome.ts";
import type { Job } from "../../protocol/units.ts";
import { defineCommand, JSON_OPTION, ONE_UNIT } from "../command.ts";
import { onUnit } from "../on-unit.ts";
import { commandText, nameOf } from "../render/job-text.ts";

export const stats = defineCommand({
  usage: ["stats NAME [--json]"],
  details: "Killed and lost runs count as runs; durations are of those that ended by themselves.",
  examples: [
    { command: "warren stats test", does: "how often it succeeds and how long it takes" },
    { command: "warren stats test --json", does: "the same for a program" },
  ],
  options: { json: JSON_OPTION },
  operands: ONE_UNIT,
  async run(context, { values, operands }) {
    const { job } = await onUnit(context, operands[0]!, {
      verb: "stats",
      job: (jobId) => context.client().request("stats", { job_id: jobId, workdir: context.cwd }),
    });
    if (values.json) context.output.json(job);
    else for (const line of statsLines(job)) context.output.line(line);
    return EXIT.ok;
  },
});

function statsLines(job: Job): string[] {
  const ended = job.run_count - (job.status === "running" ? 1 : 0);
  const lines = [`Job: ${nameOf(job)} (${commandText(job)})`, `Total runs: ${job.run_count}`];
  if (ended === 0) return lines;
  lines.push(`Success rate: ${Math.round(job.success_rate)}% (${job.success_count}/${ended})`);
  if (job.success_count > 0) lines.push(`Avg success duration: ${formatDuration(job.avg_duration_ms)}`);
  if (job.failure_count > 0) lines.push(`Avg failure duration: ${formatDuration(job.failure_avg_duration_ms)}`);
  if (job.p50_duration_ms !== undefined) lines.push(`Half take at most: ${formatDuration(job.p50_duration_ms)}`);
  if (job.p90_duration_ms !== undefined) lines.push(`Nine in ten take at most: ${formatDuration(job.p90_duration_ms)}`);
  if (job.success_count + job.failure_count > 0) {
    lines.push(`Fastest: ${formatDuration(job.min_duration_ms)}`, `Slowest: ${formatDuration(job.max_duration_ms)}`);
  }
  return lines;
}
