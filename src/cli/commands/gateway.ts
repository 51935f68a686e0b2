import { WarrenError } from "../../protocol/errors.ts";
import type { Gateway, Worker } from "../../protocol/gateway-units.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import type { Context } from "../context.ts";
import { gatewayLines } from "../gateway/gateway-text.ts";
import { workerLines } from "../gateway/worker-table.ts";
import { argumentsAtMost, unknownChoice, usageError } from "../usage-error.ts";
import { directoryAsked, durationOf } from "../values.ts";

/** What is asked of one worker, each by the message of that name. */
const OF_A_WORKER = ["pause", "unpause", "drain", "build", "start", "stop", "restart", "rollback"] as const;
const TOPICS = ["status", "health", "mode", "refresh", "metrics", "deploy", ...OF_A_WORKER] as const;
type Topic = (typeof TOPICS)[number];

export const gateway = defineCommand({
  usage: [
    "gateway [status] [--all] [--json]",
    "gateway health|refresh|metrics",
    "gateway mode [dev|prod]",
    "gateway pause|unpause|drain|start|stop|restart WORKER [--wait DURATION]",
    "gateway build [WORKER] [--wait DURATION]",
    "gateway rollback WORKER [VERSION]",
    "gateway deploy [HOST…] [--dry-run] [--path DIRECTORY] [--port PORT] [--json]",
  ],
  details: `The HTTP server of this project's workers, which \`warren up\` starts.

  status    routes, workers, their versions and instances (the default)
  health    exits 0 when every worker is healthy
  mode      dev builds on save; prod takes up what was deployed, on \`refresh\` or SIGHUP
  refresh   looks at the files, builds and switches what has changed
  pause     requests wait until unpause
  drain     no new requests; those in flight are finished, then it stops
  build     builds it anew, or every worker that is built
  rollback  back to the version before, or to VERSION
  metrics   Prometheus text
  deploy    builds here, copies over ssh, switches there; back again if a worker there is not healthy.
            HOST is one of config/deployment.yaml (default: all of it), or [user@]host`,
  examples: [
    { command: "warren gateway", does: "shows this project's workers" },
    { command: "warren gateway rollback api", does: "the version before serves again" },
    { command: "warren gateway mode prod", does: "stops building on save" },
    { command: "warren gateway deploy me@example.org --path /srv/site", does: "builds, copies and switches there" },
  ],
  options: {
    all: { type: "boolean", short: "a", description: "of every project" },
    dir: { type: "string", value: "DIR", description: "of the project of that directory; default: this one" },
    wait: {
      type: "string",
      value: "DURATION",
      description: "return when the worker has come to rest, or after this; rollback: 60s",
    },
    "dry-run": { type: "boolean", description: "build, and show what would be copied", group: "Deploy" },
    path: {
      type: "string",
      value: "DIRECTORY",
      description: "of the project there (default: its name, below the home)",
      group: "Deploy",
    },
    port: { type: "string", value: "PORT", description: "of ssh there", group: "Deploy" },
    json: JSON_OPTION,
  },
  operands: {
    kinds: ["choice", "unit", "text"],
    byChoice: { deploy: ["choice", "text"] },
    min: 0,
    max: Number.POSITIVE_INFINITY,
    choices: TOPICS,
  },
  async run(context, { values, operands }) {
    const [word = "status", ...rest] = operands;
    const topic = TOPICS.find((one) => one === word);
    if (topic === undefined) throw unknownChoice("What can be asked", word, TOPICS);
    if (topic === "deploy") {
      if (context.machine) {
        const { assertPossible } = await import("../on/possible.ts");
        const typed = { name: "gateway deploy", args: rest, machine: context.machine.name };
        assertPossible({ why: "builds the project of this directory", instead: "gateway refresh" }, typed);
      }
      const { deployCommand } = await import("../deploy/deploy-command.ts");
      const { "dry-run": isDryRun = false, port, path, json = false } = values;
      return deployCommand(context, rest, { isDryRun, port, path, json });
    }
    const isOfWorker = (OF_A_WORKER as readonly Topic[]).includes(topic);
    const most = topic === "mode" ? 1 : isOfWorker ? (topic === "rollback" ? 2 : 1) : 0;
    if (rest.length > most)
      throw usageError(`gateway ${topic} takes ${argumentsAtMost(most)}, got ${rest[most]}.`, "warren help gateway");
    const waitMs = durationOf("--wait", values.wait);
    const json = values.json === true;
    if (topic === "build" && rest.length === 0)
      return buildAll(context, await projectAsked(context, values.dir), { waitMs, json });
    if (isOfWorker) {
      const place = context.machine && values.dir === undefined ? {} : { workdir: directoryAsked(context, values.dir) };
      return ofWorker(context, topic as (typeof OF_A_WORKER)[number], rest, { place, waitMs, json });
    }
    const all = values.all === true;
    const needsOne = !all || !["status", "health"].includes(topic);
    const dir = needsOne ? await projectAsked(context, values.dir) : context.cwd;
    return ofProject(context, topic, rest[0], { dir, all, json });
  },
});

/** Of another machine there is no "here": the only project that is up there, unless one is said. @throws USAGE, GATEWAY_NOT_FOUND */
async function projectAsked(context: Context, dir: string | undefined): Promise<string> {
  if (!context.machine || dir !== undefined) return directoryAsked(context, dir);
  const { gateways } = await context.client().request("gateway.status", {});
  const [only, ...others] = gateways;
  if (!only) throw new WarrenError("GATEWAY_NOT_FOUND", `No gateway runs on ${context.machine.name}.`);
  if (others.length === 0) return only.dir;
  throw usageError(
    `${gateways.length} projects are up on ${context.machine.name}: ${gateways.map((one) => one.dir).join(", ")}.`,
    `warren --on ${quoteWord(context.machine.name)} gateway status --dir ${quoteWord(only.dir)}`,
  );
}

async function ofProject(
  context: Context,
  topic: Topic,
  operand: string | undefined,
  { dir, all, json }: { dir: string; all: boolean; json: boolean },
): Promise<number> {
  const { output } = context;
  const client = context.client();
  const here = { workdir: dir };
  switch (topic) {
    case "mode": {
      if (operand === undefined) return showMode(context, dir, json);
      if (operand !== "dev" && operand !== "prod") throw unknownChoice("mode", operand, ["dev", "prod"]);
      return show(context, [(await client.request("gateway.mode", { ...here, mode: operand })).gateway], json);
    }
    case "refresh":
      return show(context, [(await client.request("gateway.refresh", here)).gateway], json);
    case "metrics": {
      await output.bytes("stdout", (await client.request("gateway.metrics", here)).text);
      return EXIT.ok;
    }
    case "health": {
      const gateways = await gatewaysOf(context, dir, all);
      if (json) output.json(gateways.map(({ project, workers }) => ({ project, workers: workers.map(health) })));
      else for (const { workers } of gateways) for (const line of healthLines(workers)) output.line(line);
      return gateways.every(({ workers }) => workers.every(({ state }) => isWell(state))) ? EXIT.ok : NOT_WELL;
    }
    default:
      return show(context, await gatewaysOf(context, dir, all), json);
  }
}

async function showMode(context: Context, dir: string, json: boolean): Promise<number> {
  const [gateway] = await gatewaysOf(context, dir, false);
  if (json) context.output.json({ mode: gateway!.mode });
  else context.output.line(gateway!.mode);
  return EXIT.ok;
}

/** What was asked for is done when the version before serves, not when it was ordered. */
const ROLLBACK_WAIT_MS = 60_000;
const NOT_WELL = 1;
const isWell = (state: Worker["state"]): boolean => state === "healthy" || state === "stopped" || state === "paused";
const health = ({ name, state, reason }: Worker) => ({ name, state, ...(reason === undefined ? {} : { reason }) });
const healthLines = (workers: readonly Worker[]): string[] =>
  workers.map(({ name, state, reason }) => `${name}  ${state}${reason ? `: ${reason}` : ""}`);

async function gatewaysOf({ client }: Context, dir: string, all: boolean): Promise<Gateway[]> {
  const { gateways } = await client().request("gateway.status", all ? {} : { workdir: dir });
  if (gateways.length === 0 && !all)
    throw new WarrenError("GATEWAY_NOT_FOUND", `No gateway serves ${dir}.`, { fix: "warren up" });
  return gateways;
}

function show({ output }: Context, gateways: readonly Gateway[], json: boolean): number {
  if (json) output.json(gateways);
  else if (gateways.length === 0) output.line("No gateways");
  else for (const gateway of gateways) for (const line of gatewayLines(output, gateway)) output.line(line);
  return EXIT.ok;
}

/** Each is ordered before any is waited for. */
async function buildAll(
  context: Context,
  dir: string,
  { waitMs, json }: { waitMs: number | undefined; json: boolean },
): Promise<number> {
  const client = context.client();
  const [gateway] = await gatewaysOf(context, dir, false);
  const built = gateway!.workers.filter(({ type }) => type === "node" || type === "command");
  const asked = built.map(({ name }) => ({ worker: name, workdir: gateway!.dir }));
  for (const which of asked) await client.request("gateway.build", which);
  if (waitMs !== undefined)
    await Promise.all(asked.map((which) => client.request("gateway.settled", { ...which, timeout_ms: waitMs })));
  return show(context, await gatewaysOf(context, dir, false), json);
}

async function ofWorker(
  context: Context,
  topic: (typeof OF_A_WORKER)[number],
  [worker, version]: readonly string[],
  { place, waitMs, json }: { place: { workdir?: string }; waitMs: number | undefined; json: boolean },
): Promise<number> {
  if (worker === undefined) throw usageError(`gateway ${topic} needs a worker.`, `warren gateway ${topic} index`);
  const { output } = context;
  const client = context.client();
  const which = { worker, ...place };
  const extra = topic === "rollback" && version !== undefined ? { version } : {};
  let answer = await client.request(`gateway.${topic}`, { ...which, ...extra });
  const settleMs = waitMs ?? (topic === "rollback" ? ROLLBACK_WAIT_MS : undefined);
  if (settleMs !== undefined) answer = await client.request("gateway.settled", { ...which, timeout_ms: settleMs });
  if (json) output.json(answer.worker);
  else for (const line of workerLines(output, [answer.worker])) output.line(line);
  return EXIT.ok;
}
