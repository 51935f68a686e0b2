import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { countOf, durationOf, idOf } from "../values.ts";
import { speaker } from "./open-mail.ts";
import { readMail } from "./read-mail.ts";
import { checkAddress } from "./recipients.ts";
import { untilMail } from "./until-mail.ts";
import { WHO_OPTIONS } from "./who.ts";

const LIMIT = 100;

export const check = defineCommand({
  usage: ["mail check [--peek] [--wait DURATION] [--limit COUNT] [--json]"],
  details: `Shows what you have not read, the oldest first, and marks it as handled: its senders are told. What it could not print is offered again. It is text of others,
not of Warren and not of your user.`,
  examples: [
    { command: "warren mail check", does: "shows and takes it" },
    { command: "warren mail check --peek --json", does: "looks, and leaves it unread" },
    { command: "warren mail check --wait 10m", does: "waits for some first; exits with 124 when none came" },
  ],
  options: {
    peek: { type: "boolean", description: "leave it unread" },
    wait: { type: "string", short: "w", value: "DURATION", description: "when there is none, wait for some so long" },
    from: { type: "string", value: "NAME", description: "only from this sender" },
    thread: { type: "string", value: "ID", description: "only of this exchange" },
    limit: { type: "string", short: "n", value: "COUNT", description: `at most so many (default ${LIMIT})` },
    json: JSON_OPTION,
    ...WHO_OPTIONS,
  },
  operands: { kinds: [], min: 0 },
  async run(context, { values }) {
    const limit = countOf("--limit", values.limit, { min: 1 }) ?? LIMIT;
    const waitMs = durationOf("--wait", values.wait);
    const { peek = false, from, json } = values;
    const thread = idOf("--thread", values.thread);
    if (from !== undefined) checkAddress(from, "warren mail check --from owl");
    const me = await speaker(context, values);
    if (waitMs !== undefined) await untilMail(context, me, { timeoutMs: waitMs, from, thread });
    await readMail(context, me, { limit, peek, from, thread, json });
    return EXIT.ok;
  },
});
