import type { DataOf } from "../../protocol/messages.ts";
import type { Session } from "../../protocol/units.ts";
import { serverIcon } from "../../registry/names.ts";
import type { Context } from "../context.ts";
import { serverTitle } from "../render/server-title.ts";
import { sessionTitle } from "./session-client.ts";

/** Starts an ended session again, on the server of this build. */
export async function resumeSession(context: Context, id: string): Promise<DataOf<"session.resume">> {
  const client = context.machine ? context.client() : (await import("./new-session.ts")).clientOfThisBuild(context); // with what starts servers
  return client.request("session.resume", { session: id });
}

/** The phrase: which server, which session; and what it was called before when that name is taken. */
export function startedText(context: Context, session: Session): string {
  const { output } = context;
  const server = serverTitle(output, { icon: serverIcon(session.server), name: session.server });
  const former = session.former_name === undefined ? "" : ` (${session.former_name} is taken)`;
  return `${server} ${sessionTitle(context, session)}${former}`;
}
