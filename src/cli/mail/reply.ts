import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { idOf } from "../values.ts";
import { CONTENT_OPTIONS, contentOf } from "./content.ts";
import { findMessage } from "./find-message.ts";
import { speaker } from "./open-mail.ts";
import { tellSent } from "./sent-text.ts";
import { WHO_OPTIONS } from "./who.ts";

export const reply = defineCommand({
  usage: ["mail reply NUMBER TEXT", "mail reply ID -          (from standard input)"],
  details:
    "Answers a message that was sent to you, in its exchange; it is handled then. NUMBER is what `warren mail check` shows before it.",
  examples: [
    { command: "warren mail reply 12 'done, see main'", does: "to whoever has sent 12" },
    { command: "npm test | warren mail reply 12 -", does: "answers with what the tests print" },
  ],
  options: {
    ...CONTENT_OPTIONS,
    id: { type: "string", value: "ID", description: "your own for it: sent twice, it arrives once" },
    quiet: { type: "boolean", short: "q", description: "print its id alone" },
    json: JSON_OPTION,
    ...WHO_OPTIONS,
  },
  operands: { kinds: ["message", "text"], min: 2 },
  async run(context, { values, operands }) {
    const id = idOf("--id", values.id);
    const content = await contentOf(operands[1]!, values, `warren mail reply ${operands[0]} 'done'`);
    const me = await speaker(context, values);
    const { message } = await findMessage(me, operands[0]!);
    const sent = await me.client.request("mail.reply", {
      as: me.who.name,
      id: message.id,
      from: message.from,
      ...content,
      ...(id === undefined ? {} : { message_id: id }),
    });
    tellSent(context, sent, values);
    return EXIT.ok;
  },
});
