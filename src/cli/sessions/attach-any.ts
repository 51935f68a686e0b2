import { lookForSession } from "../../local/find-session.ts";
import type { Context } from "../context.ts";

/** Attaches to a session as its kind demands: a terminal is shown, a conversation is printed. Answers the exit status. */
export async function attachAny(context: Context, id: string, options: { isViewer: boolean }): Promise<number> {
  if ((await kindOf(context, id)) === "agent") {
    const { attachAgent } = await import("./attach-agent.ts");
    return attachAgent(context, id, options);
  }
  const { attachTo } = await import("../attach/attach-to.ts");
  return attachTo(context, id, options);
}

async function kindOf(context: Context, id: string): Promise<string | undefined> {
  if (!context.machine) return lookForSession(context.places, id)?.kind;
  const { sessionNamed } = await import("./session-client.ts");
  const { client } = await sessionNamed(context, id, "attach");
  return (await client.request("session.get", { session: id })).session.kind;
}
