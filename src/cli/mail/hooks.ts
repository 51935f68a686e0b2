import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import type { Context } from "../context.ts";
import { shortPath } from "../render/ages.ts";
import { hintLines } from "../render/hints.ts";
import { unknownChoice, usageError } from "../usage-error.ts";
import { type Changed, type ChangeOptions, installHooks, removeHooks } from "./hooks/change-settings.ts";
import { hooksStatus } from "./hooks/hooks-status.ts";
import { scopeOf } from "./hooks/scopes.ts";

const ACTIONS = ["status", "install", "remove"] as const;
const AGENTS = ["claude", "generic"] as const;

export const hooks = defineCommand({
  usage: ["mail hooks [status]", "mail hooks install|remove [claude|generic] [--project | --user] [--yes]"],
  details: `Wakes an agent that Warren does not hold: its hooks tell it who it is in the mailbox, give it its mail between its steps, and wake it when it is idle. What
would change in its settings is shown first. For Claude Code those of this project on this machine (.claude/settings.local.json); --project: those that
others get too; --user: of all your projects. An agent without an entry here runs "warren mail hook generic" itself.`,
  examples: [
    { command: "warren mail hooks install", does: "Claude Code in this project gets its mail" },
    { command: "warren mail hooks install claude --user --yes", does: "in all projects, without a question" },
    { command: "warren mail hooks remove", does: "leaves the settings as they were" },
  ],
  options: {
    project: { type: "boolean", description: "the project's shared settings, .claude/settings.json" },
    user: { type: "boolean", description: "your own settings, ~/.claude/settings.json" },
    yes: { type: "boolean", short: "y", description: "do not ask" },
    "no-wake": { type: "boolean", description: "do not wake an idle agent: no process that waits beside it" },
    json: JSON_OPTION,
  },
  operands: { kinds: ["choice", "choice"], min: 0, max: 2, choices: [...ACTIONS, ...AGENTS] },
  async run(context, { values, operands }) {
    const [action = "status", agent = "claude"] = operands;
    if (!ACTIONS.includes(action as never)) throw unknownChoice("what hooks does", action, ACTIONS);
    if (!AGENTS.includes(agent as never)) throw unknownChoice("the agent", agent, AGENTS);
    if (action === "status") return status(context, values.json);
    if (agent === "generic") return generic(context, action);
    const { yes, json, "no-wake": noWake } = values;
    const options: ChangeOptions = { scope: scopeOf(values), yes, json, noWake };
    const changed = await (action === "install" ? installHooks : removeHooks)(context, options);
    if (json) context.output.json(changed);
    else sayChanged(context, action, changed);
    return EXIT.ok;
  },
});

function sayChanged({ output, env }: Context, action: string, { path, changed }: Changed): void {
  const where = output.style.bold(shortPath(path, env.HOME));
  if (action === "remove")
    return output.line(changed ? `${where} has no hooks of Warren's any more` : `${where} has none`);
  output.line(changed ? `${where} has them` : `${where} has them already`);
  for (const line of hintLines(output, [
    ["claude", "a new session takes them up, and says its name"],
    ["warren mail list", "who is there"],
  ]))
    output.line(line);
}

/** There is nothing to edit: what stands in the agent's own configuration is told. */
function generic({ output }: Context, action: string): number {
  if (action === "remove") throw usageError("An agent's own hook is removed in its own settings.");
  output.line("Have your agent's own hook run this, and give the agent what it prints:");
  output.line("  warren mail hook generic --as NAME");
  return EXIT.ok;
}

async function status(context: Context, json: boolean | undefined): Promise<number> {
  const { output, env } = context;
  const found = await hooksStatus(context);
  if (json) {
    output.json(found);
    return EXIT.ok;
  }
  const { style } = output;
  for (const { scope, path, state, problem } of found.settings) {
    const words = problem ?? state.replaceAll("_", " ");
    const tone = state === "installed" ? "good" : state === "none" ? "quiet" : "attention";
    output.line(`${scope.padEnd(7)}  ${style.tone(tone, words)}  ${style.dim(shortPath(path, env.HOME))}`);
  }
  for (const { name, pid, state } of found.agents)
    output.line(`${style.bold(name)}  ${state}  ${style.dim(`pid ${pid}`)}`);
  const isSomewhere = found.settings.some(({ state }) => state !== "none" && state !== "unreadable");
  if (isSomewhere && !found.program.is_there)
    output.line(style.tone("bad", `They do nothing: ${found.program.path} is not there`));
  const hints: [string, string][] =
    isSomewhere && found.program.is_there
      ? []
      : [["warren mail hooks install", "Claude Code in this project gets its mail"]];
  for (const line of hintLines(output, hints)) output.line(line);
  return EXIT.ok;
}
