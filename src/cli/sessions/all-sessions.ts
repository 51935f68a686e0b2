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

/** With what they use. Servers whose entry has no sessions are not asked. */
export const sessionsByServer = (context: Context): Promise<ServerSessions[]> =>
  context.machine
    ? sessionsThere(context)
    : Promise.all(
        aliveServers(context.places.serversDir)
          .filter(({ sessions }) => sessions === undefined || sessions.length > 0)
          .map((server) => sessionsOf(context, server)),
      );

/** `Server blazing (pid 4711) did not list its sessions, fox, owl: …` */
export function silentServer({ server: { name, pid, sessions: known = [] }, problem }: ServerSessions): string {
  const names = known.map((session) => session.name).join(", ");
  return `Server ${name}${pid > 0 ? ` (pid ${pid})` : ""} did not list its sessions${names ? `, ${names}` : ""}: ${problem}`;
}

async function sessionsThere(context: Context): Promise<ServerSessions[]> {
  const { askServersThere } = await import("../on/servers-there.ts");
  return (await askServersThere(context)).map(({ server: { name }, status, sessions, problem }) => ({
    server: { name, pid: status?.pid ?? 0 },
    sessions,
    ...(problem === undefined ? {} : { problem }),
  }));
}

async function sessionsOf(context: Context, server: NamedServer): Promise<ServerSessions> {
  const client = clientOf(context, server);
  try {
    const { sessions } = await client.request("session.list", { usage: true }, { timeoutMs: ANSWER_TIMEOUT_MS });
    return { server, sessions };
  } catch (error) {
    if (isWarrenError(error, "UNKNOWN_TYPE")) return { server, sessions: [] }; // older than sessions
    if (isWarrenError(error)) return { server, sessions: [], problem: error.message };
    throw error;
  } finally {
    client.close();
  }
}
