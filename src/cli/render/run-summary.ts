import { formatDuration } from "../../protocol/durations.ts";
import type { Job } from "../../protocol/units.ts";
import type { Context } from "../context.ts";
import type { Output } from "../output.ts";
import type { EndedRun } from "../run-end.ts";
import { nextLines } from "./hints.ts";
import { commandText, exitCodeText, nameOf } from "./job-text.ts";

/** gob's summary of a run that has ended. */
export function summaryLines(output: Output, job: Job, run: Extract<EndedRun, { kind: "ended" }>["run"]): string[] {
  const name = nameOf(job);
  const lines = [
    "",
    `Job ${output.style.bold(name)} completed`,
    `  Command:   ${commandText(job)}`,
    `  Duration:  ${formatDuration(run.duration_ms)}`,
    `  Exit code: ${exitCodeText(run.outcome)}`,
  ];
  if (run.outcome?.kind !== "exited" || run.outcome.status !== 0) return lines;
  const hints = [
    [`warren stdout ${name}`, "view stdout"],
    [`warren stderr ${name}`, "view stderr"],
    [`warren logs ${name}`, "view both"],
  ] as const;
  return [...lines, ...nextLines(output, hints)];
}

/** The wait is over, the job is not: exit status 121. */
export function sayStuck({ output }: Context, job: Job): void {
  output.errorLine(`Job ${nameOf(job)} possibly stuck (no output for 1m)`);
  for (const line of stuckHints(output, nameOf(job))) output.errorLine(line);
}

const stuckHints = (output: Output, name: string): string[] =>
  nextLines(output, [
    [`warren stdout ${name}`, "check current output"],
    [`warren await ${name}`, "continue waiting with output"],
    [`warren stop ${name}`, "stop the job"],
  ]);
