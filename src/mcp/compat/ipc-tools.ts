import * as z from "zod";
import { harmlessLine } from "../../protocol/untrusted-mail.ts";
import { RecipientView, recipientLine, recipientView } from "../mail/message-view.ts";
import { type AnyTool, CHANGES, defineTool, READS } from "../tool.ts";

/** The tools of claude-ipc-mcp that ours have other names for. Its `auto_process` consumed mail and lost it; here it only looks. */
const Id = z.string().optional().describe("Not needed: it is known who you are.");
const Content = z.string().min(1);
const Data = z.record(z.string(), z.unknown()).optional();
const PEEKED_COUNT = 100;

const broadcast = defineTool({
  name: "broadcast",
  title: "Write to everybody",
  description: "Sends a message to every participant but you. Use it rarely.",
  annotations: CHANGES,
  input: z.object({ from_id: Id, content: Content, data: Data }),
  output: z.object({ id: z.string(), recipients: z.array(RecipientView) }),
  async run({ mail }, { content, data }, { signal }) {
    const payload = { to: ["@all"], body: content, ...(data === undefined ? {} : { data }) };
    const { message, recipients } = await mail.speak("mail.send", payload, { signal });
    return {
      data: { id: message.id, recipients: recipients.map(recipientView) },
      text: [`Broadcast to ${recipients.length} instances.`, ...recipients.map(recipientLine)].join(" "),
    };
  },
});

const listInstances = defineTool({
  name: "list_instances",
  title: "List participants",
  description: "Who is in the mailbox; list_agents says more.",
  annotations: READS,
  input: z.object({}),
  output: z.object({ instances: z.array(z.object({ id: z.string(), last_seen: z.string().optional() })) }),
  async run({ mail }, _, { signal }) {
    const { participants } = await mail.request("mail.list", {}, { signal });
    const instances = participants.map(({ name, last_seen }) => ({ id: name, ...(last_seen ? { last_seen } : {}) }));
    const lines = instances.map(({ id, last_seen }) => `- ${id} (last seen: ${last_seen ?? "never"})`);
    return {
      data: { instances },
      text: lines.length > 0 ? `Active instances:\n${lines.join("\n")}` : "No active instances",
    };
  },
});

const rename = defineTool({
  name: "rename",
  title: "Take another name",
  description: "Gives your inbox another name; mail to the old one goes to the new one for two hours.",
  annotations: CHANGES,
  input: z.object({ old_id: Id, new_id: z.string() }),
  output: z.object({ name: z.string() }),
  async run({ mail }, { new_id }, { signal }) {
    const old = (await mail.claim()).name;
    const { participant } = await mail.speak("mail.rename", { name: new_id }, { signal });
    await mail.renamed(participant.name);
    return { data: { name: participant.name }, text: `Renamed ${old} to ${participant.name}` };
  },
});

const autoProcess = defineTool({
  name: "auto_process",
  title: "Look for mail",
  description: "Says what is unread, and from whom. It consumes nothing: check reads.",
  annotations: READS,
  input: z.object({ instance_id: Id }),
  output: z.object({ unread: z.number(), from: z.array(z.object({ from: z.string(), first: z.string() })) }),
  async run({ mail }, _, { signal }) {
    const fetched = await mail.speak("mail.fetch", { peek: true, limit: PEEKED_COUNT }, { signal });
    const from = fetched.messages.map((message) => ({ from: message.from, first: harmlessLine(message.body, 50) }));
    const unread = fetched.messages.length + fetched.unread;
    const lines = from.map((one) => `${one.from}: "${one.first}"`);
    return {
      data: { unread, from },
      text: [`${unread} unread; nothing was consumed. Call check.`, ...lines].join("\n"),
    };
  },
});

export const ipcTools: readonly AnyTool[] = [broadcast, listInstances, rename, autoProcess];
