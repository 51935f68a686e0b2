import { formatDuration } from "../../protocol/durations.ts";
import type { DataOf } from "../../protocol/messages.ts";
import { EXIT, succeeded } from "../../protocol/outcome.ts";
import type { Job } from "../../protocol/units.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { exitStatusOfOutcome } from "../exit-status.ts";
import { NEW_JOB_OPTIONS, newJobOf } from "../new-job.ts";
import { sayGoesOn } from "../render/goes-on.ts";
import { commandText, expectedMs, historyLines, nameOf, runningForText, stuckAfterMs } from "../render/job-text.ts";
import { sayStuck, summaryLines } from "../render/run-summary.ts";
import { showWait } from "../render/wait-line.ts";
import { type EndedRun, endOf } from "../run-end.ts";
import { sizeOf } from "../values.ts";

/** Of each stream of a run that failed; the rest stays in the log. */
const OUTPUT_BYTES_DEFAULT = "1MB";

export const run = defineCommand({
  usage: ["run [FLAGS] [--] COMMAND [ARGUMENT…]"],
  details:
    "Waits in silence. When the command fails, its output is printed; warren exits with the command's own status, 128+n for a signal. Ctrl-C ends the wait (status 130) and not the command.\n\nOther statuses: 124 at --timeout, 121 when it seems stuck (it goes on), 120 when it is not known how it ended, 126 and 127 when it cannot be started, 125 for an error of Warren's, 2 for a wrong command line.",
  examples: [
    { command: "warren run npm test", does: "prints output only when the tests fail" },
    { command: "warren run --follow --timeout 10m -- make release", does: "shows the output as it comes" },
  ],
  options: {
    ...NEW_JOB_OPTIONS,
    quiet: { type: "boolean", short: "q", description: "print nothing but the output of a failure", group: "Output" },
    follow: { type: "boolean", short: "f", description: "print the output as it comes", group: "Output" },
    "max-bytes": {
      type: "string",
      value: "SIZE",
      description: `print at most this much of each stream of a failure; default: ${OUTPUT_BYTES_DEFAULT}`,
      group: "Output",
    },
  },
  operands: { kinds: ["file"], min: 1 },
  takesCommand: true,
  async run(context, { values, operands }) {
    const maxBytes = sizeOf("--max-bytes", values["max-bytes"] ?? OUTPUT_BYTES_DEFAULT)!;
    const interrupted = context.interrupted();
    const started = await context.client().request("run", await newJobOf(context, values, operands));
    const isQuiet = values.json === true || values.quiet === true;
    if (!isQuiet) announce(context, started);
    const end = values.follow
      ? await (await import("../follow-run.ts")).followToEnd(context, started.job, interrupted)
      : await waitSilently(context, started.job, interrupted);
    return finish(context, end, {
      job: started.job,
      follow: values.follow === true,
      json: values.json === true,
      isQuiet,
      maxBytes,
    });
  },
});

function announce({ output, nowMs }: Context, { job, action }: DataOf<"run">): void {
  const id = output.style.bold(nameOf(job));
  if (action === "already_running")
    output.line(`Job ${id} already running (${runningForText(job, nowMs())}), attaching...`);
  else output.line(`Running job ${id}: ${commandText(job)}`);
  if (job.description) output.line(`  ${job.description}`);
  for (const line of historyLines(job)) output.line(line);
  output.line(`  Stuck detection: timeout after ${formatDuration(stuckAfterMs(job))}`);
}

async function waitSilently(context: Context, job: Job, interrupted: AbortSignal): Promise<EndedRun> {
  const line = showWait(context.output, { what: `${nameOf(job)} runs`, expectedMs: expectedMs(job) });
  try {
    return await endOf(context, job, interrupted);
  } finally {
    line.erase();
  }
}

interface FinishOptions {
  job: Job;
  follow: boolean;
  json: boolean;
  isQuiet: boolean;
  maxBytes: number;
}

async function finish(context: Context, end: EndedRun, options: FinishOptions): Promise<number> {
  const { output } = context;
  const { job, follow, json, isQuiet, maxBytes } = options;
  if (end.kind === "interrupted") {
    sayGoesOn(output, job);
    return EXIT.interrupted;
  }
  if (json) output.json({ job: end.job, ...(end.kind === "ended" ? { run: end.run } : { stuck: true }) });
  if (end.kind === "stuck") {
    if (!json) sayStuck(context, end.job);
    return EXIT.stuck;
  }
  const failed = !succeeded(end.run.outcome as Parameters<typeof succeeded>[0]);
  if (failed && !follow && !json) {
    const { printOutput } = await import("../print-output.ts");
    await printOutput(context, end.run, maxBytes);
  }
  if (!isQuiet) for (const line of summaryLines(output, end.job, end.run)) output.line(line);
  return exitStatusOfOutcome(end.run.outcome);
}
