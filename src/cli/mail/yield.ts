import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { openMail } from "./open-mail.ts";
import { statusLines } from "./status-text.ts";

export const yield_ = defineCommand({
  usage: ["mail yield [--json]"],
  details:
    "Has the process that leads replaced by a new one, of the same build. No request fails meanwhile: they are answered by the one or the other.",
  examples: [
    { command: "warren mail yield", does: "another process leads, in the next epoch" },
    { command: "warren mail lead", does: "one of the build that you type with" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: [], min: 0 },
  async run(context, { values }) {
    const { status } = await openMail(context).request("mail.yield", {});
    if (values.json) context.output.json(status);
    else for (const line of statusLines(context, status)) context.output.line(line);
    return EXIT.ok;
  },
});
