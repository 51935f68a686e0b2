import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION, NO_OPERANDS } from "../command.ts";

export const ping = defineCommand({
  usage: ["ping [--json]"],
  details: "Starts the server when none runs.",
  examples: [
    { command: "warren ping", does: "prints pong" },
    { command: "warren ping --json", does: "also says which server answered" },
  ],
  options: { json: JSON_OPTION },
  operands: NO_OPERANDS,
  async run(context, { values }) {
    const client = context.client();
    const { message } = await client.request("ping", {});
    if (values.json) context.output.json({ message, ...client.server });
    else context.output.line(message);
    return EXIT.ok;
  },
});
