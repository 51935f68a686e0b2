import * as z from "zod";
import { DESTROYS, defineTool } from "../tool.ts";
import { JobView, jobLine, jobView } from "./job-view.ts";
import { Dir, directoryOf, JobRef } from "./place.ts";

export const jobStop = defineTool({
  name: "job_stop",
  title: "Stop a job",
  description: "Ends a job with all processes that it has started, and answers when they are gone. Its output stays.",
  annotations: { ...DESTROYS, idempotentHint: true },
  input: z.strictObject({
    job: JobRef,
    dir: Dir,
    force: z.boolean().optional().describe("SIGKILL at once, instead of SIGTERM and ten seconds to end."),
  }),
  output: z.object({ job: JobView, stopped: z.boolean().describe("False: it did not run.") }),
  async run(world, { job: name, dir, force }, { signal }) {
    const { job, stopped } = await world.primary.request(
      "stop",
      { job_id: name, workdir: directoryOf(world, dir), ...(force ? { force } : {}) },
      { signal },
    );
    const line = jobLine(job, world);
    return { data: { job: jobView(job), stopped }, text: stopped ? `Stopped: ${line}` : `It did not run: ${line}` };
  },
});
