import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand } from "../command.ts";
import { openMail } from "./open-mail.ts";

export const export_ = defineCommand({
  usage: ["mail export > FILE"],
  details:
    "Writes everything that is in the log, one JSON object a line: participants, messages, and how far they have come. `warren mail import` takes it up, here or elsewhere.",
  examples: [
    { command: "warren mail export > mail.jsonl", does: "all of it" },
    { command: "warren mail export | grep schema", does: "lines for other tools" },
  ],
  options: {},
  operands: { kinds: [], min: 0 },
  async run(context) {
    const client = openMail(context);
    let after: number | undefined;
    do {
      const { rows, next } = await client.request("mail.export", after === undefined ? {} : { after });
      await context.output.bytes("stdout", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
      after = next;
    } while (after !== undefined);
    return EXIT.ok;
  },
});
