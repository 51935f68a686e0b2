import { formatBytes, formatDuration } from "../protocol/durations.ts";
import type { WhyReport } from "../protocol/messages.ts";
import { plainLine } from "./text/ansi.ts";

/** The report of `why` as sentences. */
export function whyLines({ job, run, lines, lines_from, history }: WhyReport): string[] {
  const said = [outcomeText(job.outcome, job.status)];
  if (run && run.status !== "running") said.push(`It ran for ${formatDuration(run.duration_ms)}.`);
  if (run?.peak_memory_bytes) said.push(`It used up to ${formatBytes(run.peak_memory_bytes)} of memory.`);
  if (job.leftover_count) said.push(`${job.leftover_count} of its processes outlived it; stop ends them.`);
  const last = history[0];
  if (last) said.push(`Run ${last.run_id} was started by: ${last.cause}.`);
  if (lines.length > 0) said.push("", `Last lines of ${lines_from}:`, ...lines.map((line) => `  ${plainLine(line)}`));
  return said;
}

function outcomeText(outcome: WhyReport["job"]["outcome"], status: string): string {
  if (status === "running") return "It is running.";
  switch (outcome?.kind) {
    case "exited":
      return outcome.status === 0 ? "It ended well (exit status 0)." : `It failed with exit status ${outcome.status}.`;
    case "signalled":
      return `${outcome.signal} ended it${outcome.by === "unknown" ? "; who sent it is not known" : ` (sent by: ${outcome.by})`}.`;
    case "lost":
      return `How it ended is not known: ${outcome.reason}.`;
    default:
      return "It never ran.";
  }
}
