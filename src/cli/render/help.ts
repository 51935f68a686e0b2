import type { AnyCommand, OptionSpec } from "../command.ts";
import { SAME_EVERYWHERE } from "../on/on-machine.ts";
import { GROUPS, VERBS, type Verb } from "../verbs.ts";
import type { Style } from "./style.ts";

/** Help, from the verb table and the commands' records. */
const GROUP_TITLES: Record<(typeof GROUPS)[number], string> = {
  jobs: "Jobs",
  sessions: "Sessions",
  mail: "Mail",
  logs: "Logs",
  projects: "Projects",
  servers: "Servers",
  machine: "This machine",
};

export function renderHelp(style: Style, all = false): string {
  const shown = VERBS.filter(({ hidden, name }) => (all ? !name.startsWith("__") : !hidden));
  const width = Math.max(...shown.map(({ name }) => name.length));
  const lines = [
    "Warren keeps what you start running, with a name, a log and an address.",
    "",
    "Usage: warren [--on MACHINE] VERB [ARGUMENT…]        NAME@MACHINE is a unit of another machine",
  ];
  for (const group of GROUPS) {
    lines.push("", style.bold(GROUP_TITLES[group]));
    for (const { name, summary } of shown.filter((verb) => verb.group === group))
      lines.push(`  ${name.padEnd(width)}  ${summary}`);
  }
  return [...lines, "", style.dim("warren help VERB tells more. warren alone shows what runs here.")].join("\n");
}

export function renderCommandHelp(
  verb: Pick<Verb, "name" | "summary"> & Partial<Pick<Verb, "on" | "scope">>,
  command: AnyCommand,
  style: Style,
): string {
  const lines = [`warren ${verb.name}: ${verb.summary}`, ""];
  for (const [at, usage] of command.usage.entries()) lines.push(`${at === 0 ? "Usage:" : "      "} warren ${usage}`);
  if (command.details) lines.push("", command.details);
  lines.push("", style.bold("Examples"));
  for (const { command: example, does } of command.examples) lines.push(`  ${example}`, `      ${style.dim(does)}`);
  if (verb.on !== undefined && verb.on !== "there" && verb.on !== SAME_EVERYWHERE)
    lines.push("", `Not with --on MACHINE: it ${verb.on.why}.`);
  if (verb.scope !== undefined && verb.scope !== "view")
    lines.push("", `With --on MACHINE this device needs the scope ${verb.scope} there.`);
  const groups = Map.groupBy(Object.entries(command.options), ([, { group }]) => group ?? "Options");
  const width = Math.max(
    ...Object.entries(command.options).map(([name, spec]) => flagText(name, spec).length),
    "-h, --help".length,
  );
  for (const [group, options] of groups) {
    lines.push("", style.bold(group));
    for (const [name, spec] of options) lines.push(`  ${flagText(name, spec).padEnd(width)}  ${spec.description}`);
  }
  if (groups.size === 0) lines.push("", style.bold("Options"));
  lines.push(`  ${"-h, --help".padEnd(width)}  show this help`);
  return lines.join("\n");
}

function flagText(name: string, { short, type, value, choices }: OptionSpec): string {
  const takes = type === "boolean" ? "" : ` ${choices ? choices.join("|") : (value ?? "VALUE")}`;
  return `${short ? `-${short}, ` : "    "}--${name}${takes}`;
}
