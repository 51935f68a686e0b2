import * as z from "zod";
import { parseCommand } from "../../config/command-line.ts";
import { projectOf } from "../../config/project-of.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { CHANGES, defineTool } from "../tool.ts";
import { JobView, jobLine, jobView } from "./job-view.ts";
import { Dir, directoryOf } from "./place.ts";

export const jobRun = defineTool({
  name: "job_run",
  title: "Run a job",
  description:
    "Starts a command that goes on by itself: a dev server, a build, a test run. It outlives this turn, this agent and the terminal, and its output is kept. Returns at once; then job_wait (until it listens, or says something), job_await (until it ends) or job_logs. Running the same command again while it runs changes nothing.",
  annotations: { ...CHANGES, idempotentHint: true },
  input: z.strictObject({
    command: z
      .union([z.string(), z.array(z.string()).min(1)])
      .describe("A command line, as a shell would take it, or the program and its arguments."),
    name: z.string().optional().describe("A name by which you find it again: lower case, digits, hyphens."),
    dir: Dir,
    description: z.string().optional().describe("What it is for."),
    timeout_s: z.number().positive().optional().describe("Stop it after so many seconds."),
  }),
  output: z.object({
    job: JobView,
    action: z.enum(["created", "started", "already_running"]),
  }),
  async run(world, input, { signal }) {
    const workdir = directoryOf(world, input.dir);
    const project = projectOf(workdir);
    const { job, action } = await world.primary.request(
      "add",
      {
        command: commandOf(input.command),
        workdir,
        env: Object.entries(world.env).map(([key, value]) => `${key}=${value}`),
        ...(project === undefined ? {} : { project }),
        ...(input.name === undefined ? {} : { name: input.name }),
        ...(input.description === undefined ? {} : { description: input.description }),
        ...(input.timeout_s === undefined ? {} : { timeout_ms: Math.round(input.timeout_s * 1_000) }),
      },
      { signal },
    );
    const said = action === "already_running" ? "It runs already" : "It runs";
    const line = jobLine(job, world);
    return {
      data: { job: jobView(job), action },
      text: `${said}: ${line}\nNext: job_wait, job_await or job_logs with job: "${job.name ?? job.id}".`,
    };
  },
});

/** @throws COMMAND_INVALID */
function commandOf(command: string | string[]): string[] {
  if (Array.isArray(command)) return command;
  const parsed = parseCommand(command);
  if (parsed.kind === "argv") return parsed.argv;
  throw new WarrenError("COMMAND_INVALID", `The command ${JSON.stringify(command)} cannot be read: ${parsed.reason}.`);
}
