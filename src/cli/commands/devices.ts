import { knownMachines } from "../../local/remote/known-machines.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { deviceLines, introductionLines } from "../remote/device-text.ts";
import { DEVICES_TOPICS } from "../remote/topics.ts";
import { hintLines } from "../render/hints.ts";
import { runTopic, topicLines } from "../topics.ts";

export const devices = defineCommand({
  usage: ["devices [--json]", "devices COMMAND NAME [ARGUMENT…]"],
  details: `The phones, browsers and other machines that may steer this one, what each may, and through which hubs it comes; and which machines this one may steer. Alone it shows them.

${topicLines(DEVICES_TOPICS)}`,
  examples: [
    { command: "warren devices", does: "one line each" },
    { command: "warren devices revoke 'Pixel 9'", does: "cuts it off at once" },
    { command: "warren devices scopes 'Pixel 9' view,type", does: "changes what it may" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["choice"], min: 0, choices: DEVICES_TOPICS.map(({ name }) => name) },
  takesCommand: true,
  topics: DEVICES_TOPICS,
  async run(context, { values, operands }) {
    if (operands.length > 0) return runTopic(context, "devices", DEVICES_TOPICS, operands);
    const { output, client, machine, places } = context;
    const found = await client().request("remote.devices", {});
    const { introductions = [] } = found;
    if (values.json) output.json(found.devices);
    else if (introductions.length > 0) for (const line of introductionLines(context, introductions)) output.line(line);
    if (values.json) return EXIT.ok;
    if (found.devices.length > 0) for (const line of deviceLines(context, found.devices)) output.line(line);
    else {
      output.line("No device may steer this machine");
      for (const line of hintLines(output, [["warren pair", "lets one in"]])) output.line(line);
    }
    const steered = machine ? [] : knownMachines(places); // what another machine may steer, it says to nobody
    if (steered.length > 0) {
      output.line(`This machine may steer ${steered.join(", ")}`);
      for (const line of hintLines(output, [[`warren --on ${quoteWord(steered[0]!)} list`, "what runs there"]]))
        output.line(line);
    }
    return EXIT.ok;
  },
});
