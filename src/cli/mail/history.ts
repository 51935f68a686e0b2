import { MAIL_PAGE_MAX } from "../../protocol/mail-limits.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { hintLines } from "../render/hints.ts";
import { countOf } from "../values.ts";
import { messageRow } from "./message-text.ts";
import { speaker } from "./open-mail.ts";
import { RECEIPT_STATES } from "./receipt-states.ts";
import { checkAddress } from "./recipients.ts";
import { WHO_OPTIONS } from "./who.ts";

const LIMIT = 20;

export const history = defineCommand({
  usage: ["mail history [NAME] [--search WORDS] [--thread ID] [--state STATE] [--limit COUNT] [--json]"],
  details:
    "Shows what was sent, the newest last; of one participant when a name is given. Somebody at a terminal sees all; a session, an agent, and a script without a terminal, what its name has sent and received. Reading it takes nothing.",
  examples: [
    { command: "warren mail history owl", does: "to and from owl" },
    { command: "warren mail history --search 'schema rebase'", does: "those with both words" },
    { command: "warren mail history --state dead", does: "what was given up, and why: warren mail show NUMBER" },
  ],
  options: {
    search: { type: "string", value: "WORDS", description: "with all of these words" },
    thread: { type: "string", value: "ID", description: "one exchange, by its first message" },
    state: { type: "string", value: "STATE", choices: RECEIPT_STATES, description: "at any of its recipients" },
    before: { type: "string", value: "NUMBER", description: "older than this message" },
    limit: { type: "string", short: "n", value: "COUNT", description: `at most so many (default ${LIMIT})` },
    json: JSON_OPTION,
    ...WHO_OPTIONS,
  },
  operands: { kinds: ["participant"], min: 0 },
  async run(context, { values, operands }) {
    const { output } = context;
    const [name] = operands;
    const before = countOf("--before", values.before);
    const limit = countOf("--limit", values.limit, { min: 1, max: MAIL_PAGE_MAX }) ?? LIMIT;
    if (name !== undefined) checkAddress(name, "warren mail history owl");
    const { client, who } = await speaker(context, values);
    const { messages, has_more } = await client.request("mail.history", {
      as: who.name,
      limit,
      ...(name === undefined ? {} : { with: name }),
      ...(values.thread === undefined ? {} : { thread: values.thread }),
      ...(values.search === undefined ? {} : { search: values.search }),
      ...(values.state === undefined ? {} : { state: values.state as (typeof RECEIPT_STATES)[number] }),
      ...(before === undefined ? {} : { before }),
    });
    if (values.json) {
      output.json({ messages, has_more });
      return EXIT.ok;
    }
    if (messages.length === 0) output.line("No messages found");
    const older = messages.at(-1)?.message.seq;
    for (const { message, receipts } of messages.toReversed()) output.line(messageRow(context, message, receipts));
    const hints: [string, string][] = messages.length === 0 ? [] : [["warren mail show NUMBER", "all of one"]];
    if (has_more) hints.push([`warren mail history${name ? ` ${name}` : ""} --before ${older}`, "older ones"]);
    for (const line of hintLines(output, hints)) output.line(line);
    return EXIT.ok;
  },
});
