import { EXIT } from "../../protocol/outcome.ts";
import type { Session } from "../../protocol/units.ts";
import { defineCommand, NO_OPERANDS } from "../command.ts";
import type { Context } from "../context.ts";
import { hintLines } from "../render/hints.ts";
import { sessionLines } from "../render/session-table.ts";
import { sessionsByServer, silentServer } from "../sessions/all-sessions.ts";

export const sessions = defineCommand({
  usage: ["sessions [--all] [--json | --quiet]"],
  details:
    "Shows the sessions of this home on all of its servers, those that need you first; with --all also those that have ended and can be resumed.",
  examples: [
    { command: "warren sessions", does: "one line a session" },
    { command: "warren sessions --all --json", does: "also those that have ended, as a JSON array" },
  ],
  options: {
    all: { type: "boolean", short: "a", description: "also those that have ended" },
    json: { type: "boolean", description: "print a JSON array" },
    quiet: { type: "boolean", short: "q", description: "print the names alone" },
  },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    const { output } = context;
    const servers = await sessionsByServer(context, { usage: true });
    const live = servers.flatMap(({ sessions: listed }) => listed);
    const shown = values.all ? [...live, ...(await savedSessions(context))] : live;
    if (values.json) output.json(shown);
    else if (values.quiet) for (const { name } of shown) output.line(name);
    else if (shown.length > 0 || servers.every(({ problem }) => problem === undefined)) show(context, shown);
    for (const server of servers) if (server.problem !== undefined) output.errorLine(silentServer(server));
    return EXIT.ok;
  },
});

async function savedSessions(context: Context): Promise<Session[]> {
  const { sessions: saved } = await context.client().request("session.list", { saved: true });
  return saved;
}

function show(context: Context, shown: readonly Session[]): void {
  const { output } = context;
  if (shown.length > 0) {
    for (const line of sessionLines(context, shown)) output.line(line);
    return;
  }
  output.line("No sessions found");
  for (const line of hintLines(output, [
    ["warren new", "your shell, in a session that stays"],
    ["warren sessions --all", "those that have ended"],
  ]))
    output.line(line);
}
