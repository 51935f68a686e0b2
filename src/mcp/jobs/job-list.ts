import * as z from "zod";
import { projectOf } from "../../config/project-of.ts";
import { defineTool, READS } from "../tool.ts";
import { JobView, jobLine, jobView } from "./job-view.ts";
import { Dir, directoryOf } from "./place.ts";

export const jobList = defineTool({
  name: "job_list",
  title: "List jobs",
  description: "The jobs of this project (or directory): what runs, on which ports, and how what has ended did.",
  annotations: READS,
  input: z.strictObject({
    dir: Dir,
    all: z.boolean().optional().describe("Those of every directory."),
  }),
  output: z.object({ jobs: z.array(JobView) }),
  async run(world, { dir, all }, { signal }) {
    const directory = directoryOf(world, dir);
    const workdir = projectOf(directory) ?? directory;
    const { jobs } = await world.primary.request("list", all ? {} : { workdir }, { signal });
    const text = jobs.length === 0 ? "No jobs." : jobs.map((job) => jobLine(job, world)).join("\n");
    return { data: { jobs: jobs.map(jobView) }, text };
  },
});
