import * as z from "zod";
import { defineTool, READS } from "../tool.ts";

export const status = defineTool({
  name: "status",
  title: "Who you are, and how the mailbox is",
  description: "Your name in the mailbox, the names that agents of this project have had, and who leads the mailbox.",
  annotations: READS,
  input: z.strictObject({}),
  output: z.object({
    you: z.string().optional().describe("Absent: call register."),
    project: z.string(),
    names_before: z.array(z.string()),
    version: z.string(),
    mailbox: z.object({
      leader_pid: z.number(),
      epoch: z.number(),
      since: z.string(),
      members: z.number(),
      port: z.number().optional(),
      port_problem: z.string().optional(),
      messages: z.number(),
      unread: z.number(),
      dead: z.number(),
      log_head: z.number(),
    }),
  }),
  async run({ mail, build }, _, { signal }) {
    const you = mail.identity.name();
    if (you !== undefined) await mail.claim();
    const [{ status: seen }, before] = await Promise.all([
      mail.request("mail.status", {}, { signal }),
      mail.identity.namesBefore(),
    ]);
    const { leader, members, port_problem, messages, unread, dead, log_head } = seen;
    const who = you === undefined ? "You have no name yet: call register." : `You are ${you}.`;
    return {
      data: {
        ...(you === undefined ? {} : { you }),
        project: mail.identity.project,
        names_before: before,
        version: build.version,
        mailbox: {
          leader_pid: leader.pid,
          epoch: leader.epoch,
          since: leader.since,
          members: members.length,
          ...(leader.port === undefined ? {} : { port: leader.port }),
          ...(port_problem === undefined ? {} : { port_problem }),
          messages,
          unread,
          dead,
          log_head,
        },
      },
      text: `${who} The mailbox is led by process ${leader.pid} (epoch ${leader.epoch}), with ${messages} messages of everybody's, ${unread} of them unread.`,
    };
  },
});
