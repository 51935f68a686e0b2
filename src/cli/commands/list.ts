import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, NO_OPERANDS } from "../command.ts";
import type { Context } from "../context.ts";
import { allUnits, type ListedUnit, UNIT_KINDS, type UnitKind } from "../list/all-units.ts";
import { placeAsked } from "../place.ts";
import { hintLines } from "../render/hints.ts";
import { silentServer } from "../sessions/all-sessions.ts";
import { unknownChoice, usageError } from "../usage-error.ts";
import { directoryAsked } from "../values.ts";

export const list = defineCommand({
  usage: ["list [--all | --dir DIR] [--kind KIND,…] [--mine] [--workdir] [--json | --quiet]"],
  details: `Shows the jobs, sessions, agents and workers of this directory (of the whole project where a warren.yaml is found upwards), of every server, in one table: what needs you first, then what runs, then what has ended; newest first, workers below. Sessions that have ended are in: warren sessions --all.

A row says the name (a job's id where it has none), the kind, the state, the address or ports, unread mail, processor, memory, how long it has run or been over, and what it is; of a session how long it has been quiet. In a pipe the same columns stand in every row, with - for what is empty, without colour and without cuts.

--json prints an array. Each unit has its kind, name, state, status and server, and a ref: the word that every verb takes for exactly this one.`,
  examples: [
    { command: "warren list", does: "everything that runs here" },
    { command: "warren list --all --json", does: "all units of this home, as a JSON array" },
    { command: "warren list --all --kind agent,session", does: "the terminals and agents of every directory" },
  ],
  options: {
    all: { type: "boolean", short: "a", description: "of all directories" },
    dir: { type: "string", value: "DIR", description: "of that directory" },
    kind: {
      type: "string",
      short: "k",
      value: "KIND,…",
      multiple: true,
      description: `only these: ${UNIT_KINDS.join(", ")}`,
    },
    mine: { type: "boolean", description: "only jobs whose owner is this shell or a process above it" },
    workdir: { type: "boolean", description: "show each one's directory" },
    json: { type: "boolean", description: "print a JSON array" },
    quiet: { type: "boolean", short: "q", description: "print the refs alone, for another command" },
  },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    if (values.mine && context.machine) throw usageError("--mine is about processes of this machine.");
    const place = values.all
      ? undefined
      : values.dir === undefined
        ? placeAsked(context).workdir
        : directoryAsked(context, values.dir);
    const { output } = context;
    const { units, silent } = await allUnits(context, { place, kinds: kindsOf(values.kind, values.mine === true) });
    const shown = values.mine ? await ownedByMe(context, units) : units;
    if (values.json) output.json(shown);
    else if (values.quiet) for (const { ref } of shown) output.line(ref);
    else if (shown.length > 0)
      await show(context, shown, values.all === true || values.workdir === true || context.machine !== undefined);
    else if (silent.length === 0) showNothing(context, place !== undefined);
    for (const server of silent) output.errorLine(silentServer(server));
    return EXIT.ok;
  },
});

/** @throws USAGE */
function kindsOf(texts: readonly string[] | undefined, onlyJobs: boolean): ReadonlySet<UnitKind> {
  const words = texts?.flatMap((text) => text.split(","));
  for (const word of words ?? [])
    if (!UNIT_KINDS.includes(word as UnitKind)) throw unknownChoice("--kind", word, UNIT_KINDS);
  const kinds = new Set((words ?? UNIT_KINDS) as readonly UnitKind[]);
  return onlyJobs ? kinds.intersection(new Set<UnitKind>(["job"])) : kinds;
}

async function show(context: Context, units: readonly ListedUnit[], withDirectory: boolean): Promise<void> {
  const { unitTable } = await import("../render/unit-table.ts");
  const { output, env } = context;
  const options = { ...output, columnCount: output.columnCount, nowMs: context.nowMs(), userHome: env.HOME };
  output.line(unitTable(units, { ...options, withDirectory }).join("\n"));
}

function showNothing({ output, machine }: Context, isOfPlace: boolean): void {
  output.line("Nothing found");
  for (const line of hintLines(output, [
    ["warren add COMMAND", machine ? "start a job there" : "start a job here"],
    ["warren new", "a terminal that stays"],
    ...(isOfPlace ? [["warren list --all", "what other directories have"] as const] : []),
  ]))
    output.line(line);
}

/** The jobs whose owner is one of our ancestors, or the unit that we run inside of. The others have no owner. */
async function ownedByMe(context: Context, units: readonly ListedUnit[]): Promise<ListedUnit[]> {
  const { ancestorsOf } = await import("../ancestors.ts");
  const mine = new Set(ancestorsOf(context.parentPid));
  const jobs = units.filter((unit) => unit.kind === "job");
  const unit = jobs.find(({ id, name }) => id === context.env.WARREN_UNIT || name === context.env.WARREN_UNIT);
  if (unit && unit.pid > 0) mine.add(unit.pid);
  return jobs.filter(({ owner }) => owner !== undefined && mine.has(owner.pid));
}
