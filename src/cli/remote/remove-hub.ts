import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { plural } from "../render/plural.ts";

export const removeHub = defineCommand({
  usage: ["hubs remove NAME [--json]"],
  details:
    "This machine and its devices do not meet at that hub any more. Devices that know it through another hub stay; the others pair again. Its owner removes what the hub itself knows: warren hub remove.",
  examples: [
    { command: "warren hubs remove cloud", does: "leaves it" },
    { command: "warren hubs", does: "shows the names, and how many devices come through each" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["text"], min: 1 },
  async run({ output, client }, { values, operands }) {
    const { hub } = await client().request("remote.hub_remove", { hub: operands[0]! });
    if (values.json) output.json(hub);
    else
      output.line(
        `Left the hub ${output.style.bold(hub.label)}${hub.device_count > 0 ? `; ${plural(hub.device_count, "device")} came through it` : ""}`,
      );
    return EXIT.ok;
  },
});
