import { Client } from "../../client/client.ts";
import { type FoundSession, liveSessions, lookForSession } from "../../local/find-session.ts";
import { dialUnix } from "../../local/unix-wire.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { Session } from "../../protocol/units.ts";
import type { World } from "../world.ts";

/**
 * The way to sessions: a live one is asked of the server that has it, wherever that is by the time of the request; one that is over, of the primary. A
 * connection is for one call.
 */

/** A server answers in a millisecond; one that is stopped or hangs must not hold up the list. */
const ANSWER_TIMEOUT_MS = 2_000;
/** One that is being replaced greets when its successor is there. */
const GREETING_TIMEOUT_MS = 10_000;

type Requests = Pick<Client, "request">;

/** Calls `ask` with the session's id and a client of its server. @throws SESSION_NOT_FOUND */
export async function withSession<T>(
  world: World,
  reference: string,
  ask: (client: Requests, id: string) => Promise<T>,
): Promise<T> {
  const found = lookForSession(world.places, reference);
  if (!found) return ask(world.primary, reference);
  const client = open(world, () => (lookForSession(world.places, found.id) ?? found).entry.socket);
  try {
    return await ask(client, found.id);
  } finally {
    client.close();
  }
}

/** Of all servers of the home, asked at once; those of a server that does not answer are left out, and it is named. */
export async function allSessions(world: World): Promise<{ sessions: Session[]; silent: string[] }> {
  const bySocket = new Map<string, FoundSession>(
    liveSessions(world.places).map((found) => [found.entry.socket, found]),
  );
  const silent: string[] = [];
  const lists = await Promise.all(
    [...bySocket.values()].map(async ({ entry }) => {
      const client = open(world, () => entry.socket);
      try {
        return (await client.request("session.list", {}, { timeoutMs: ANSWER_TIMEOUT_MS })).sessions;
      } catch (error) {
        if (!isWarrenError(error)) throw error;
        silent.push(entry.name);
        return [];
      } finally {
        client.close();
      }
    }),
  );
  return { sessions: lists.flat(), silent };
}

const open = ({ build }: World, socketOf: () => string): Client =>
  new Client({
    name: "warren-mcp",
    version: build.version,
    randomId: () => crypto.randomUUID(),
    greetingTimeoutMs: GREETING_TIMEOUT_MS,
    dial: (events) => dialUnix(socketOf(), events),
    followsSession: true,
  });
