import { EXIT } from "../../protocol/outcome.ts";
import type { Job } from "../../protocol/units.ts";
import { defineCommand, JSON_OPTION, ONE_UNIT } from "../command.ts";
import type { Context } from "../context.ts";
import { exitStatusOfOutcome } from "../exit-status.ts";
import { followToEnd } from "../follow-run.ts";
import { onUnit } from "../on-unit.ts";
import { sayGoesOn } from "../render/goes-on.ts";
import { commandText, exitCodeText, historyLines, nameOf } from "../render/job-text.ts";
import { sayStuck, summaryLines } from "../render/run-summary.ts";
import { endOf } from "../run-end.ts";
import { latestRun } from "../run-of.ts";
import { type SessionHandle, sessionTitle } from "../sessions/session-client.ts";

export const await_ = defineCommand({
  usage: ["await NAME [--json]"],
  details:
    "Prints the output of a job or session from its beginning until it ends, then exits as it did. Ctrl-C ends the wait and not what is waited for.",
  examples: [
    { command: "warren await 4xc", does: "watches job 4xc to its end" },
    { command: "warren await build && warren restart web", does: "goes on when build succeeded" },
  ],
  options: { json: JSON_OPTION },
  operands: ONE_UNIT,
  async run(context, { values, operands }) {
    const name = operands[0]!;
    return onUnit(context, name, {
      verb: "await",
      job: async (jobId) => {
        const { job } = await context.client().request("get_job", { job_id: jobId, workdir: context.cwd });
        return awaitJob(context, job, values.json === true);
      },
      session: (handle) => awaitSession(context, handle, values.json === true),
    });
  },
});

async function awaitJob(context: Context, job: Job, json: boolean): Promise<number> {
  const { output } = context;
  const id = output.style.bold(nameOf(job));
  const hasEnded = job.status === "stopped" && job.state !== "waiting";
  // Nothing that could be waited for; 0 would say that it succeeded.
  if (hasEnded) latestRun(job);
  const interrupted = context.interrupted();
  if (json) return awaitInSilence(context, job, interrupted);
  output.line(hasEnded ? `Job ${id} (stopped): ${commandText(job)}` : `Awaiting job ${id}: ${commandText(job)}`);
  if (!hasEnded) for (const line of historyLines(job)) output.line(line);
  const end = await followToEnd(context, job, interrupted);
  switch (end.kind) {
    case "interrupted":
      sayGoesOn(output, job);
      return EXIT.interrupted;
    case "stuck":
      sayStuck(context, end.job);
      return EXIT.stuck;
    case "ended":
      for (const line of summaryLines(output, end.job, end.run)) output.line(line);
      return exitStatusOfOutcome(end.run.outcome);
  }
}

/** What it writes from now on, as lines, until its program ends. */
async function awaitSession(context: Context, handle: SessionHandle, json: boolean): Promise<number> {
  const { output } = context;
  const signal = context.interrupted();
  const [{ journalOf }, { followLines }] = await Promise.all([
    import("../sessions/session-journal.ts"),
    import("../sessions/session-output.ts"),
  ]);
  if (!json)
    for await (const line of followLines(await journalOf(context, handle), { tail: Number.POSITIVE_INFINITY, signal }))
      output.line(line);
  if (signal.aborted) {
    output.errorLine(`Stopped waiting; ${handle.name} goes on.`);
    return EXIT.interrupted;
  }
  const request = { session: handle.id, conditions: [{ kind: "exit" as const }] };
  const { session } = await handle.client.request("session.wait", request, { signal });
  if (json) output.json({ session });
  else output.line(`${sessionTitle(context, session)} ended: ${exitCodeText(session.outcome)}`);
  return exitStatusOfOutcome(session.outcome);
}

/** For a program: nothing until the end, then the job and its run. */
async function awaitInSilence(context: Context, job: Job, interrupted: AbortSignal): Promise<number> {
  const end = await endOf(context, job, interrupted);
  if (end.kind === "interrupted") return EXIT.interrupted;
  context.output.json({ job: end.job, ...(end.kind === "ended" ? { run: end.run } : { stuck: true }) });
  return end.kind === "ended" ? exitStatusOfOutcome(end.run.outcome) : EXIT.stuck;
}
