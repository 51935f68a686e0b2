import { MAIL_LIFE_MS } from "../../protocol/mail-limits.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { LATER_OPTION } from "../on/later/later-option.ts";
import { usageError } from "../usage-error.ts";
import { durationOf, idOf } from "../values.ts";
import { CONTENT_OPTIONS, contentOf } from "./content.ts";
import { speaker } from "./open-mail.ts";
import { recipientsOf } from "./recipients.ts";
import { tellSent } from "./sent-text.ts";
import { withWayThere } from "./way-there.ts";
import { WHO_OPTIONS, whoAmI } from "./who.ts";

export const send = defineCommand({
  usage: ["mail send TO… TEXT", "mail send TO… -          (from standard input)"],
  details: `TO is a name, @group or @all; the last word is the message. When the command returns, the message is on disk and will arrive; one for a name that nobody
has waits for whoever takes it. With --id a second one is the first, so that it can be sent again after a doubt.`,
  examples: [
    { command: "warren mail send fox 'the schema changed, please rebase'", does: "prints its number" },
    { command: "git diff | warren mail send fox owl --subject review -", does: "to two, from standard input" },
    {
      command: "warren mail send fox 'stand-up' --delay 1h --ttl 2h",
      does: "in an hour; gone if it is not read in two",
    },
  ],
  options: {
    ...CONTENT_OPTIONS,
    thread: { type: "string", value: "ID", description: "belongs to the exchange that began with this message" },
    ttl: { type: "string", value: "DURATION", description: "expires after so long unread (default 7d)" },
    delay: { type: "string", value: "DURATION", description: "not before so long" },
    id: { type: "string", value: "ID", description: "your own for it: sent twice, it arrives once" },
    quiet: { type: "boolean", short: "q", description: "print its id alone" },
    later: LATER_OPTION,
    json: JSON_OPTION,
    ...WHO_OPTIONS,
  },
  operands: { kinds: ["participant", "participant"], min: 2, max: Number.POSITIVE_INFINITY },
  async run(context, { values, operands }) {
    const to = recipientsOf(operands.slice(0, -1));
    const ttlMs = durationOf("--ttl", values.ttl);
    const delayMs = durationOf("--delay", values.delay);
    if (ttlMs !== undefined && (ttlMs < 1 || ttlMs > MAIL_LIFE_MS))
      throw usageError(`--ttl ${values.ttl} is not between 1ms and 7d, the longest that mail is kept unread.`);
    if (delayMs !== undefined && delayMs >= (ttlMs ?? MAIL_LIFE_MS))
      throw usageError(`--delay ${values.delay} is not shorter than --ttl ${values.ttl ?? "7d"}: nobody would get it.`);
    const thread = idOf("--thread", values.thread);
    const id = idOf("--id", values.id);
    const content = await contentOf(operands.at(-1)!, values, `warren mail send ${to[0]} 'hello'`);
    const message = {
      to,
      ...content,
      ...(thread === undefined ? {} : { thread }),
      ...(id === undefined ? {} : { message_id: id }),
      ...(ttlMs === undefined ? {} : { ttl_ms: ttlMs }),
      ...(delayMs === undefined ? {} : { delay_ms: delayMs }),
    };
    if (values.later !== undefined) {
      const who = whoAmI(context, values);
      if (who.keyFile !== undefined)
        throw usageError("What waits cannot prove a name by a key: leave --later or the key out.");
      const { keepLater } = await import("../on/later/keep-later.ts");
      const payload = { as: who.name, ...message };
      return keepLater(context, values, () => [{ type: "mail.send", payload, what: `mail send ${to.join(" ")}` }]);
    }
    const { client, who } = await speaker(context, values);
    const sent = await client
      .request("mail.send", { as: who.name, ...message })
      .catch((error) => withWayThere(context, to, error));
    tellSent(context, sent, values);
    return EXIT.ok;
  },
});
