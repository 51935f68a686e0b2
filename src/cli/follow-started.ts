import { EXIT } from "../protocol/outcome.ts";
import type { Context } from "./context.ts";
import { exitStatusOfOutcome } from "./exit-status.ts";
import { followToEnd } from "./follow-run.ts";
import { sayGoesOn } from "./render/goes-on.ts";
import { sayStuck, summaryLines } from "./render/run-summary.ts";

/** Prints the output of jobs that were just started until all have ended; the status is the worst of theirs. */
export async function followAfterStart(context: Context, ids: readonly string[]): Promise<number> {
  const interrupted = context.interrupted();
  const statuses = await Promise.all(
    ids.map(async (id) => {
      const { job } = await context.client().request("get_job", { job_id: id });
      const end = await followToEnd(context, job, interrupted);
      if (end.kind === "interrupted") {
        sayGoesOn(context.output, job);
        return EXIT.interrupted;
      }
      if (end.kind === "stuck") {
        sayStuck(context, end.job);
        return EXIT.stuck;
      }
      for (const line of summaryLines(context.output, end.job, end.run)) context.output.line(line);
      return exitStatusOfOutcome(end.run.outcome);
    }),
  );
  return Math.max(EXIT.ok, ...statuses);
}
