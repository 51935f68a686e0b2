import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";

export const revoke = defineCommand({
  usage: ["devices revoke NAME [--json]"],
  details:
    "Cuts the device off: its sessions end at once, and each hub throws it out; a hub that is not connected now is told at the next contact, before anything else. What the device has read stays read. It can pair again, with a new code.",
  examples: [
    { command: "warren devices revoke 'Pixel 9'", does: "cuts it off, everywhere" },
    { command: "warren devices", does: "shows the names" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["text"], min: 1 },
  async run({ output, client }, { values, operands }) {
    const result = await client().request("remote.revoke", { device: operands[0]! });
    if (values.json) {
      output.json(result);
      return EXIT.ok;
    }
    output.line(`${output.style.bold(result.device.name)} is cut off`);
    for (const { hub, state } of result.hubs)
      if (state === "later")
        output.line(`${hub} is not connected now: it is told at the next contact, before anything else`);
    return EXIT.ok;
  },
});
