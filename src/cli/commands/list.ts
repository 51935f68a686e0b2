import type { Unit } from "../../protocol/messages.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, NO_OPERANDS } from "../command.ts";
import type { Context } from "../context.ts";
import { placeOf } from "../place.ts";
import { hintLines } from "../render/hints.ts";
import { listLines } from "../render/job-text.ts";
import { workerListLine } from "../render/worker-text.ts";
import { directoryOf } from "../values.ts";

export const list = defineCommand({
  usage: ["list [--all | --dir DIR] [--mine] [--workdir] [--json | --quiet]"],
  details:
    "Shows the jobs of this directory (of the whole project where a warren.yaml is found upwards), newest first, and below them the workers of the project here while it is up. In a pipe one line a unit, without colour and without cuts.",
  examples: [
    { command: "warren list", does: "the jobs and workers here" },
    { command: "warren list --all --json", does: "all of them, as a JSON array" },
  ],
  options: {
    all: { type: "boolean", short: "a", description: "of all directories" },
    dir: { type: "string", value: "DIR", description: "of that directory" },
    mine: { type: "boolean", description: "only those whose owner is this shell or a process above it" },
    workdir: { type: "boolean", description: "show each one's directory" },
    json: { type: "boolean", description: "print a JSON array" },
    quiet: { type: "boolean", short: "q", description: "print the ids alone" },
  },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    // There is no "here" on another machine.
    const workdir =
      values.all || (context.machine && values.dir === undefined)
        ? {}
        : { workdir: values.dir === undefined ? placeOf(context.cwd) : directoryOf(context.cwd, values.dir) };
    const { units } = await context.client().request("unit.list", workdir);
    const shown = values.mine ? await ownedByMe(context, units) : units;
    if (values.json) context.output.json(shown);
    else if (values.quiet) for (const { id, name } of shown) context.output.line(id ?? name ?? "");
    else await show(context, shown, values.all === true || values.workdir === true || context.machine !== undefined);
    return EXIT.ok;
  },
});

async function show(context: Context, units: readonly Unit[], withDirectory: boolean): Promise<void> {
  const { output } = context;
  if (units.length === 0) {
    output.line("No jobs found");
    if (output.isTerminal) {
      for (const line of hintLines(output, [
        ["warren add COMMAND", "start one here"],
        ["warren list --all", "those of other directories"],
      ]))
        output.line(line);
    }
    return;
  }
  if (!output.isTerminal) {
    output.line(units.flatMap((unit) => unitLines(unit, withDirectory)).join("\n"));
    return;
  }
  const { unitTable } = await import("../render/unit-table.ts");
  const { style, glyphs, columnCount } = output;
  const options = { style, glyphs, columnCount, withDirectory, nowMs: context.nowMs(), userHome: context.env.HOME };
  output.line(unitTable(units, options).join("\n"));
}

const unitLines = (unit: Unit, withDirectory: boolean): string[] =>
  unit.kind === "worker" ? [workerListLine(unit, withDirectory)] : listLines(unit, withDirectory);

/** The jobs whose owner is one of our ancestors, or the unit that we run inside of. Workers have no owner: they are their project's. */
async function ownedByMe(context: Context, units: readonly Unit[]): Promise<Unit[]> {
  const { ancestorsOf } = await import("../ancestors.ts");
  const mine = new Set(ancestorsOf(context.parentPid));
  const jobs = units.filter((unit) => unit.kind === "job");
  const unit = jobs.find(({ id, name }) => id === context.env.WARREN_UNIT || name === context.env.WARREN_UNIT);
  if (unit && unit.pid > 0) mine.add(unit.pid);
  return jobs.filter(({ owner }) => owner !== undefined && mine.has(owner.pid));
}
