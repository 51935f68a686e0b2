import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { sessionNamed, sessionTitle } from "../sessions/session-client.ts";

export const login = defineCommand({
  usage: ["login SESSION [METHOD]"],
  details:
    "Logs an agent in that wants it before it works, by one of the ways that it offers; METHOD can be left out when there is only one. Returns when the agent can be spoken to.",
  examples: [
    { command: "warren login fox", does: "when there is one way" },
    { command: "warren login fox oauth", does: "by that one" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["session", "text"], min: 1 },
  async run(context, { values, operands }) {
    const { output } = context;
    const [reference = "", method] = operands;
    const { client, id } = await sessionNamed(context, reference, "login");
    const wanted = method === undefined ? {} : { method };
    const result = await client.request("session.login", { session: id, ...wanted });
    if (values.json) output.json(result);
    else output.line(`${sessionTitle(context, result.session)} is logged in`);
    return EXIT.ok;
  },
});
