import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { findMessage } from "./find-message.ts";
import { messageLines, receiptLines } from "./message-text.ts";
import { speaker } from "./open-mail.ts";
import { WHO_OPTIONS } from "./who.ts";

export const show = defineCommand({
  usage: ["mail show NUMBER [--json]"],
  details:
    "Shows one message in full, and for each recipient how far it has come: queued, seen (a reader has it), handled, replied; expired or dead when it was given up.",
  examples: [
    { command: "warren mail show 12", does: "the message and its receipts" },
    { command: "warren mail show 12 --json", does: "the same for a program" },
  ],
  options: { json: JSON_OPTION, ...WHO_OPTIONS },
  operands: { kinds: ["message"], min: 1 },
  async run(context, { values, operands }) {
    const { output } = context;
    const { message, receipts } = await findMessage(await speaker(context, values), operands[0]!);
    if (values.json) output.json({ message, receipts });
    else for (const line of [...messageLines(context, message), ...receiptLines(context, receipts)]) output.line(line);
    return EXIT.ok;
  },
});
