import { formatDuration } from "../../protocol/durations.ts";
import type { Worker, WorkerCondition } from "../../protocol/gateway-units.ts";
import type { DataOf } from "../../protocol/messages.ts";
import type { Context } from "../context.ts";
import type { WorkerHandle } from "../on-unit.ts";
import { oneWait, type WaitAsked } from "../one-wait.ts";
import { stateOfWorker } from "../render/states.ts";
import { printable } from "../render/text-width.ts";
import { usageError } from "../usage-error.ts";

/** `warren wait` for a worker: its own conditions, the statuses of every wait. */
export const WORKER_CONDITION_HELP = "healthy, served, stopped";

export interface WaitForWorker extends WaitAsked {
  texts: readonly string[];
}

/** With the status of `oneWait`. */
export async function waitForWorker(context: Context, handle: WorkerHandle, wanted: WaitForWorker): Promise<number> {
  const { texts, mode, timeoutMs, json, quiet } = wanted;
  const { name } = handle.worker;
  const conditions = texts.map(workerCondition);
  if (mode === "all" && new Set(conditions).size > 1)
    throw usageError(`--all is for jobs and sessions: a worker is waited for until one of ${WORKER_CONDITION_HELP}.`);
  const what = [...new Set(conditions)].join(" or ");
  const limit = timeoutMs === undefined ? {} : { timeout_ms: timeoutMs };
  return oneWait<DataOf<"gateway.wait">>(context, {
    line: `${name}: waiting until it is ${what}`,
    goesOn: `worker ${name}`,
    json,
    quiet,
    ask: (signal) =>
      context.client().request("gateway.wait", { worker: name, workdir: handle.dir, conditions, ...limit }, { signal }),
    say: (result) => say(context, result, what, timeoutMs),
  });
}

/** Its end, for a worker, is that it is stopped. @throws USAGE */
function workerCondition(text: string): WorkerCondition {
  switch (text) {
    case "healthy":
    case "served":
    case "stopped":
      return text;
    case "exit":
      return "stopped";
    default:
      throw usageError(
        `--for ${text} is no condition of a worker. One of: ${WORKER_CONDITION_HELP}.`,
        "warren help wait",
      );
  }
}

function say(
  { output }: Context,
  { worker, met, result }: DataOf<"gateway.wait">,
  what: string,
  timeoutMs: number | undefined,
): void {
  const name = output.style.bold(worker.name);
  if (result === "met") return output.line(`Worker ${name} is ${met.map((one) => metText(one, worker)).join(", ")}`);
  const now = `it is ${stateOfWorker(worker).word}${worker.reason ? `: ${printable(worker.reason)}` : ""}`;
  if (result === "timeout")
    output.errorLine(`Waited ${formatDuration(timeoutMs ?? 0)} for ${name} to be ${what}; ${now}`);
  else output.errorLine(`Worker ${name} does not become ${what} by itself; ${now}`);
}

const metText = (condition: WorkerCondition, { version }: Worker): string =>
  condition === "served" && version !== undefined ? `served, version ${version}` : condition;
