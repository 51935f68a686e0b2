import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { hintLines } from "../render/hints.ts";
import { machineLines } from "./machine-text.ts";
import { openMail } from "./open-mail.ts";

export const machines = defineCommand({
  usage: ["mail machines [--json]"],
  details: `Shows this machine's name, where it meets the others, and which of them are there: since when, or when they were last seen, and how many messages wait for
them.`,
  examples: [
    { command: "warren mail machines", does: "one line a machine" },
    { command: "warren mail send fox@laptop 'hi'", does: "writes to fox on laptop" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: [], min: 0 },
  async run(context, { values }) {
    const { output } = context;
    const answer = (await openMail(context).request("mail.machines", {})).machines;
    if (values.json) {
      output.json(answer);
      return EXIT.ok;
    }
    for (const line of machineLines(context, answer)) output.line(line);
    if (answer.state === "alone")
      for (const line of hintLines(output, [["warren mail join nats://HOST:4222", "meets others there"]]))
        output.line(line);
    return EXIT.ok;
  },
});
