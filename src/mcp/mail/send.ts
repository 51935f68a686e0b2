import * as z from "zod";
import type { PayloadOf } from "../../protocol/messages.ts";
import { CHANGES, defineTool } from "../tool.ts";
import { Data, Subject, Text } from "./fields.ts";
import { RecipientView, recipientLine, recipientView } from "./message-view.ts";

export const send = defineTool({
  name: "send",
  title: "Send a message",
  description:
    "Writes to other agents, sessions or people by name. When it answers, the message is on disk and will arrive, whoever dies; you are told whether the recipient is known and there. For a question whose answer you need now: ask.",
  annotations: CHANGES,
  input: z.strictObject({
    to: z.union([z.string(), z.array(z.string()).min(1)]).describe("A name, several, a @group, or @all."),
    text: Text,
    subject: Subject,
    data: Data,
    thread: z.string().optional().describe("The exchange that it belongs to; default: a new one."),
    id: z.string().optional().describe("Your own id for it: sent again with the same id, it is still one message."),
    ttl_s: z
      .number()
      .positive()
      .optional()
      .describe("Forget it when it is unread after so many seconds; default 7 days."),
    delay_s: z.number().positive().optional().describe("Deliver it after so many seconds."),
  }),
  output: z.object({
    id: z.string(),
    thread: z.string(),
    is_new: z.boolean().describe("False: it was sent before, under this id."),
    recipients: z.array(RecipientView),
  }),
  async run({ mail }, input, { signal }) {
    const { message, is_new, recipients } = await mail.speak("mail.send", sendPayload(input), { signal });
    const said = is_new ? `Sent (${message.id}).` : `It was sent before (${message.id}).`;
    return {
      data: { id: message.id, thread: message.thread, is_new, recipients: recipients.map(recipientView) },
      text: [said, ...recipients.map(recipientLine)].join(" "),
    };
  },
});

interface NewMail {
  to: string | string[];
  text: string;
  subject?: string | undefined;
  data?: Record<string, unknown> | undefined;
  thread?: string | undefined;
  id?: string | undefined;
  ttl_s?: number | undefined;
  delay_s?: number | undefined;
}

export function sendPayload({ to, text, subject, data, thread, id, ttl_s, delay_s }: NewMail): PayloadOf<"mail.send"> {
  return {
    to: typeof to === "string" ? [to] : to,
    body: text,
    ...(subject === undefined ? {} : { subject }),
    ...(data === undefined ? {} : { data }),
    ...(thread === undefined ? {} : { thread }),
    ...(id === undefined ? {} : { message_id: id }),
    ...(ttl_s === undefined ? {} : { ttl_ms: Math.round(ttl_s * 1_000) }),
    ...(delay_s === undefined ? {} : { delay_ms: Math.round(delay_s * 1_000) }),
  };
}
