import type { Job } from "../protocol/units.ts";
import { prefixedLine } from "../runs/logs/format.ts";
import { ByteSink } from "./byte-sink.ts";
import type { Context } from "./context.ts";
import { nameOf } from "./render/job-text.ts";
import { omittedText } from "./render/omitted-text.ts";
import { COLOURED } from "./render/style.ts";
import { type EndedRun, endOf } from "./run-end.ts";
import { outputOf, outputRunOf } from "./run-output.ts";

/** Prints the output of the run that `job` is in, from its beginning, each line behind `[name] `, until the run has ended. */
export async function followToEnd(context: Context, job: Job, interrupted: AbortSignal): Promise<EndedRun> {
  const { output } = context;
  const started = job.state === "waiting" ? await nextRunOf(context, job, interrupted) : job;
  if (!started) return { kind: "interrupted" };
  const ended = endOf(context, started, interrupted);
  const run = outputRunOf(job.id, { ...started, id: started.run_id ?? job.id });
  const source = await outputOf(context);
  const sink = new ByteSink(output);
  for await (const item of source.follow(run, { ended, signal: interrupted })) {
    if (item.kind === "omitted") await sink.write("stderr", `${output.errorStyle.dim(omittedText(item))}\n`);
    else await sink.write("stdout", prefixedLine(item, { tag: nameOf(job), colour: output.style === COLOURED }));
    await sink.flush();
  }
  return ended;
}

/** The job once its next run has begun; undefined at Ctrl-C. */
async function nextRunOf(context: Context, job: Job, interrupted: AbortSignal): Promise<Job | undefined> {
  const events = context.ownClient().subscribe({ job_ids: [job.id] }, interrupted);
  for await (const item of events) {
    const now =
      item.kind === "event"
        ? (item.event.data.job as Job | undefined)
        : (item.snapshot as { jobs: Job[] }).jobs.find(({ id }) => id === job.id);
    if (now && now.state !== "waiting") return now;
  }
  return undefined;
}
