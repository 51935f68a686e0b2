import { EXIT } from "../../protocol/outcome.ts";
import type { JobPorts } from "../../protocol/units.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { placeOf } from "../place.ts";

export const ports = defineCommand({
  usage: ["ports [NAME | --all] [--json]"],
  details: "Shows on which ports a job's whole tree listens; without a name, those of this directory's jobs.",
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
    const ofOne = name === undefined ? {} : { job_id: name, workdir: context.cwd };
    const request = name === undefined && !values.all ? { workdir: placeOf(context.cwd) } : ofOne;
    const { ports } = await context.client().request("ports", request);
    if (values.json) output.json(ports);
    else for (const line of Array.isArray(ports) ? tableOfAll(ports) : tableOfOne(ports)) output.line(line);
    return EXIT.ok;
  },
});

const HEADER = "PORT   PROTO  ADDRESS      PID";

function tableOfOne(one: JobPorts): string[] {
  if (one.ports.length > 0) return [HEADER, ...portLines(one)];
  return [one.message ?? `No listening ports for job ${one.job_id}`];
}

function tableOfAll(all: readonly JobPorts[]): string[] {
  const rows = all.flatMap((one) => portLines(one).map((line) => `${one.job_id.padEnd(6)} ${line}`));
  return rows.length > 0 ? [`JOB    ${HEADER}`, ...rows] : ["No listening ports"];
}

const portLines = ({ ports }: JobPorts): string[] =>
  ports.map(({ port, protocol, address, pid }) =>
    [String(port).padEnd(6), protocol.padEnd(6), address.padEnd(12), String(pid)].join(" "),
  );
