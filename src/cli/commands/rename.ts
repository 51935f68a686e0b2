import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { sessionNamed, sessionTitle } from "../sessions/session-client.ts";

export const rename = defineCommand({
  usage: ["rename SESSION NAME [--json]"],
  details: "Gives a session another name. What is attached stays attached.",
  examples: [
    { command: "warren rename fox otter", does: "fox is called otter from now on" },
    { command: "warren rename fox build --json", does: "and prints the session" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["session", "text"], min: 2 },
  async run(context, { values, operands }) {
    const [reference = "", name = ""] = operands;
    const { client, id, name: before } = await sessionNamed(context, reference, "rename");
    const { session } = await client.request("session.rename", { session: id, name });
    if (values.json) context.output.json(session);
    else context.output.line(`${before} is now ${sessionTitle(context, session)}`);
    return EXIT.ok;
  },
});
