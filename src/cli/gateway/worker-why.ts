import { formatDuration } from "../../protocol/durations.ts";
import type { Worker, WorkerFailure, WorkerInstance } from "../../protocol/gateway-units.ts";
import { STREAMS } from "../../runs/logs/files.ts";
import type { Context } from "../context.ts";
import type { WorkerHandle } from "../on-unit.ts";
import { hintLines } from "../render/hints.ts";
import { plural } from "../render/plural.ts";
import { stateOfWorker } from "../render/states.ts";
import { printable } from "../render/text-width.ts";
import { WAS_STOPPED } from "../render/worker-text.ts";
import { outputOf } from "../run-output.ts";
import { outputOfInstance } from "./worker-logs.ts";

/** `why WORKER`: what it does and why, which version serves, what speaks against the newest one, and what was said last. */
export async function whyWorker(
  context: Context,
  { worker: { name }, dir }: WorkerHandle,
  { lineCount, json }: { lineCount: number; json: boolean },
): Promise<void> {
  const { output } = context;
  const { gateways } = await context.client().request("gateway.status", { workdir: dir });
  const worker = gateways[0]?.workers.find((one) => one.name === name);
  if (!worker) throw new Error(`${name} went down meanwhile`);
  const lines = worker.failure?.output.length
    ? worker.failure.output.slice(-lineCount)
    : await lastLines(context, { ...worker, workdir: dir }, lineCount);
  if (json) return output.json({ worker, lines });
  const show = (text: string): string => (output.isTerminal ? printable(text) : text);
  output.line(`${output.style.bold(name)} ${sentence(worker)}`);
  for (const fact of factLines(worker, context.nowMs())) output.line(`  ${show(fact)}`);
  if (worker.failure) for (const text of failureLines(worker.failure)) output.line(`  ${show(text)}`);
  if (lines.length > 0) output.line(output.style.dim("  last lines:"));
  for (const text of lines) output.line(`    ${show(text)}`);
  if (!output.isTerminal) return;
  for (const line of hintLines(output, hintsOf(worker))) output.line(line);
}

/** What is so, and what that means for a request. */
function sentence(worker: Worker): string {
  const { state, version, reason, failure, waiting = 0 } = worker;
  const because = failure ? `: ${printable(failureText(failure))}` : reason ? `: ${printable(reason)}` : "";
  const held = waiting > 0 ? `; ${plural(waiting, "request")} wait` : "";
  switch (state) {
    case "healthy":
      return `is healthy${version ? `: version ${version} answers` : ""}${held}`;
    case "paused":
      return `is paused: requests wait until it is unpaused${held}`;
    case "building":
    case "starting":
      return `is ${state}${because}; requests wait for it${held}`;
    case "degraded":
      return `is degraded${because}${version ? `; version ${version} answers` : ""}${held}`;
    case "stopped":
      return reason === undefined || reason === WAS_STOPPED ? "is stopped" : `is stopped${because}`;
    default:
      return `is ${stateOfWorker(worker).word}${because}${held}`;
  }
}

function factLines(worker: Worker, nowMs: number): string[] {
  const { type, state, project, workdir, version, previous, instances, restart_count = 0 } = worker;
  const versions = [
    ...(version === undefined
      ? ["no version has served yet"]
      : state === "healthy"
        ? []
        : [`version ${version} was the last that served`]),
    ...(previous === undefined ? [] : [`a rollback goes to ${previous}`]),
    ...(restart_count > 0 ? [`failed ${plural(restart_count, "time")} in a row`] : []),
  ];
  const hasVersions = type === "node" || type === "command";
  return [
    `${type} worker of ${project ?? "this project"}${workdir ? ` (${workdir})` : ""}, at ${worker.url ?? worker.route}`,
    ...(hasVersions && versions.length > 0 ? [versions.join(", ")] : []),
    ...instances.map((instance) => instanceLine(instance, nowMs)),
  ];
}

/** `api-k3f2-1  healthy  1a2b3c4d  :9000  pid 4711  up 3m` */
function instanceLine({ id, state, version, port, pid, started_at, in_flight, reason }: WorkerInstance, nowMs: number) {
  const parts = [id, state, version];
  if (port !== undefined) parts.push(`:${port}`);
  if (pid !== undefined) parts.push(`pid ${pid}`);
  if (started_at !== undefined) parts.push(`up ${formatDuration(nowMs - Date.parse(started_at))}`);
  if (in_flight) parts.push(`${in_flight} in flight`);
  if (reason !== undefined) parts.push(reason);
  return parts.join("  ");
}

const PHASES: Record<WorkerFailure["phase"], string> = {
  build: "could not be built",
  start: "did not come up",
  probation: "was taken back after it had begun to serve",
  run: "does not stay up",
};

const failureText = ({ version, phase, message }: WorkerFailure): string =>
  `version ${version} ${PHASES[phase] ?? phase}: ${message}`;

/** The places of a failed build with their frames. */
const failureLines = ({ places }: WorkerFailure): string[] =>
  places.flatMap(({ file, line, column, message, frame }) => [
    `${file}:${line}:${column}: ${message}`,
    ...frame.map((text) => `  ${text}`),
  ]);

/** Of the newest instance. */
async function lastLines(context: Context, worker: Worker, lineCount: number): Promise<string[]> {
  const newest = worker.instances.at(-1);
  const run = newest && outputOfInstance(worker, newest);
  if (!run) return [];
  const lines: string[] = [];
  for await (const item of (await outputOf(context)).select(run, { streams: STREAMS, tailLines: lineCount }))
    if (item.kind === "line") lines.push(item.bytes.toString());
  return lines;
}

function hintsOf({ name, state, previous }: Worker): [string, string][] {
  if (state === "paused") return [[`warren gateway unpause ${name}`, "lets requests through"]];
  if (state === "stopped") return [[`warren start ${name}`, "start it"]];
  const hints: [string, string][] = [[`warren logs -f ${name}`, "follow it"]];
  if (state !== "healthy" && previous !== undefined)
    hints.push([`warren gateway rollback ${name}`, `serve ${previous} again`]);
  return hints;
}
