import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";

export const renameHub = defineCommand({
  usage: ["hubs rename NAME NEW [--json]"],
  details: "Gives the hub another name on this machine.",
  examples: [
    { command: "warren hubs rename home.example home", does: "calls it home from now on" },
    { command: "warren hubs", does: "shows the names" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["text", "text"], min: 2 },
  async run({ output, client }, { values, operands }) {
    const [hub, label] = operands as [string, string];
    const result = await client().request("remote.hub_rename", { hub, label });
    if (values.json) output.json(result.hub);
    else output.line(`${hub} is ${output.style.bold(result.hub.label)} now`);
    return EXIT.ok;
  },
});
