import { renameAgents } from "../../hooks/agent-record.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { usageError } from "../usage-error.ts";
import { speaker } from "./open-mail.ts";
import { checkName } from "./recipients.ts";
import { WHO_OPTIONS } from "./who.ts";

export const rename = defineCommand({
  usage: ["mail rename NEWNAME [--as NAME] [--json]"],
  details:
    "Takes another name. What is unread moves along, and mail to the old name follows for two hours. The name of a session is changed by `warren rename`.",
  examples: [
    { command: "warren mail rename anna --as ann", does: "ann is anna now" },
    { command: "warren rename fox bear", does: "a session: its address follows its name" },
  ],
  options: { json: JSON_OPTION, ...WHO_OPTIONS },
  operands: { kinds: ["text"], min: 1 },
  async run(context, { values, operands }) {
    const { output } = context;
    const name = checkName(operands[0]!, "warren mail rename anna");
    const { client, who } = await speaker(context, values);
    if (who.unit !== undefined) {
      throw usageError(`${who.name} is a session: its address is its name.`, `warren rename ${who.name} ${name}`);
    }
    const { participant } = await client.request("mail.rename", { as: who.name, name });
    if (!context.machine) renameAgents(context.places, who.name, participant.name);
    if (values.json) output.json(participant);
    else output.line(`${who.name} is ${output.style.bold(name)} now; mail to ${who.name} follows for two hours`);
    return EXIT.ok;
  },
});
