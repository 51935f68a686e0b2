import { projectOf } from "../../config/project-of.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { DataOf } from "../../protocol/messages.ts";
import { EXIT } from "../../protocol/outcome.ts";
import type { Session } from "../../protocol/units.ts";
import { defineCommand, JSON_OPTION, NO_OPERANDS } from "../command.ts";
import type { Context } from "../context.ts";
import { plural } from "../render/plural.ts";
import { durationOf } from "../values.ts";
import { noProject } from "./up.ts";

export const down = defineCommand({
  usage: ["down [--force] [--grace DURATION] [--json]"],
  details:
    "Stops the jobs of this project's warren.yaml, those that depend on others first, and ends its agents and its gateway with its workers. Their history, logs and conversations stay.",
  examples: [
    { command: "warren down", does: "stops this project's jobs, agents and workers" },
    { command: "warren down --grace 2s", does: "with SIGKILL after two seconds" },
  ],
  options: {
    force: { type: "boolean", short: "f", description: "SIGKILL at once" },
    grace: { type: "string", value: "DURATION", description: "time between the stop signal and SIGKILL" },
    json: JSON_OPTION,
  },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    const graceMs = durationOf("--grace", values.grace);
    const project = projectOf(context.cwd);
    const gateway = await endGateway(context);
    if (project === undefined && !gateway) throw noProject(context.cwd);
    const options = { force: values.force === true, ...(graceMs === undefined ? {} : { grace_ms: graceMs }) };
    const { result, agents } = project ? await endProject(context, project, options) : NOTHING_ENDED;
    const names = result.stopped.map(({ name, id }) => name ?? id);
    if (values.json)
      context.output.json({ ...result, ...(agents.length > 0 ? { agents } : {}), ...(gateway ? { gateway } : {}) });
    else if (gateway)
      context.output.line(`Ended the gateway of ${gateway.dir}: ${gateway.workers.join(", ") || "no workers"}`);
    if (values.json) return EXIT.ok;
    if (agents.length > 0)
      context.output.line(`Ended ${plural(agents.length, "agent")}: ${agents.map(({ name }) => name).join(", ")}`);
    if (names.length === 0 && (gateway || agents.length > 0)) return EXIT.ok;
    if (names.length === 0) context.output.line("Nothing of this project runs");
    else context.output.line(`Stopped ${plural(names.length, "job")}: ${names.join(", ")}`);
    return EXIT.ok;
  },
});

interface EndOptions {
  force: boolean;
  grace_ms?: number;
}

interface ProjectEnded {
  result: DataOf<"down">;
  agents: Session[];
}

const NOTHING_ENDED: ProjectEnded = { result: { stopped: [] }, agents: [] };

/** Its agents end also when a job's tree survived. @throws what went wrong with the jobs, else with the agents */
async function endProject(context: Context, project: string, options: EndOptions): Promise<ProjectEnded> {
  const [jobs] = await Promise.allSettled([context.client().request("down", { project, ...options })]);
  const [agents] = await Promise.allSettled([endAgents(context, project, options)]);
  if (jobs.status === "rejected") throw jobs.reason;
  if (agents.status === "rejected") throw agents.reason;
  return { result: jobs.value, agents: agents.value };
}

const endAgents = async (context: Context, dir: string, options: EndOptions): Promise<Session[]> =>
  (await import("../sessions/project-agents.ts")).downAgents(context, dir, options);

async function endGateway(context: Context): Promise<DataOf<"gateway.down"> | undefined> {
  try {
    return await context.client().request("gateway.down", { workdir: context.cwd });
  } catch (error) {
    if (isWarrenError(error, "GATEWAY_NOT_FOUND") || isWarrenError(error, "UNKNOWN_TYPE")) return undefined;
    throw error;
  }
}
