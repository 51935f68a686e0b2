import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { hintLines } from "../render/hints.ts";
import { durationOf, idOf } from "../values.ts";
import { messageRow } from "./message-text.ts";
import { speaker } from "./open-mail.ts";
import { checkAddress } from "./recipients.ts";
import { untilMail } from "./until-mail.ts";
import { WHO_OPTIONS } from "./who.ts";

export const wait = defineCommand({
  usage: ["mail wait [--timeout DURATION] [--from NAME] [--json]"],
  details:
    "Returns as soon as there is unread mail for you, shows it in a line each and leaves it unread. Exits with 124 when none came.",
  examples: [
    { command: "warren mail wait && warren mail check", does: "sleeps until there is some, and reads it" },
    { command: "warren mail wait --timeout 5m --from owl", does: "for a message of owl, five minutes at most" },
  ],
  options: {
    timeout: { type: "string", short: "t", value: "DURATION", description: "give up after so long (default: never)" },
    from: { type: "string", value: "NAME", description: "only from this sender" },
    thread: { type: "string", value: "ID", description: "only of this exchange" },
    json: JSON_OPTION,
    ...WHO_OPTIONS,
  },
  operands: { kinds: [], min: 0 },
  async run(context, { values }) {
    const { output } = context;
    const timeoutMs = durationOf("--timeout", values.timeout);
    const thread = idOf("--thread", values.thread);
    if (values.from !== undefined) checkAddress(values.from, "warren mail wait --from owl");
    const me = await speaker(context, values);
    const there = await untilMail(context, me, { timeoutMs, from: values.from, thread });
    if (values.json) {
      const { messages, unread, epoch, log_head } = there;
      output.json({ as: me.who.name, messages, unread, epoch, log_head });
      return EXIT.ok;
    }
    for (const message of there.messages) output.line(messageRow(context, message, []));
    for (const line of hintLines(output, [["warren mail check", "take it"]])) output.line(line);
    return EXIT.ok;
  },
});
