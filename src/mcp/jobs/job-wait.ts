import * as z from "zod";
import { WarrenError } from "../../protocol/errors.ts";
import type { DataOf } from "../../protocol/messages.ts";
import type { Condition } from "../../protocol/units.ts";
import { defineTool, READS } from "../tool.ts";
import { TimeoutSeconds, waiting, windowMs } from "../wait-window.ts";
import type { World } from "../world.ts";
import { JobView, jobLine, jobView } from "./job-view.ts";
import { Dir, directoryOf, JobRef } from "./place.ts";
import { LogPart, lastRun, PART_BYTES, partText, readLog } from "./read-log.ts";

/** What a wait found, besides the job. */
export const WaitResult = z
  .enum(["met", "timed_out", "ended", "stuck"])
  .describe(
    "met: it holds. timed_out: not yet, and the job goes on: call again. ended: the job ended first. stuck: it has been silent for long; look at its output.",
  );

export const jobWait = defineTool({
  name: "job_wait",
  title: "Wait for a job",
  description:
    "Answers when a job listens on a port, has written a text, answers at an address, has been silent, or has ended; the first of what is asked. With what it wrote since the cursor. Use it instead of sleeping.",
  annotations: READS,
  input: z.strictObject({
    job: JobRef,
    dir: Dir,
    port: z
      .union([z.number().int().min(1).max(65_535), z.literal("any")])
      .optional()
      .describe("It listens there."),
    log: z.string().optional().describe("A text, or /expression/i, in its output."),
    http: z.string().optional().describe("This address answers, with a status below 400."),
    idle_s: z.number().positive().optional().describe("It has written nothing for so many seconds."),
    exit: z.boolean().optional().describe("It has ended; the default when nothing else is asked."),
    timeout_s: TimeoutSeconds,
    cursor: z.string().optional().describe("Of an earlier answer: output is told from there on."),
  }),
  output: z.object({
    result: WaitResult,
    met: z.array(z.string()).describe("Which of what was asked: port, log, http, idle, exit."),
    job: JobView,
    output: LogPart.optional(),
  }),
  async run(world, input, call) {
    const conditions = conditionsOf(input);
    const ref = { job_id: input.job, workdir: directoryOf(world, input.dir) };
    const totalMs = windowMs(input.timeout_s);
    const data = await waiting(world, call, { totalMs, message: `waiting for ${input.job}` }, () =>
      world.primary.request("wait", { ...ref, conditions, timeout_ms: totalMs }, { signal: call.signal }),
    );
    const seen = await withPorts(world, data);
    const output = await outputSince(seen.job, input.cursor);
    const result = resultOf(seen);
    const met = seen.met.map(({ kind }) => kind);
    return {
      data: { result, met, job: jobView(seen.job), ...(output ? { output } : {}) },
      text: [resultText(seen, world), ...(output ? [partText(output)] : [])].join("\n"),
    };
  },
});

/** The first sight of a port ends the wait before the job's description has it: whoever asked for any port wants to know which. */
async function withPorts({ primary }: World, data: DataOf<"wait">): Promise<DataOf<"wait">> {
  if (data.job.ports?.length || !data.met.some(({ kind }) => kind === "port")) return data;
  const { ports } = await primary.request("ports", { job_id: data.job.id });
  return { ...data, job: { ...data.job, ports: Array.isArray(ports) ? [] : ports.ports } };
}

export const resultOf = ({ result }: DataOf<"wait">): z.input<typeof WaitResult> =>
  result === "timeout" ? "timed_out" : result;

/** What it has written since `cursor`, or lastly; nothing of one that has not run. */
export async function outputSince(
  job: DataOf<"wait">["job"],
  cursor: string | undefined,
): Promise<LogPart | undefined> {
  if (job.run_id === undefined) return undefined;
  return readLog(lastRun(job), { cursor, maxBytes: { bytes: PART_BYTES, keep: "last" } });
}

export function resultText({ result, met, job }: DataOf<"wait">, world: World): string {
  const line = jobLine(job, world);
  switch (result) {
    case "met": {
      const held = met.flatMap(({ kind }) => (kind === "exit" ? [] : kind));
      return held.length > 0 ? `It is so (${held.join(", ")}). ${line}` : line;
    }
    case "timeout":
      return `Not yet; it goes on. Call again with the cursor to go on waiting. ${line}`;
    case "ended":
      return `It ended first. ${line}`;
    default:
      return `It has been silent for long and may be stuck. ${line}`;
  }
}

interface Wanted {
  port?: number | "any" | undefined;
  log?: string | undefined;
  http?: string | undefined;
  idle_s?: number | undefined;
  exit?: boolean | undefined;
}

/** @throws PATTERN_INVALID, URL_INVALID */
function conditionsOf({ port, log, http, idle_s, exit }: Wanted): Condition[] {
  const conditions: Condition[] = [
    ...(port === undefined ? [] : [{ kind: "port" as const, ...(port === "any" ? {} : { port }) }]),
    ...(log === undefined ? [] : [{ kind: "log" as const, ...patternOf(log) }]),
    ...(http === undefined ? [] : [{ kind: "http" as const, url: urlOf(http) }]),
    ...(idle_s === undefined ? [] : [{ kind: "idle" as const, idle_ms: Math.round(idle_s * 1_000) }]),
  ];
  return exit === true || conditions.length === 0 ? [...conditions, { kind: "exit" }] : conditions;
}

/** `/re/flags` is an expression; anything else is looked for as it stands. */
export function patternOf(text: string): { pattern: string; flags?: string } {
  const [, pattern, flags = ""] = /^\/(.+)\/([a-z]*)$/s.exec(text) ?? [];
  if (pattern === undefined) return { pattern: text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&") };
  try {
    new RegExp(pattern, flags);
  } catch (error) {
    throw new WarrenError("PATTERN_INVALID", `${text} is no expression: ${(error as Error).message}.`, {
      cause: error,
    });
  }
  return flags === "" ? { pattern } : { pattern, flags };
}

function urlOf(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === "http:" || url?.protocol === "https:") return text;
  throw new WarrenError("URL_INVALID", `${text} is no http:// or https:// address.`);
}
