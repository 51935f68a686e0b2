import type { AgentConfig } from "../../config/warren-yaml.ts";
import { WarrenError } from "../../protocol/errors.ts";
import type { Gateway } from "../../protocol/gateway-units.ts";
import type { DataOf } from "../../protocol/messages.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { suggest } from "../../protocol/suggest.ts";
import { STREAMS } from "../../runs/logs/files.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import type { Context } from "../context.ts";
import { askedPort } from "../gateway/asked-port.ts";
import { gatewayLines } from "../gateway/gateway-text.ts";
import { isWorkerHere } from "../gateway/worker-folder.ts";
import { environmentOf } from "../new-job.ts";
import { hintLines } from "../render/hints.ts";
import { commandText, nameOf } from "../render/job-text.ts";
import { stateOfJob } from "../render/states.ts";
import type { AgentUp } from "../sessions/project-agents.ts";
import { sessionTitle } from "../sessions/session-client.ts";

export const up = defineCommand({
  usage: ["up [NAME…] [--detach] [--json]"],
  details:
    "Makes the jobs and agents of this project's warren.yaml run, and serves its workers: what is new is started, what has changed is started anew, what runs already stays, and an agent that has ended continues its conversation. Without names, all that start by themselves; a name brings what it depends on. Attached, it shows the logs of jobs and workers until Ctrl-C, after which they go on.",
  examples: [
    { command: "warren up", does: "starts the project and shows its logs" },
    { command: "warren up web --detach", does: "starts web and what it depends on, and returns" },
  ],
  options: {
    detach: { type: "boolean", short: "d", description: "return when they are started" },
    json: JSON_OPTION,
  },
  operands: { kinds: ["job-name"], min: 0, max: Number.POSITIVE_INFINITY },
  async run(context, { values, operands }) {
    const { findProject, loadProject } = await import("../../config/warren-yaml.ts");
    const { toUpJobs } = await import("../../config/up-jobs.ts");
    const project = await findProject(context.cwd);
    const served = operands.length === 0 ? await gatewayHere(context.cwd) : undefined;
    if (!project && served === undefined) throw (await whyNoWorkersHere(context.cwd)) ?? noProject(context.cwd);
    const config = project && (await loadProject(project.file));
    const jobs = config ? toUpJobs(config, context.env) : [];
    const agents = (config?.agents ?? []).filter(({ name }) => operands.length === 0 || operands.includes(name));
    const names = operands.filter((name) => !agents.some((agent) => agent.name === name));
    for (const name of names)
      if (!jobs.some((job) => job.name === name))
        throw noSuchJob(name, project?.file ?? context.cwd, { jobs, isWorker: await isWorkerHere(context.cwd, name) });
    const gateway = served === undefined ? undefined : await serve(context, served, values.detach !== true);
    const hasJobs = project && (operands.length === 0 || names.length > 0);
    const result = hasJobs
      ? await context.client().request("up", { project: project.dir, jobs, ...(names.length > 0 ? { names } : {}) })
      : { jobs: [] };
    const started = project && agents.length > 0 ? await bringAgents(context, project.dir, agents) : [];
    if (values.json)
      context.output.json({
        ...result,
        ...(started.length > 0 ? { agents: started } : {}),
        ...(gateway ? { gateway } : {}),
      });
    else {
      for (const line of gateway ? gatewayLines(context.output, gateway) : []) context.output.line(line);
      if (hasJobs && (jobs.length > 0 || (!gateway && started.length === 0)))
        for (const line of upLines(context, result, operands)) context.output.line(line);
      for (const one of started) context.output.line(agentLine(context, one));
    }
    if (values.detach || values.json || (started.length > 0 && !gateway && result.jobs.length === 0)) return EXIT.ok;
    return followProject(context, result, gateway);
  },
});

/** The folder whose workers are served from here. The files are read only where there may be some. */
async function gatewayHere(cwd: string): Promise<string | undefined> {
  const { findGateway } = await import("../../config/gateway/load-gateway.ts");
  return findGateway(cwd);
}

async function whyNoWorkersHere(cwd: string): Promise<WarrenError | undefined> {
  const { whyNoWorkers } = await import("../../config/gateway/load-gateway.ts");
  return whyNoWorkers(cwd);
}

/** Starts the gateway and, unless it is to return at once, waits until each worker has come to rest. */
async function serve(context: Context, dir: string, waits: boolean): Promise<Gateway> {
  const port = askedPort(context.env);
  const client = context.client();
  const asked = { dir, env: environmentOf(context.env), ...(port === undefined ? {} : { port }) };
  const { gateway } = await client.request("gateway.up", asked);
  if (!waits) return gateway;
  const settling = gateway.workers.map(({ name }) =>
    client.request("gateway.settled", { worker: name, workdir: dir, timeout_ms: SETTLE_MS }),
  );
  await Promise.all(settling);
  const { gateways } = await client.request("gateway.status", { workdir: dir });
  return gateways[0] ?? gateway;
}

/** For the first build and start; later ones are shown by `warren gateway`. */
const SETTLE_MS = 15_000;

export const noProject = (directory: string): WarrenError =>
  new WarrenError("NO_PROJECT", `There is no warren.yaml in ${directory} or above it, and no folder workers.`, {
    fix: "warren init      # or warren import, where there is a package.json, a Procfile or an ecosystem.config.js",
  });

const noSuchJob = (
  name: string,
  file: string,
  { jobs, isWorker }: { jobs: readonly { name: string }[]; isWorker: boolean },
): WarrenError => {
  if (isWorker)
    return new WarrenError("JOB_NOT_FOUND", `${name} is a worker; those come up together, with no name given.`, {
      fix: "warren up",
    });
  const names = jobs.map((job) => job.name);
  const near = suggest(name, names);
  const meant = near ? `Did you mean ${near}?` : names.length > 0 ? `It has ${names.join(", ")}.` : "It has none.";
  return new WarrenError("JOB_NOT_FOUND", `There is no job ${name} in ${file}. ${meant}`, {
    fix: near ? `warren up ${near}` : "warren up",
  });
};

const ACTIONS: Record<DataOf<"up">["jobs"][number]["action"], string> = {
  created: "started",
  started: "started",
  already_running: "runs already",
  recreated: "started anew, as it changed",
  waiting: "waits for",
  defined: "known, not started",
};

/** Where some were named: those, and what was started for them. */
function upLines({ output }: Context, { jobs }: DataOf<"up">, names: readonly string[]): string[] {
  const isNews = (action: string): boolean => action !== "defined" && action !== "already_running";
  const shown = jobs.filter(({ job, action }) => names.length === 0 || names.includes(nameOf(job)) || isNews(action));
  const width = Math.max(0, ...shown.map(({ job }) => nameOf(job).length));
  const lines = shown.map(({ job, action }) => {
    const state = stateOfJob(job);
    const mark = output.isTerminal
      ? `${output.style.tone(state.tone, output.glyphs ? state.glyph : state.plain, state.dim)} `
      : "";
    const what =
      action === "waiting"
        ? `waits for ${(job.depends_on ?? []).join(", ")}`
        : job.blocked
          ? "blocked, not started"
          : ACTIONS[action];
    return `${mark}${output.style.bold(nameOf(job).padEnd(width))}  ${what}: ${commandText(job)}`;
  });
  return lines.length > 0 ? lines : ["This project has no jobs"];
}

const bringAgents = async (context: Context, dir: string, agents: readonly AgentConfig[]): Promise<AgentUp[]> =>
  (await import("../sessions/project-agents.ts")).upAgents(context, dir, agents);

const AGENT_ACTIONS: Record<AgentUp["action"], string> = {
  started: "started",
  resumed: "goes on with its conversation",
  already_running: "runs already",
};

function agentLine(context: Context, { session, action }: AgentUp): string {
  return `${sessionTitle(context, session)}  ${AGENT_ACTIONS[action]}: ${commandText(session)}`;
}

async function followProject(context: Context, { jobs }: DataOf<"up">, gateway: Gateway | undefined): Promise<number> {
  const { followJobs } = await import("../follow-jobs.ts");
  const { followWorkers } = await import("../gateway/worker-logs.ts");
  const interrupted = context.interrupted();
  const wanted = { streams: STREAMS, grep: undefined, json: false };
  const jobIds = jobs.map(({ job }) => job.id);
  const tail = { tailLines: LINES_OF_RUNNING, sinceMs: undefined };
  await Promise.all([
    gateway && followWorkers(context, { dir: gateway.dir, wanted: { ...wanted, ...tail } }),
    (jobIds.length > 0 || !gateway) &&
      followJobs(context, { jobIds, wanted, interrupted, start: { kind: "tail", lines: LINES_OF_RUNNING } }),
  ]);
  context.output.errorLine(
    gateway ? "Stopped following; jobs and workers go on." : "Stopped following; the jobs go on.",
  );
  const hints = [
    ["warren up", "follow them again"],
    ["warren down", "stop them"],
  ] as const;
  for (const line of hintLines(context.output, hints)) context.output.errorLine(line);
  return EXIT.interrupted;
}

/** Enough to see what a job that runs already is doing. */
const LINES_OF_RUNNING = 50;
