import * as z from "zod";
import { isUnread, takeReply } from "../../client/take-reply.ts";
import { WarrenError } from "../../protocol/errors.ts";
import type { Receipt, Recipient } from "../../protocol/mail-units.ts";
import { presenceWord } from "../../protocol/mail-words.ts";
import { type Answer, type Call, CHANGES, defineTool } from "../tool.ts";
import { TimeoutSeconds, waiting, windowMs } from "../wait-window.ts";
import type { World } from "../world.ts";
import { Data, Subject, Text } from "./fields.ts";
import { LEASE_MS, type Mailbox } from "./mailbox.ts";
import { MessageView, messagesText, messageView, RecipientView, recipientLine, recipientView } from "./message-view.ts";
import { sendPayload } from "./send.ts";

/** A name, or `name@machine`. */
const ONE = /^[A-Za-z0-9_-]{1,32}(@[a-z0-9-]{1,32})?$/;

const AskResult = z.object({
  result: z
    .enum(["replied", "timed_out", "never"])
    .describe(
      "timed_out: not yet; the question stays: call wait with the cursor. never: it has expired, or could not be delivered.",
    ),
  id: z.string(),
  cursor: z.string().describe("For wait: go on waiting for this answer."),
  state: z
    .enum(["queued", "offered", "seen", "handled", "replied", "expired", "dead"])
    .describe("How far the question has come."),
  messages: z.array(MessageView).describe("The reply."),
  recipients: z.array(RecipientView).optional(),
});

export const ask = defineTool({
  name: "ask",
  title: "Ask and wait for the answer",
  description:
    "Sends a question to one participant and answers with its reply, or after at most 45 s with a cursor with which wait goes on waiting; a reply behind older mail of its sender comes again with check. The question stays where it is meanwhile; never ask it twice.",
  annotations: CHANGES,
  input: z.strictObject({
    to: z
      .string()
      .regex(ONE, "one participant, by its name; several, a group and @all are written to with send")
      .describe("Whom to ask: one name, or name@machine."),
    text: Text,
    subject: Subject,
    data: Data,
    thread: z.string().optional().describe("The exchange that it belongs to; default: a new one."),
    id: z.string().optional().describe("Your own id for it: asked again with the same id, it is still one question."),
    timeout_s: TimeoutSeconds,
  }),
  output: AskResult,
  async run(world, input, call) {
    if (input.to === world.mail.identity.name()) throw asksItself(input.to);
    const { message, recipients } = await world.mail.speak(
      "mail.send",
      { ...sendPayload(input), kind: "ask" },
      { signal: call.signal },
    );
    const suggestion = recipients[0]?.suggestion;
    const { data, text } = await awaitReply(world, call, { id: message.id, timeoutS: input.timeout_s, suggestion });
    return { data: { recipients: recipients.map(recipientView), ...data }, text };
  },
});

const asksItself = (name: string): WarrenError =>
  new WarrenError("INVALID_ARGUMENTS", `${name} is you, and nobody else would answer.`, {
    fix: "Call list_agents to see who is there.",
  });

const WAITS_BESIDES =
  "This reply also waits in your mailbox, behind older mail of its sender: it comes again with check, and can be acknowledged then.";

/** A cursor that stands for a question whose answer is waited for. */
const askCursor = (id: string): string => `ask:${id}`;
export const askedId = (cursor: string | undefined): string | undefined =>
  cursor?.startsWith("ask:") ? cursor.slice("ask:".length) : undefined;

/** Waits for the reply to a question of ours, and takes it out of the inbox unless older mail of its sender waits there: who has waited for it has read it with the next call. */
export async function awaitReply(
  world: World,
  call: Call,
  { id, timeoutS, suggestion }: { id: string; timeoutS: number | undefined; suggestion?: string | undefined },
): Promise<Answer<z.input<typeof AskResult>>> {
  const { mail } = world;
  const totalMs = windowMs(timeoutS);
  const { receipts, result } = await waiting(world, call, { totalMs, message: "waiting for the answer" }, () =>
    mail.speak("mail.wait", { id, for: "replied", timeout_ms: totalMs }, { signal: call.signal }),
  );
  const [receipt] = receipts;
  const base = { id, cursor: askCursor(id), state: receipt?.state ?? ("queued" as const) };
  if (result === "timed_out") {
    const there = receipt && (await recipientNow(mail, receipt.to, call.signal));
    const recipient = there && { ...there, ...(suggestion === undefined ? {} : { suggestion }) };
    const text = [
      `No answer yet, and the question is ${base.state}. Call wait with cursor "${base.cursor}".`,
      ...(recipient ? [recipientLine(recipient)] : []),
    ].join(" ");
    const recipients = recipient ? { recipients: [recipientView(recipient)] } : {};
    return { data: { ...base, result, messages: [], ...recipients }, text };
  }
  const reply = receipt?.reply;
  if (result === "never" || reply === undefined) return never(base, receipt);
  const speak: Parameters<typeof takeReply>[0] = (type, payload) => mail.speak(type, payload, { signal: call.signal });
  const taken = await takeReply(speak, reply, { lease_ms: LEASE_MS });
  mail.give(taken ? [taken] : [], "handled");
  const isWaiting = !taken && (await isUnread(speak, reply));
  const text = [messagesText([reply]), ...(isWaiting ? [WAITS_BESIDES] : [])].join("\n\n");
  return { data: { ...base, result: "replied", messages: [messageView(reply)] }, text };
}

/** Whether it is there by now: who was there when it was asked may have ended. */
async function recipientNow(mail: Mailbox, name: string, signal: AbortSignal): Promise<Recipient | undefined> {
  const listed = await mail.request("mail.list", {}, { signal }).catch(() => undefined); // the question is asked all the same
  const found = listed?.participants.find((one) => one.name === name);
  if (!found) return undefined;
  return { name, known: presenceWord(found) !== "unknown", presence: found.presence, unread: found.unread };
}

function never(
  base: Omit<z.input<typeof AskResult>, "result" | "messages">,
  receipt: Receipt | undefined,
): Answer<z.input<typeof AskResult>> {
  const why = receipt?.state === "expired" ? "it has expired unread" : (receipt?.reason ?? "it could not be delivered");
  return { data: { ...base, result: "never", messages: [] }, text: `There will be no answer: ${why}.` };
}
