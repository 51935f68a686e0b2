import type { Job, Run } from "../../protocol/units.ts";

/** How a job stands, as the rest of a sentence that begins with its name. */
export function outcomeSentence(
  job: Pick<Job, "state" | "outcome" | "stuck" | "ports">,
  run: Pick<Run, "outcome"> | null,
): string {
  if (job.state === "waiting")
    return run?.outcome ? `${ended(run.outcome)}, and is to be started again` : "waits to be started";
  if (job.state === "created" || !run) return "has not run yet";
  if (!run.outcome) return job.stuck && !job.ports?.length ? "runs, but seems stuck" : `is ${job.state}`;
  return ended(run.outcome);
}

function ended(outcome: NonNullable<Run["outcome"]>): string {
  switch (outcome.kind) {
    case "exited":
      return outcome.status === 0 ? "ended well" : `failed with status ${outcome.status}`;
    case "signalled":
      return `was ended by ${outcome.signal}${BY[outcome.by]}`;
    case "lost":
      return `is lost (${outcome.reason}): how it ended is not known`;
    default:
      return "ended";
  }
}

const BY = {
  user: ", at your command",
  stop: ", when it was stopped",
  timeout: ", at its time limit",
  owner: ", when its owner ended",
  unknown: ", sent by somebody else (out of memory, for example)",
};
