import { takeReply } from "../../client/take-reply.ts";
import { WarrenError } from "../../protocol/errors.ts";
import type { MailMessage, Receipt } from "../../protocol/mail-units.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import type { Context } from "../context.ts";
import { usageError } from "../usage-error.ts";
import { durationOf, idOf } from "../values.ts";
import { CONTENT_OPTIONS, contentOf } from "./content.ts";
import { messageLines } from "./message-text.ts";
import { type Speaker, speaker } from "./open-mail.ts";
import { printed } from "./read-mail.ts";
import { recipientsOf } from "./recipients.ts";
import { tellWorries } from "./sent-text.ts";
import { inSteps } from "./until-mail.ts";
import { WHO_OPTIONS } from "./who.ts";

const TIMEOUT_TEXT = "10m";

export const ask = defineCommand({
  usage: ["mail ask NAME TEXT [--timeout DURATION]", "mail ask NAME -          (from standard input)"],
  details: `Sends a question, waits for the reply and prints it. Exits with 124 when none came in time: the question stays where it is, and a later reply is in your
mailbox.`,
  examples: [
    { command: "warren mail ask owl 'done?' --timeout 10m", does: "prints owl's reply" },
    { command: "warren mail ask owl --json 'which port?'", does: "the reply as JSON" },
  ],
  options: {
    ...CONTENT_OPTIONS,
    timeout: {
      type: "string",
      short: "t",
      value: "DURATION",
      description: `give up after so long (default ${TIMEOUT_TEXT})`,
    },
    id: { type: "string", value: "ID", description: "your own for it: asked twice, it arrives once" },
    json: JSON_OPTION,
    ...WHO_OPTIONS,
  },
  operands: { kinds: ["participant", "text"], min: 2 },
  async run(context, { values, operands }) {
    const [to] = recipientsOf([operands[0]!]);
    const timeoutMs = durationOf("--timeout", values.timeout ?? TIMEOUT_TEXT)!;
    const id = idOf("--id", values.id);
    const content = await contentOf(operands[1]!, values, `warren mail ask ${to} 'done?'`);
    const me = await speaker(context, values);
    if (to === me.who.name) throw usageError(`${to} is you, and nobody else would answer.`, "warren mail list");
    const sent = await me.client.request("mail.send", {
      as: me.who.name,
      to: [to!],
      kind: "ask",
      ...content,
      ...(id === undefined ? {} : { message_id: id }),
    });
    if (!values.json) tellWorries(context, sent.recipients);
    const reply = await replyTo(context, me, sent.message, timeoutMs);
    if (values.json) context.output.json({ asked: sent.message, reply });
    else for (const line of messageLines(context, reply)) context.output.line(line);
    await take(context, me, reply);
    return EXIT.ok;
  },
});

/** @throws TIMEOUT, INTERRUPTED, NO_REPLY */
async function replyTo(context: Context, { client, who }: Speaker, { id, seq, to }: MailMessage, timeoutMs: number) {
  const what = `the reply of ${to} to ${seq}`;
  const wanted = { timeoutMs, what, fix: `warren mail check --thread ${id}      # a later reply is in your mailbox` };
  const receipts = await inSteps(context, wanted, async (waitMs, signal) => {
    const asked = { as: who.name, id, for: "replied", timeout_ms: waitMs } as const;
    const answer = await client.request("mail.wait", asked, { signal });
    return answer.result === "timed_out" ? undefined : answer.receipts;
  });
  const reply = receipts.find((receipt) => receipt.reply !== undefined)?.reply;
  if (reply) return reply;
  throw noReply(receipts, seq);
}

function noReply(receipts: readonly Receipt[], seq: number): WarrenError {
  const [{ to, state, reason } = { to: "nobody", state: "dead", reason: undefined }] = receipts;
  return new WarrenError(
    "NO_REPLY",
    `${to} will not reply to ${seq}: it is ${state}${reason === undefined ? "" : `, ${reason}`}.`,
    {
      fix: `warren mail show ${seq}`,
    },
  );
}

/** The reply is read, so it is not in the mailbox any more; unless older mail of its sender waits there, or somebody else of this name has it in hand. */
async function take({ output }: Context, { client, who }: Speaker, reply: MailMessage): Promise<void> {
  await printed(output);
  const taken = await takeReply((type, payload) => client.request(type, { ...payload, as: who.name }), reply);
  if (taken) await client.request("mail.ack", { as: who.name, ids: [taken.id], from: taken.from });
}
