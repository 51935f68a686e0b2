import * as z from "zod";
import { isWarrenError } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/units.ts";
import { defineTool, READS } from "../tool.ts";
import type { World } from "../world.ts";
import { allSessions } from "./session-link.ts";
import { SessionView, sessionLine, sessionView } from "./session-view.ts";

export const sessionList = defineTool({
  name: "session_list",
  title: "List sessions",
  description:
    "The terminals and agents of this machine that Warren holds: what they are doing, and which need somebody. A session is also a participant of the mailbox under its name.",
  annotations: READS,
  input: z.strictObject({ saved: z.boolean().optional().describe("Also those that are over and can be resumed.") }),
  output: z.object({
    sessions: z.array(SessionView),
    silent_servers: z.array(z.string()).describe("Servers that did not answer; theirs are missing."),
  }),
  async run(world, { saved }) {
    const live = await allSessions(world);
    const over = saved ? await savedSessions(world) : [];
    const sessions = [...live.sessions, ...over];
    const lines = sessions.map(sessionLine);
    const missing = live.silent.map((server) => `The server ${server} does not answer; its sessions are missing here.`);
    return {
      data: { sessions: sessions.map(sessionView), silent_servers: live.silent },
      text: [...(lines.length > 0 ? lines : ["No sessions."]), ...missing].join("\n"),
    };
  },
});

async function savedSessions({ primary }: World): Promise<Session[]> {
  try {
    return (await primary.request("session.list", { saved: true })).sessions;
  } catch (error) {
    if (isWarrenError(error, "NO_SERVER")) return [];
    throw error;
  }
}
