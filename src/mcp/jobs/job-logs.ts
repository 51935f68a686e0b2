import * as z from "zod";
import { WarrenError } from "../../protocol/errors.ts";
import type { DataOf } from "../../protocol/messages.ts";
import { parseGrep } from "../../runs/logs/grep.ts";
import type { SelectOptions } from "../../runs/logs/select.ts";
import { parseSince } from "../../runs/logs/since.ts";
import { defineTool, READS } from "../tool.ts";
import type { World } from "../world.ts";
import { Dir, directoryOf, JobRef } from "./place.ts";
import { type LoggedRun, LogPart, lastRun, PART_BYTES, PART_BYTES_MAX, partText, readLog } from "./read-log.ts";

export const jobLogs = defineTool({
  name: "job_logs",
  title: "Read a job's output",
  description:
    "What a job has written. Without a cursor the newest lines; with the cursor of the last answer only what is new since. grep and since narrow it down before the limit does.",
  annotations: READS,
  input: z.strictObject({
    job: JobRef,
    dir: Dir,
    run: z.string().optional().describe("An earlier run, by its id."),
    cursor: z.string().optional().describe("Of an earlier answer: only what came after it, oldest first."),
    tail: z.number().int().positive().optional().describe("Only the last so many lines."),
    since: z.string().optional().describe("Only what came since then: 10m, 14:30, or an RFC 3339 time."),
    grep: z.string().optional().describe("Only lines with this text, or /expression/i."),
    stream: z.enum(["stdout", "stderr"]).optional().describe("One of the two."),
    max_bytes: z.number().int().positive().max(PART_BYTES_MAX).optional().describe(`Default ${PART_BYTES}.`),
  }),
  output: LogPart,
  async run(world, input) {
    const run = await runOf(world, input);
    const { cursor, tail, since, grep, stream, max_bytes: bytes = PART_BYTES } = input;
    const options: SelectOptions = {
      maxBytes: { bytes, keep: cursor === undefined ? "last" : "first" },
      ...(tail === undefined ? {} : { tailLines: tail }),
      ...(since === undefined ? {} : { sinceMs: parseSince(since, world.clock.wallMs()) }),
      ...(grep === undefined ? {} : { grep: parseGrep(grep) }),
      ...(stream === undefined ? {} : { streams: [stream] }),
    };
    const part = await readLog(run, { ...options, cursor });
    return { data: part, text: partText(part) };
  },
});

/** @throws JOB_NOT_FOUND, NO_RUN_YET, RUN_NOT_FOUND */
async function runOf(
  { primary, cwd }: World,
  { job: name, dir, run: wanted }: { job: string; dir?: string | undefined; run?: string | undefined },
): Promise<LoggedRun> {
  const ref = { job_id: name, workdir: directoryOf({ cwd }, dir) };
  if (wanted === undefined) return lastRun((await primary.request("get_job", ref)).job);
  const { runs, job }: DataOf<"runs"> = await primary.request("runs", ref);
  const found = runs.find(({ id }) => id === wanted || id === `${job.id}-${wanted}`);
  if (!found) {
    throw new WarrenError("RUN_NOT_FOUND", `${job.name ?? job.id} has no run ${wanted}.`, {
      fix: `one of ${runs.map(({ id }) => id).join(", ")}`,
    });
  }
  return { ...found, run_id: found.id, isRunning: found.status === "running" };
}
