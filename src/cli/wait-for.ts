import { formatDuration } from "../protocol/durations.ts";
import { unreachable } from "../protocol/errors.ts";
import type { DataOf } from "../protocol/messages.ts";
import type { Condition } from "../protocol/units.ts";
import { describeCondition, logText } from "./conditions.ts";
import type { Context } from "./context.ts";
import { oneWait, type WaitAsked } from "./one-wait.ts";
import { exitCodeText } from "./render/job-text.ts";
import { sayStuck } from "./render/run-summary.ts";

/** Waiting for conditions of a job, and saying how that ended. */
export interface WaitOptions extends WaitAsked {
  jobId: string;
  /** What the person calls it; default: the id. */
  name?: string | undefined;
  conditions: Condition[];
}

/** With the status of `oneWait`. */
export async function waitFor(context: Context, options: WaitOptions): Promise<number> {
  const { jobId, name = jobId, conditions, mode, timeoutMs, json, quiet } = options;
  const what = conditions.map(describeCondition).join(mode === "any" ? " or " : " and ");
  const limit = timeoutMs === undefined ? {} : { timeout_ms: timeoutMs };
  return oneWait<DataOf<"wait">>(context, {
    line: `${name}: waiting for ${what}`,
    goesOn: `job ${name}`,
    json,
    quiet,
    ask: (signal) =>
      context.client().request("wait", { job_id: jobId, workdir: context.cwd, conditions, mode, ...limit }, { signal }),
    say: async (result) => sayResult(context, await withPorts(context, result), { what, timeoutMs }),
    endOf: ({ met, job }) => (met.some(({ kind }) => kind === "exit") ? job.outcome : null),
  });
}

/** The first sight of a port ends the wait before the job's description has it: whoever asked for any port wants to know which. */
async function withPorts(context: Context, data: DataOf<"wait">): Promise<DataOf<"wait">> {
  const isAsked = data.met.some((condition) => condition.kind === "port" && condition.port === undefined);
  if (!isAsked || data.job.ports?.length) return data;
  const { ports } = await context.client().request("ports", { job_id: data.job.id });
  return { ...data, job: { ...data.job, ports: Array.isArray(ports) ? [] : ports.ports } };
}

function sayResult(
  context: Context,
  data: DataOf<"wait">,
  { what, timeoutMs }: { what: string; timeoutMs: number | undefined },
): void {
  const { output } = context;
  const { job, met, result } = data;
  const name = output.style.bold(job.name ?? job.id);
  if (result === "met") {
    output.line(`Job ${name} ${met.map((condition) => metText(condition, job)).join(", ")}`);
  } else if (result === "timeout") {
    output.errorLine(`Job ${name} goes on: waited ${formatDuration(timeoutMs ?? 0)} for ${what}`);
  } else if (result === "ended") {
    output.errorLine(`Job ${name} ended before ${what}: ${exitCodeText(job.outcome)}`);
  } else sayStuck(context, job);
}

function metText(condition: Condition, job: DataOf<"wait">["job"]): string {
  switch (condition.kind) {
    case "exit":
      return `ended: ${exitCodeText(job.outcome)}`;
    case "port": {
      const ports = condition.port === undefined ? (job.ports ?? []).map(({ port }) => port) : [condition.port];
      return ports.length > 0 ? `listens on port ${[...new Set(ports)].join(", ")}` : "listens";
    }
    case "log":
      return `has ${logText(condition)} in its log`;
    case "http":
      return `answers at ${condition.url}`;
    case "idle":
      return `was silent for ${formatDuration(condition.idle_ms)}`;
    default:
      return unreachable(condition);
  }
}
