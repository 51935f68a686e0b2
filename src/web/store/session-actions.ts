import type { Session } from "../../protocol/units.ts";
import type { HomeAction } from "../model/home.ts";

/** What an event of the stream `sessions` does to the home; undefined for one of a newer server. */
export function sessionAction(
  server: string,
  event: string,
  data: Record<string, unknown>,
  nowMs: number,
): HomeAction | undefined {
  if (event === "session_changed") return { type: "session-changed", server, session: data.session as Session, nowMs };
  if (event === "session_gone") return { type: "session-gone", server, id: String(data.id), nowMs };
  return undefined;
}
