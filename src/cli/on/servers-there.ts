import type { Client } from "../../client/client.ts";
import { isWarrenError } from "../../protocol/errors.ts";
import type { ServerStatus } from "../../protocol/messages.ts";
import type { Session } from "../../protocol/units.ts";
import type { Context } from "../context.ts";
import { openClient } from "../open-client.ts";

/** The servers of another machine: its primary says which there are, and each is asked by one of its sessions. */
export interface ServerThere {
  name: string;
  icon: string;
  version: string;
  primary: boolean;
  /** Ids of its live sessions. */
  sessions: readonly string[];
}

/** Through a hub and back; a server that is stopped or hangs must not hold up the list. */
const ANSWER_TIMEOUT_MS = 5_000;

async function serversThere(context: Context): Promise<ServerThere[]> {
  const stop = new AbortController();
  try {
    for await (const item of context.ownClient().subscribe({ streams: ["sessions"] }, stop.signal))
      if (item.kind === "snapshot") return (item.snapshot as { servers: ServerThere[] }).servers;
    return [];
  } finally {
    stop.abort();
  }
}

/** Of one of them; a server that has no session and is not the primary cannot be asked. */
export interface AskedServer {
  server: ServerThere;
  sessions: Session[];
  status?: ServerStatus;
  problem?: string;
}

export const askServersThere = async (context: Context, { usage = false } = {}): Promise<AskedServer[]> =>
  Promise.all((await serversThere(context)).map((server) => ask(context, server, usage)));

async function ask(context: Context, server: ServerThere, usage: boolean): Promise<AskedServer> {
  const client = clientOf(context, server);
  if (!client) return { server, sessions: [] };
  try {
    const [{ sessions }, status] = await Promise.all([
      client.request("session.list", usage ? { usage } : {}, { timeoutMs: ANSWER_TIMEOUT_MS }),
      client.request("status", {}, { timeoutMs: ANSWER_TIMEOUT_MS }),
    ]);
    return { server, sessions, status };
  } catch (error) {
    if (isWarrenError(error) && !server.primary) return { server, sessions: [], problem: error.message };
    throw error;
  }
}

function clientOf(context: Context, { primary, sessions: [id] }: ServerThere): Client | undefined {
  if (primary) return context.client();
  if (id === undefined || !context.machine) return undefined;
  return context.ownedClient(openClient(context.build, { dial: context.machine.dialLines(id), redialCountMax: 1 }));
}
