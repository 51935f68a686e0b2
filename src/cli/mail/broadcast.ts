import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { CONTENT_OPTIONS, contentOf } from "./content.ts";
import { speaker } from "./open-mail.ts";
import { tellSent } from "./sent-text.ts";
import { WHO_OPTIONS } from "./who.ts";

export const broadcast = defineCommand({
  usage: ["mail broadcast TEXT", "mail broadcast -          (from standard input)"],
  details:
    "Sends to everybody who has a name now, but you. Whoever comes later does not get it. The same as `warren mail send @all TEXT`.",
  examples: [
    { command: "warren mail broadcast 'main is frozen until noon'", does: "prints its number" },
    { command: "warren mail send @reviewers 'please look'", does: "to a group only" },
  ],
  options: {
    ...CONTENT_OPTIONS,
    quiet: { type: "boolean", short: "q", description: "print its id alone" },
    json: JSON_OPTION,
    ...WHO_OPTIONS,
  },
  operands: { kinds: ["text"], min: 1 },
  async run(context, { values, operands }) {
    const content = await contentOf(operands[0]!, values, "warren mail broadcast 'hello'");
    const { client, who } = await speaker(context, values);
    tellSent(context, await client.request("mail.send", { as: who.name, to: ["@all"], ...content }), values);
    return EXIT.ok;
  },
});
