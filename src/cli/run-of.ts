import { WarrenError } from "../protocol/errors.ts";
import type { Job, Run } from "../protocol/units.ts";
import type { Context } from "./context.ts";
import { type OutputRun, outputRunOf } from "./run-output.ts";

/** A run whose logs are read: by its own id, or the latest of a job. */
export interface NamedRun extends OutputRun {
  job: Job;
  isRunning: boolean;
}

const RUN_ID = /^([0-9][0-9A-Za-z]{2,})-\d+$/;

/** `4xc-3`: the run itself, whatever else a name means. */
export const isRunId = (name: string): boolean => RUN_ID.test(name);

/** @throws JOB_NOT_FOUND, RUN_NOT_FOUND, NO_RUN_YET */
export async function runNamed(context: Context, name: string, runId?: string): Promise<NamedRun> {
  const wanted = runId ?? (RUN_ID.test(name) ? name : undefined);
  if (wanted !== undefined) return earlierRun(context, RUN_ID.exec(name)?.[1] ?? name, wanted);
  const { job } = await context.client().request("get_job", { job_id: name, workdir: context.cwd });
  return latestRun(job);
}

/** The run that the job is in, or was in last. @throws NO_RUN_YET */
export function latestRun(job: Job): NamedRun {
  if (job.run_id === undefined) {
    throw new WarrenError("NO_RUN_YET", `Job ${job.name ?? job.id} has not run yet.`, {
      fix: `warren start ${job.name ?? job.id}`,
    });
  }
  return {
    ...outputRunOf(job.id, { ...job, id: job.run_id }),
    job,
    isRunning: job.status === "running",
  };
}

export const namedRun = (job: Job, run: Run): NamedRun => ({
  ...outputRunOf(job.id, run),
  job,
  isRunning: run.status === "running",
});

/** `4xc-3`, or the number alone. */
async function earlierRun(context: Context, jobName: string, wanted: string): Promise<NamedRun> {
  const { runs, job } = await context.client().request("runs", { job_id: jobName, workdir: context.cwd });
  const run = runs.find(({ id }) => id === wanted || id === `${job.id}-${wanted}`);
  if (run) return namedRun(job, run);
  throw new WarrenError("RUN_NOT_FOUND", `run not found: ${wanted}`, { fix: `warren runs ${jobName}` });
}
