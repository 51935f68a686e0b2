import { EXIT } from "../../protocol/outcome.ts";
import { serverIcon } from "../../registry/names.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import type { Context } from "../context.ts";
import { serverNamed } from "../named-server.ts";
import { serverTitle } from "../render/server-title.ts";
import { sessionNamed, sessionTitle } from "../sessions/session-client.ts";

export const move = defineCommand({
  usage: ["move SESSION [SERVER] [--json]"],
  details:
    "Gives a live session to another server, without a name to the primary (the newest). Its program does not notice, and who is attached stays attached.",
  examples: [
    { command: "warren move fox", does: "fox goes to the newest server" },
    { command: "warren move fox frozen", does: "fox goes to the server frozen" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["session", "server"], min: 1, max: 2 },
  async run(context, { values, operands }) {
    const [reference = "", to] = operands;
    const { output } = context;
    const server = context.machine ? await serverThere(context, to) : serverNamed(context, to);
    const { client, id } = await sessionNamed(context, reference, "move");
    const { session } = await client.request("session.move", { session: id, to: server.name });
    if (values.json) output.json(session);
    else
      output.line(
        `${sessionTitle(context, session)} is on ${serverTitle(output, { icon: serverIcon(server.name), name: server.name })} now`,
      );
    return EXIT.ok;
  },
});

/** Of another machine, which knows itself whether there is one of that name. */
async function serverThere(context: Context, name: string | undefined): Promise<{ name: string }> {
  return { name: name ?? (await context.client().request("status", {})).server };
}
