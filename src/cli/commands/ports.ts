import type { Worker } from "../../protocol/gateway-units.ts";
import { EXIT } from "../../protocol/outcome.ts";
import type { JobPorts } from "../../protocol/units.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import type { Context } from "../context.ts";
import { onUnit } from "../on-unit.ts";
import { placeAsked } from "../place.ts";

export const ports = defineCommand({
  usage: ["ports [NAME | --all] [--json]"],
  details:
    "Shows on which ports a job's whole tree listens, or a worker's instances; without a name, those of this directory.",
  examples: [
    { command: "warren ports web", does: "where web listens" },
    { command: "warren ports --all", does: "every port of every job" },
  ],
  options: {
    all: { type: "boolean", short: "a", description: "of all directories" },
    json: JSON_OPTION,
  },
  operands: { kinds: ["unit"], min: 0 },
  async run(context, { values, operands }) {
    const { output } = context;
    const [name] = operands;
    const place = values.all ? {} : placeAsked(context);
    const ports = name === undefined ? await portsOfAll(context, place) : await portsOf(context, name);
    if (values.json) output.json(ports);
    else for (const line of Array.isArray(ports) ? tableOfAll(ports) : tableOfOne(ports)) output.line(line);
    return EXIT.ok;
  },
});

/** Of the jobs, and of the workers of the project here or of all. */
async function portsOfAll(context: Context, place: { workdir?: string }): Promise<JobPorts[]> {
  const [{ ports }, { units }] = await Promise.all([
    context.client().request("ports", place),
    context.client().request("unit.list", place),
  ]);
  const workers = units.filter((unit) => unit.kind === "worker" && unit.ports?.length);
  return [...(Array.isArray(ports) ? ports : [ports]), ...workers.map((unit) => workerPorts(unit as Worker))];
}

const portsOf = (context: Context, reference: string): Promise<JobPorts> =>
  onUnit<JobPorts>(context, reference, {
    verb: "ports",
    job: async (jobId) => {
      const { ports } = await context.client().request("ports", { job_id: jobId, workdir: context.cwd });
      return ports as JobPorts;
    },
    worker: async ({ worker }) => workerPorts(worker),
  });

const workerPorts = ({ name, pid = 0, ports = [] }: Worker): JobPorts => ({
  job_id: name,
  pid,
  ports,
  message: `No instance of worker ${name} listens`,
});

const HEADER = "PORT   PROTO  ADDRESS      PID";

function tableOfOne(one: JobPorts): string[] {
  if (one.ports.length > 0) return [HEADER, ...portLines(one)];
  return [one.message ?? `No listening ports for job ${one.job_id}`];
}

function tableOfAll(all: readonly JobPorts[]): string[] {
  const width = Math.max(6, ...all.map(({ job_id }) => job_id.length));
  const rows = all.flatMap((one) => portLines(one).map((line) => `${one.job_id.padEnd(width)} ${line}`));
  return rows.length > 0 ? [`${"JOB".padEnd(width)} ${HEADER}`, ...rows] : ["No listening ports"];
}

const portLines = ({ ports }: JobPorts): string[] =>
  ports.map(({ port, protocol, address, pid }) =>
    [String(port).padEnd(6), protocol.padEnd(6), address.padEnd(12), String(pid)].join(" "),
  );
