import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { hubLines } from "../remote/device-text.ts";
import { HUBS_TOPICS } from "../remote/topics.ts";
import { hintLines } from "../render/hints.ts";
import { runTopic, topicLines } from "../topics.ts";

export const hubs = defineCommand({
  usage: ["hubs [--json]", "hubs COMMAND NAME [ARGUMENT…]"],
  details: `The hubs at which this machine can be met, and how its link to each is. Alone it shows them; the hub that runs here itself: warren hub status.

${topicLines(HUBS_TOPICS)}`,
  examples: [
    { command: "warren hubs", does: "one line each, and what is wrong with those that are not connected" },
    { command: "warren hubs rename home.example home", does: "gives it another name" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["choice"], min: 0, choices: HUBS_TOPICS.map(({ name }) => name) },
  takesCommand: true,
  topics: HUBS_TOPICS,
  async run(context, { values, operands }) {
    if (operands.length > 0) return runTopic(context, "hubs", HUBS_TOPICS, operands);
    const { output, client } = context;
    const found = await client().request("remote.hubs", {});
    if (values.json) output.json(found.hubs);
    else if (found.hubs.length > 0) for (const line of hubLines(context, found.hubs)) output.line(line);
    else {
      output.line("This machine is a member of no hub");
      for (const line of hintLines(output, [
        ["warren pair --hub https://home.example", "becomes one, and lets a device in"],
      ]))
        output.line(line);
    }
    return EXIT.ok;
  },
});
