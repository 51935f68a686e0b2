import type { Job, Run } from "../protocol/units.ts";
import type { Context } from "./context.ts";

/** How a wait for the end of one run came out. */
export type EndedRun =
  | {
      kind: "ended";
      job: Job;
      run: Pick<Run, "id" | "job_id" | "stdout_path" | "stderr_path" | "outcome" | "duration_ms">;
    }
  | { kind: "stuck"; job: Job }
  | { kind: "interrupted" };

/** Waits for the end of the run that `job` is in, and answers that run, also when the job has been started again meanwhile. */
export async function endOf(context: Context, job: Job, interrupted: AbortSignal): Promise<EndedRun> {
  const client = context.client();
  try {
    const request = { job_id: job.id, conditions: [{ kind: "exit" as const }] };
    const result = await client.request("wait", request, { signal: interrupted });
    if (result.result === "stuck") return { kind: "stuck", job: result.job };
    const isOurs = job.state === "waiting" || job.run_id === result.job.run_id;
    if (isOurs) return { kind: "ended", job: result.job, run: lastRunOf(result.job) };
    const { runs } = await client.request("runs", { job_id: job.id });
    const run = runs.find(({ id }) => id === job.run_id);
    return { kind: "ended", job: result.job, run: run ?? lastRunOf(result.job) };
  } catch (error) {
    if (interrupted.aborted) return { kind: "interrupted" };
    throw error;
  }
}

/**
 * The same for whoever only looks on: a run that says nothing for long (a server that nobody asks) is no reason to leave. Never answers `stuck`.
 */
export async function endHoweverLong(context: Context, job: Job, interrupted: AbortSignal): Promise<EndedRun> {
  const end = await endOf(context, job, interrupted);
  if (end.kind !== "stuck") return end;
  for await (const item of context.ownClient().subscribe({ job_ids: [job.id] }, interrupted)) {
    const now =
      item.kind === "event"
        ? (item.event.data.job as Job | undefined)
        : (item.snapshot as { jobs: Job[] } | null)?.jobs.find(({ id }) => id === job.id);
    if (!now || (now.status === "running" && now.run_id === job.run_id)) continue;
    const { runs } = await context.client().request("runs", { job_id: job.id });
    return { kind: "ended", job: now, run: runs.find(({ id }) => id === job.run_id) ?? lastRunOf(now) };
  }
  return { kind: "interrupted" };
}

function lastRunOf(job: Job): Extract<EndedRun, { kind: "ended" }>["run"] {
  const { id, run_id = id, stdout_path, stderr_path, outcome, started_at, stopped_at } = job;
  const durationMs = started_at && stopped_at ? Math.max(0, Date.parse(stopped_at) - Date.parse(started_at)) : 0;
  return { id: run_id, job_id: id, stdout_path, stderr_path, outcome, duration_ms: durationMs };
}
