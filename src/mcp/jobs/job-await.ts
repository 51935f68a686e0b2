import * as z from "zod";
import { succeeded } from "../../protocol/outcome.ts";
import { defineTool, READS } from "../tool.ts";
import { TimeoutSeconds, waiting, windowMs } from "../wait-window.ts";
import { JobView, jobView } from "./job-view.ts";
import { outputSince, resultOf, resultText, WaitResult } from "./job-wait.ts";
import { Dir, directoryOf, JobRef } from "./place.ts";
import { LogPart, partText } from "./read-log.ts";

export const jobAwait = defineTool({
  name: "job_await",
  title: "Await a job's end",
  description:
    "Answers when a job has ended, with how and with the end of its output. A job that goes on for longer than the call may: timed_out with a cursor; call again with it, and only new output comes.",
  annotations: READS,
  input: z.strictObject({
    job: JobRef,
    dir: Dir,
    timeout_s: TimeoutSeconds,
    cursor: z.string().optional().describe("Of an earlier answer: output is told from there on."),
  }),
  output: z.object({
    result: WaitResult,
    succeeded: z.boolean().optional().describe("It has ended, with status 0 or not."),
    job: JobView,
    output: LogPart.optional(),
  }),
  async run(world, input, call) {
    const ref = { job_id: input.job, workdir: directoryOf(world, input.dir) };
    const totalMs = windowMs(input.timeout_s);
    const data = await waiting(world, call, { totalMs, message: `${input.job} goes on` }, () =>
      world.primary.request(
        "wait",
        { ...ref, conditions: [{ kind: "exit" }], timeout_ms: totalMs },
        { signal: call.signal },
      ),
    );
    const output = await outputSince(data.job, input.cursor);
    const result = resultOf(data);
    return {
      data: {
        result,
        job: jobView(data.job),
        ...(result === "met" ? { succeeded: succeeded(data.job.outcome) } : {}),
        ...(output ? { output } : {}),
      },
      text: [resultText(data, world), ...(output ? [partText(output)] : [])].join("\n"),
    };
  },
});
