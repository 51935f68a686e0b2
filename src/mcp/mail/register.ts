import * as z from "zod";
import { CHANGES, defineTool } from "../tool.ts";
import { MailName } from "./fields.ts";

export const register = defineTool({
  name: "register",
  title: "Take a name in the mailbox",
  description:
    "Gives you a name by which other agents, sessions and people of this machine write to you. In the same project the same name is the same inbox, also after a restart or when you have forgotten everything. Inside a session of Warren's you have its name without registering.",
  annotations: { ...CHANGES, idempotentHint: true },
  input: z.strictObject({
    name: MailName.describe("What you are: reviewer, backend, fox."),
    groups: z.array(z.string()).optional().describe("Groups to join: what is sent to @group reaches you too."),
  }),
  output: z.object({
    name: z.string(),
    unread: z.number(),
    groups: z.array(z.string()),
    is_new: z.boolean().describe("Nobody in this project had the name before."),
  }),
  async run({ mail }, { name, groups }) {
    const { participant, isNew } = await mail.take(name, groups);
    const { unread } = participant;
    const waiting = unread === 0 ? "Nothing is waiting." : `${unread} unread: call check.`;
    return {
      data: { name: participant.name, unread, groups: participant.groups, is_new: isNew },
      text: `You are ${participant.name}${isNew ? "" : " again"}. ${waiting}`,
    };
  },
});
