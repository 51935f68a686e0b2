import * as z from "zod";
import { CHANGES, defineTool } from "../tool.ts";
import { Data, Text } from "./fields.ts";
import { RecipientView, recipientLine, recipientView } from "./message-view.ts";

export const reply = defineTool({
  name: "reply",
  title: "Reply to a message",
  description:
    "Answers a message of check or wait, in its exchange, and acknowledges it. Who asked has the answer at once.",
  annotations: CHANGES,
  input: z.strictObject({
    id: z.string().describe("Of the message that you answer."),
    text: Text,
    data: Data,
    from: z.string().optional().describe("Who sent it; only needed when two senders chose the same id."),
  }),
  output: z.object({ id: z.string(), thread: z.string(), recipients: z.array(RecipientView) }),
  async run({ mail }, { id, text, data, from = mail.given.get(id)?.from }, { signal }) {
    const { message, recipients } = await mail.speak(
      "mail.reply",
      { id, body: text, ...(data === undefined ? {} : { data }), ...(from === undefined ? {} : { from }) },
      { signal },
    );
    mail.given.forget([id]);
    return {
      data: { id: message.id, thread: message.thread, recipients: recipients.map(recipientView) },
      text: [`Replied (${message.id}).`, ...recipients.map(recipientLine)].join(" "),
    };
  },
});
