import * as z from "zod";
import type { Client } from "../../client/client.ts";
import type { Session } from "../../protocol/units.ts";
import { type Answer, CHANGES, defineTool } from "../tool.ts";
import { withSession } from "./session-link.ts";
import { SessionRef, SessionView, sessionView } from "./session-view.ts";

/** A line of the protocol holds a mebibyte, and JSON may write a character in six bytes. */
const PART_CHARACTERS = 128 * 1024;

export const sessionSend = defineTool({
  name: "session_send",
  title: "Say something to a session",
  description:
    "Types text and enter into a terminal, or prompts an agent (whose turn waits while it works). Then session_read. For a message that must not be lost or interrupt, use send.",
  annotations: { ...CHANGES, destructiveHint: true },
  input: z.strictObject({
    session: SessionRef,
    text: z.string().describe("As it is; control characters too, for a terminal."),
    enter: z.boolean().optional().describe("Of a terminal: press enter after it; default true."),
  }),
  output: z.object({
    session: SessionView,
    state: z
      .enum(["typed", "sent", "queued"])
      .describe(
        "typed into a terminal; sent to an agent; queued: the agent is working and gets it when its turn is over.",
      ),
    cursor: z.string().describe("For session_read: what comes after this."),
  }),
  async run(world, { session: reference, text, enter = true }) {
    return withSession(world, reference, async (client, id) => {
      const { session } = await client.request("session.get", { session: id });
      return session.kind === "agent" ? prompt(client, id, text) : type(client, session, enter ? `${text}\r` : text);
    });
  },
});

type Requests = Pick<Client, "request">;
type Sent = Answer<{ session: z.input<typeof SessionView>; state: "typed" | "sent" | "queued"; cursor: string }>;

async function prompt(client: Requests, id: string, text: string): Promise<Sent> {
  const { conversation } = await client.request("session.conversation", { session: id });
  const { session, receipt } = await client.request("session.prompt", { session: id, text, by: "mcp" });
  const said = receipt.state === "queued" ? "It is working, and gets it when its turn is over." : "It has it.";
  return {
    data: { session: sessionView(session), state: receipt.state, cursor: String(conversation.seq) },
    text: `${said} Next: session_read with wait and the cursor ${conversation.seq}.`,
  };
}

async function type(client: Requests, before: Session, text: string): Promise<Sent> {
  let session = before;
  for (let at = 0; at < text.length; at += PART_CHARACTERS) {
    const data = text.slice(at, at + PART_CHARACTERS);
    session = (await client.request("session.send", { session: before.id, data })).session;
  }
  const cursor = String(before.output_bytes);
  return {
    data: { session: sessionView(session), state: "typed", cursor },
    text: `Typed into ${session.name}. Next: session_read with wait and the cursor ${cursor}.`,
  };
}
