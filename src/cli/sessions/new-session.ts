import type { Client } from "../../client/client.ts";
import { ensureServer } from "../../local/ensure-server.ts";
import { dialUnix } from "../../local/unix-wire.ts";
import type { NewSession } from "../../protocol/messages.ts";
import type { Session } from "../../protocol/units.ts";
import type { Context } from "../context.ts";
import { openClient } from "../open-client.ts";

/** The server of this very build, found or started: what is launched is what serves. */
export function clientOfThisBuild(context: Context, serverName?: string): Client {
  const { places, build, env } = context;
  return context.ownedClient(
    openClient(build, {
      dial: async (events) => {
        const { socketPath, hash } = await ensureServer({
          places,
          build,
          env,
          ...(serverName === undefined ? {} : { serverName }),
        });
        return dialUnix(socketPath, events, hash);
      },
    }),
  );
}

/** On another machine: on its primary. */
export async function newSession(context: Context, request: NewSession, serverName?: string): Promise<Session> {
  const client = context.machine ? context.client() : clientOfThisBuild(context, serverName);
  const { session } = await client.request("session.new", request);
  return session;
}
