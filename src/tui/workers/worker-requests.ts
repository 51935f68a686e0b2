import type { Client } from "../../client/client.ts";
import { WarrenError } from "../../protocol/errors.ts";
import type { Worker } from "../../protocol/gateway-units.ts";
import type { Verb, WorkerAsk } from "../model/model.ts";
import { failureLines } from "../model/worker-facts.ts";
import { plainLine } from "../text/ansi.ts";

/** What is asked of workers, and what is said of it. */
const DONE: Record<WorkerAsk, string> = {
  start: "is being started",
  stop: "is being stopped",
  restart: "is being restarted",
  pause: "is paused; requests wait",
  unpause: "goes on",
  rollback: "is being rolled back",
  build: "is being built",
  drain: "finishes what is in flight, then stops",
};

export async function askWorker(
  client: Client,
  { ask, name, dir }: Extract<Verb, { verb: "worker" }>,
): Promise<string> {
  await client.request(`gateway.${ask}`, { worker: name, workdir: dir });
  return `${name} ${DONE[ask]}`;
}

/** As sentences: what it does and what is wrong. */
export async function whyWorkerLines(client: Client, dir: string, name: string): Promise<string[]> {
  const { gateways } = await client.request("gateway.status", { workdir: dir });
  const worker = gateways[0]?.workers.find((one) => one.name === name);
  if (!worker) throw new WarrenError("WORKER_NOT_FOUND", `${name} is not up any more.`, { fix: "warren up" });
  return linesOf(worker);
}

function linesOf({ state, reason, url, route, version, previous, failure }: Worker): string[] {
  const lines = [
    `It is ${state.replaceAll("_", " ")}, at ${url ?? route}.`,
    version === undefined ? "No version has served yet." : `Version ${version} served last.`,
    ...(previous === undefined ? [] : [`A rollback goes to ${previous}.`]),
  ];
  if (failure) {
    const { places, output } = failure;
    lines.push("", ...failureLines(failure), ...(places.length > 0 && output.length > 0 ? ["", ...output] : []));
  } else if (reason !== undefined) lines.push("", reason);
  return lines.map(plainLine);
}
