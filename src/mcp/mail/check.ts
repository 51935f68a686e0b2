import * as z from "zod";
import type { OfferedMessage } from "../../protocol/mail-units.ts";
import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import { CHANGES, defineTool } from "../tool.ts";
import { From, MaxCharacters, Thread } from "./fields.ts";
import { LEASE_MS, type Mailbox } from "./mailbox.ts";
import { BODY_CHARACTERS, MessageView, messagesText, messageView } from "./message-view.ts";

/** Messages of one answer: more would fill a model's context. */
const COUNT = 10;
const COUNT_MAX = 100;

export const Inbox = z.object({
  messages: z.array(MessageView),
  left: z.number().describe("Unread besides these."),
  epoch: z.number(),
  log_head: z.number().describe("With epoch: of when this is. No messages and left 0 is a fact, not a failure."),
});

export const check = defineTool({
  name: "check",
  title: "Read your mail",
  description:
    "The unread messages to you, oldest first. Then reply to those that ask, and ack those that you have dealt with. With again, those that you were given and have not acknowledged.",
  annotations: CHANGES,
  input: z.strictObject({
    limit: z.number().int().positive().max(COUNT_MAX).optional().describe(`Default ${COUNT}.`),
    peek: z.boolean().optional().describe("Only look: they stay unread."),
    again: z.boolean().optional().describe("Not new ones, but those that you have and have not acknowledged."),
    from: From,
    thread: Thread,
    max_chars: MaxCharacters,
  }),
  output: Inbox,
  async run({ mail }, { limit = COUNT, peek, again, from, thread, max_chars = BODY_CHARACTERS }, { signal }) {
    const filter = { ...(from === undefined ? {} : { from }), ...(thread === undefined ? {} : { thread }) };
    const fetched = await fetchMail(mail, { ...filter, limit, ...(peek || again ? { peek: true } : {}) }, { signal });
    if (!again) return inboxAnswer(fetched, max_chars);
    const kept = mail.given
      .all()
      .filter(
        (message) =>
          (from === undefined || message.from === from) && (thread === undefined || message.thread === thread),
      )
      .slice(0, limit);
    return inboxAnswer({ ...fetched, messages: kept, unread: fetched.unread + fetched.messages.length }, max_chars);
  },
});

/** What is fetched is under a lease, and noted down as given. */
export async function fetchMail(
  mail: Mailbox,
  wanted: Omit<PayloadOf<"mail.fetch">, "as" | "lease_ms">,
  { signal }: { signal: AbortSignal },
): Promise<DataOf<"mail.fetch">> {
  const fetched = await mail.speak("mail.fetch", { ...wanted, lease_ms: LEASE_MS }, { signal });
  if (!wanted.peek) mail.give(fetched.messages);
  return fetched;
}

export function inboxAnswer({ messages, unread, epoch, log_head }: DataOf<"mail.fetch">, maxCharacters: number) {
  const data: z.input<typeof Inbox> = {
    messages: messages.map((message) => messageView(message, maxCharacters)),
    left: unread,
    epoch,
    log_head,
  };
  return { data, text: inboxText(messages, unread, maxCharacters) };
}

function inboxText(messages: readonly OfferedMessage[], left: number, maxCharacters: number): string {
  if (messages.length === 0) return left > 0 ? `Nothing here; ${left} unread besides.` : "No unread mail (verified).";
  const more = left > 0 ? [`${left} more: check again.`] : [];
  return [messagesText(messages, maxCharacters), ...more].join("\n\n");
}
