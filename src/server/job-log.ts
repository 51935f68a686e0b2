import type { Jobs } from "../jobs/jobs.ts";
import type { DataOf, PayloadOf } from "../protocol/messages.ts";
import type { Job, Run } from "../protocol/units.ts";
import { logPathsOfRun } from "../runs/logs/files.ts";
import * as errors from "./errors.ts";
import { type LogPage, more, readPage, WAIT_MS_MAX } from "./log-page.ts";

/** A page of what a run of a job has written. With `wait_ms` an empty one waits for more, or for the run's end. */
type Payload = PayloadOf<"job.log">;

export async function jobLog(jobs: Jobs, payload: Payload, signal: AbortSignal): Promise<DataOf<"job.log">> {
  const { job, run } = runOf(jobs, payload);
  const paths = logPathsOfRun(run);
  const isRunning = isRunningNow(job, run.id);
  const page = await readPage(paths, payload, isRunning);
  const isEmpty = page.items.length === 0;
  if (!isEmpty || !isRunning || !payload.wait_ms) return answer(job, run.id, isRunning, page);
  const waitMs = Math.min(payload.wait_ms, WAIT_MS_MAX);
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal, AbortSignal.timeout(waitMs)]);
  await more(paths, page.next, { ended: endOf(jobs, job, until), signal: until }).finally(() => over.abort());
  const now = jobs.get({ job_id: job.id }).job;
  const isStillRunning = isRunningNow(now, run.id);
  const { tail_lines: _, since_ms: __, ...goesOn } = payload; // they were for where to begin
  return answer(now, run.id, isStillRunning, await readPage(paths, { ...goesOn, from: page.next }, isStillRunning));
}

const isRunningNow = (job: Job, runId: string): boolean => job.status === "running" && job.run_id === runId;

const answer = (job: Job, run_id: string, is_running: boolean, { items, next, isMore }: LogPage) => ({
  job,
  run_id,
  is_running,
  items,
  next: { ...next },
  is_more: isMore,
});

function runOf(
  jobs: Jobs,
  { job_id, workdir, run_id }: Payload,
): { job: Job; run: Pick<Run, "id" | "stdout_path" | "stderr_path"> } {
  const ref = { job_id, ...(workdir === undefined ? {} : { workdir }) };
  if (run_id === undefined) {
    const { job } = jobs.get(ref);
    if (job.run_id === undefined) throw errors.noRunYet(job.name ?? job.id);
    return { job, run: { ...job, id: job.run_id } };
  }
  const { job, runs } = jobs.runs(ref);
  const run = runs.find(({ id }) => id === run_id || id === `${job.id}-${run_id}`);
  if (!run) throw errors.runNotFound(run_id, job.name ?? job.id);
  return { job, run };
}

/** One that says nothing for long goes on all the same: that is no end. */
async function endOf(jobs: Jobs, job: Job, until: AbortSignal): Promise<void> {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  jobs.wait({ job_id: job.id, conditions: [{ kind: "exit" }] }, until).then(
    ({ result }) => {
      if (result !== "stuck") resolve();
    },
    () => resolve(),
  );
  return ended;
}
