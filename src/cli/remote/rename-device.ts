import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";

export const renameDevice = defineCommand({
  usage: ["devices rename NAME NEW [--json]"],
  details: "Gives the device another name on this machine. Nothing changes for the device.",
  examples: [
    { command: "warren devices rename 'Pixel 9' phone", does: "calls it phone from now on" },
    { command: "warren devices", does: "shows the names" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["text", "text"], min: 2 },
  async run({ output, client }, { values, operands }) {
    const [device, name] = operands as [string, string];
    const result = await client().request("remote.rename", { device, name });
    if (values.json) output.json(result.device);
    else output.line(`${device} is ${output.style.bold(result.device.name)} now`);
    return EXIT.ok;
  },
});
