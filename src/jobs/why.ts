import type { WhyReport } from "../protocol/messages.ts";
import type { Job, Run } from "../protocol/units.ts";
import { logPathsOfRun } from "../runs/logs/files.ts";
import { lastLines } from "./last-lines.ts";

/** The message `why`: what the last run said last, how it ended, what it took, and what started it and those before. */
export async function whyReport({
  job,
  runs,
  lineCount,
}: {
  job: Job;
  runs: Run[];
  lineCount: number;
}): Promise<WhyReport> {
  const run = runs[0];
  const history = runs.map(({ id, cause, started_at }) => ({ run_id: id, cause: cause ?? "user", at: started_at }));
  if (!run) return { job, run: null, lines: [], lines_from: "stdout", history };
  const paths = logPathsOfRun(run);
  const errors = await lastLines(paths, "stderr", lineCount);
  if (errors.length > 0) return { job, run, lines: errors, lines_from: "stderr", history };
  return { job, run, lines: await lastLines(paths, "stdout", lineCount), lines_from: "stdout", history };
}
