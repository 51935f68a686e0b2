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

/** `usage`: with what they use, which costs each server a look at all processes. Servers whose entry has no sessions are not asked. */
export const sessionsByServer = (context: Context, { usage }: { usage: boolean }): Promise<ServerSessions[]> =>
  context.machine
    ? sessionsThere(context, usage)
    : Promise.all(
        aliveServers(context.places.serversDir)
          .filter(({ sessions }) => sessions === undefined || sessions.length > 0)
          .map((server) => sessionsOf(context, server, usage)),
      );

/** `Server blazing (pid 4711) did not list its sessions, fox, owl: …` */
export function silentServer({ server: { name, pid, sessions: known = [] }, problem }: ServerSessions): string {
  const names = known.map((session) => session.name).join(", ");
  return `Server ${name}${pid > 0 ? ` (pid ${pid})` : ""} did not list its sessions${names ? `, ${names}` : ""}: ${problem}`;
}

async function sessionsThere(context: Context, usage: boolean): Promise<ServerSessions[]> {
  const { askServersThere } = await import("../on/servers-there.ts");
  return (await askServersThere(context, { usage })).map(({ server: { name }, status, sessions, problem }) => ({
    server: { name, pid: status?.pid ?? 0 },
    sessions,
    ...(problem === undefined ? {} : { problem }),
  }));
}

async function sessionsOf(context: Context, server: NamedServer, usage: boolean): Promise<ServerSessions> {
  const client = clientOf(context, server);
  try {
    const { sessions } = await client.request("session.list", usage ? { usage } : {}, { timeoutMs: ANSWER_TIMEOUT_MS });
    return { server, sessions };
  } catch (error) {
    if (isWarrenError(error, "UNKNOWN_TYPE")) return { server, sessions: [] }; // older than sessions
    if (isWarrenError(error)) return { server, sessions: [], problem: error.message };
    throw error;
  } finally {
    client.close();
  }
}
