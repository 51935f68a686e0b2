import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { SCOPES_HELP, scopesOf, scopesText } from "./scopes-of.ts";

export const deviceScopes = defineCommand({
  usage: ["devices scopes NAME SCOPES [--json]"],
  details: `Changes what the device may. Its sessions end and come back with the new scopes.

${SCOPES_HELP}`,
  examples: [
    { command: "warren devices scopes 'Pixel 9' view,type", does: "it may look and type, and nothing else" },
    { command: "warren devices scopes tablet view", does: "it may look" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["text", "text"], min: 2 },
  async run({ output, client }, { values, operands }) {
    const [device, scopes] = operands as [string, string];
    const result = await client().request("remote.scopes", { device, scopes: scopesOf("SCOPES", scopes) });
    if (values.json) output.json(result.device);
    else output.line(`${output.style.bold(result.device.name)} has ${scopesText(result.device.scopes)}`);
    return EXIT.ok;
  },
});
