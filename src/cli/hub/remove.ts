import { askHub } from "../../local/hub-link.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";

export const remove = defineCommand({
  usage: ["hub remove ID [--json]"],
  details:
    "Cuts off a machine, with its devices and with all that waits for them, or a device, from every machine of this hub. Their pairing with each other at other hubs stays.",
  examples: [
    { command: "warren hub members", does: "shows the ids" },
    { command: "warren hub remove 4f1c9a0be2d37755", does: "throws out whoever has that id" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["text"], min: 1 },
  async run({ output, places }, { values, operands }) {
    const { removed } = await askHub(places, "remove", { id: operands[0]! });
    if (values.json) output.json(removed);
    else output.line(`Removed ${removed.kind} ${removed.id}${removed.label ? ` (${removed.label})` : ""}`);
    return EXIT.ok;
  },
});
