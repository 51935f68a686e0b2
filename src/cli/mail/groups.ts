import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { unknownChoice, usageError } from "../usage-error.ts";
import { speaker } from "./open-mail.ts";
import { checkName } from "./recipients.ts";
import { escapedLine } from "./untrusted-text.ts";
import { WHO_OPTIONS } from "./who.ts";

const ACTIONS = ["join", "leave"] as const;

export const groups = defineCommand({
  usage: ["mail groups [--json]", "mail groups join|leave GROUP…"],
  details: "A message to @GROUP goes to everybody who is in it at that moment.",
  examples: [
    { command: "warren mail groups join reviewers", does: "mail to @reviewers comes to you too" },
    { command: "warren mail groups", does: "those that you are in" },
  ],
  options: { json: JSON_OPTION, ...WHO_OPTIONS },
  operands: { kinds: ["choice", "text"], min: 0, max: Number.POSITIVE_INFINITY, choices: ACTIONS },
  async run(context, { values, operands }) {
    const { output } = context;
    const [action, ...words] = operands;
    const known = ACTIONS.find((one) => one === action);
    if (action !== undefined && known === undefined) throw unknownChoice("What is done with groups", action, ACTIONS);
    if (known && words.length === 0)
      throw usageError(`${known} needs a group.`, `warren mail groups ${known} reviewers`);
    const names = words.map((word) => checkName(word.replace(/^@/, ""), `warren mail groups ${known} reviewers`, word));
    const { client, who } = await speaker(context, values);
    const change = known === undefined ? {} : { [known]: names };
    const { participant } = await client.request("mail.groups", { as: who.name, ...change });
    if (values.json) output.json(participant.groups);
    else if (participant.groups.length === 0) output.line(`${who.name} is in no group`);
    else for (const group of participant.groups) output.line(`@${escapedLine(group)}`);
    return EXIT.ok;
  },
});
