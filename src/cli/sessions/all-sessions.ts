import { isWarrenError } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/units.ts";
import type { Context } from "../context.ts";
import { aliveServers, clientOf, type NamedServer } from "../named-server.ts";

/** The live sessions of every server of this home, asked at once; a server that does not answer in time is named. */
export interface ServerSessions {
  server: Pick<NamedServer, "name" | "pid" | "sessions">;
  sessions: Session[];
  /** Why it did not answer. */
  problem?: string;
}

/** A server answers in a millisecond; one that is stopped or hangs must not hold up the list. */
const ANSWER_TIMEOUT_MS = 2_000;

export const sessionsByServer = (context: Context): Promise<ServerSessions[]> =>
  context.machine
    ? sessionsThere(context)
    : Promise.all(aliveServers(context.places.serversDir).map((server) => sessionsOf(context, server)));

/** Of another machine: those of its primary. */
async function sessionsThere(context: Context): Promise<ServerSessions[]> {
  const { sessions } = await context.client().request("session.list", {});
  return [{ server: { name: context.client().server?.server ?? "", pid: 0 }, sessions }];
}

async function sessionsOf(context: Context, server: NamedServer): Promise<ServerSessions> {
  const client = clientOf(context, server);
  try {
    const { sessions } = await client.request("session.list", {}, { timeoutMs: ANSWER_TIMEOUT_MS });
    return { server, sessions };
  } catch (error) {
    if (isWarrenError(error, "UNKNOWN_TYPE")) return { server, sessions: [] }; // older than sessions
    if (isWarrenError(error)) return { server, sessions: [], problem: error.message };
    throw error;
  } finally {
    client.close();
  }
}
