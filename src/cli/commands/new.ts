import type { NewSession } from "../../protocol/messages.ts";
import { EXIT } from "../../protocol/outcome.ts";
import type { Session } from "../../protocol/units.ts";
import { serverIcon } from "../../registry/names.ts";
import { defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { environmentOf } from "../new-job.ts";
import { hintLines } from "../render/hints.ts";
import { serverTitle } from "../render/server-title.ts";
import { attachAny } from "../sessions/attach-any.ts";
import { newSession } from "../sessions/new-session.ts";
import { sessionTitle } from "../sessions/session-client.ts";
import { usageError } from "../usage-error.ts";
import { directoryAsked, portOf } from "../values.ts";

export const new_ = defineCommand({
  usage: [
    "new [--name NAME] [--port PORT] [--detached] [--dir DIR] [--] [COMMAND…]",
    "new --agent COMMAND [--name NAME] [--detached]",
  ],
  details:
    "Starts a program in a terminal of its own, which outlives this one, and attaches to it; without a command, your shell. It runs on the server of this very build. Ctrl-\\ d detaches, and it goes on.\n\nWith --agent the program is one that speaks the Agent Client Protocol: it gets a conversation instead of a terminal.",
  examples: [
    { command: "warren new", does: "your shell, in a session that stays" },
    { command: "warren new --detached -- make", does: "in the background; warren attach shows it" },
    { command: "warren new --agent 'gemini --acp'", does: "a conversation with an agent" },
    { command: "warren new --name build -- npm run watch", does: "under a name of your choice" },
  ],
  options: {
    name: { type: "string", value: "NAME", description: "its name; default: a noun" },
    agent: { type: "string", value: "COMMAND", description: "an agent's command line, split as a shell would" },
    dir: {
      type: "string",
      value: "DIR",
      description: "the directory to run in; default: this one, of another machine its home",
    },
    port: {
      type: "string",
      value: "PORT",
      description: "its $PORT, which NAME.localhost leads to; default: a free one",
    },
    detached: { type: "boolean", short: "d", description: "do not attach" },
    "server-name": { type: "string", value: "NAME", description: "the name for a server that is started" },
    json: { type: "boolean", description: "print JSON; does not attach" },
    quiet: { type: "boolean", short: "q", description: "print the name alone; does not attach" },
  },
  operands: { kinds: ["text"], min: 0, max: Number.POSITIVE_INFINITY },
  takesCommand: true,
  async run(context, { values, operands }) {
    const { output, env, machine } = context;
    const { name } = values;
    if (machine && values["server-name"] !== undefined)
      throw usageError(`--server-name is for servers of this machine; on ${machine.name} the newest one has it.`);
    const port = portOf({ flag: "--port", usual: 3000, min: 1 }, values.port);
    const isAttaching =
      !values.detached && !values.json && !values.quiet && output.isTerminal && process.stdin.isTTY === true;
    const session = await newSession(
      context,
      {
        ...(await programOf(context, values.agent, operands)),
        workdir: directoryAsked(context, values.dir),
        env: machine ? [] : environmentOf(env), // that one's own
        ...(name === undefined ? {} : { name }),
        ...(port === undefined ? {} : { port }),
        ...sizeOf(context),
      },
      values["server-name"],
    );
    if (values.json) output.json(session);
    else if (values.quiet) output.line(session.name);
    else say(context, session, isAttaching);
    if (!isAttaching) return EXIT.ok;
    return attachAny(context, session.id, { isViewer: false });
  },
});

/** @throws USAGE */
async function programOf(
  { env, machine }: Context,
  agent: string | undefined,
  operands: readonly string[],
): Promise<Pick<NewSession, "command" | "agent">> {
  // The shell of another machine's user is known there.
  const shell = machine ? [] : [env.SHELL || "/bin/sh"];
  if (agent === undefined && operands[0]?.trim() === "")
    throw usageError("There is no program to start.", "warren new -- npm run dev");
  if (agent === undefined) return { command: operands.length > 0 ? [...operands] : shell };
  if (operands.length > 0) throw usageError("--agent has the whole command; nothing comes behind it.");
  const { parseCommand } = await import("../../config/command-line.ts");
  const parsed = parseCommand(agent);
  if (parsed.kind === "argv") return { agent: parsed.argv };
  throw usageError(`--agent ${JSON.stringify(agent)} cannot be read: ${parsed.reason}.`);
}

/** The phrase: which server, which session. */
function say(context: Context, session: Session, isAttaching: boolean): void {
  const { output } = context;
  const server = serverTitle(output, { icon: serverIcon(session.server), name: session.server });
  output.line(`${server} ${sessionTitle(context, session)}`);
  if (session.attention !== undefined) output.errorLine(`It needs you: ${session.attention}`);
  if (isAttaching) return;
  for (const line of hintLines(output, [
    session.kind === "agent"
      ? [`warren prompt ${session.name} 'hello'`, "say something"]
      : [`warren attach ${session.name}`, "look at it and type"],
    [`warren stop ${session.name}`, "end it"],
  ]))
    output.line(line);
}

/** Of the terminal in which it is started, so that nothing is drawn twice. */
function sizeOf({ output }: Context): { cols?: number; rows?: number } {
  const { columns, rows } = process.stdout;
  return output.isTerminal && columns > 0 && rows > 0 ? { cols: columns, rows } : {};
}
