import type { ByteWire, ByteWireEvents, DialBytes } from "../../client/terminal-world.ts";
import { systemCode, WarrenError } from "../../protocol/errors.ts";

/**
 * The way to a session for as long as it may be there: each dial asks anew which server has it, since it may have moved or its server may have
 * been replaced meanwhile.
 */
export interface SessionServer {
  socket: string;
  /** The session's name now. */
  name: string;
}

export interface DialSessionOptions {
  /** @throws SESSION_NOT_FOUND, also for the moment in which it moves */
  findServer: () => Promise<SessionServer>;
  dialSocket: (socket: string, events: ByteWireEvents) => Promise<ByteWire>;
  /** Milliseconds from some fixed moment. */
  nowMs?: () => number;
}

/** A keeper that was killed is there again within a second; past this nobody brings it back. */
const NOBODY_MAX_MS = 10_000;

export function dialSession({
  findServer,
  dialSocket,
  nowMs = () => performance.now(),
}: DialSessionOptions): DialBytes {
  let nobodySinceMs: number | undefined;
  let last: SessionServer | undefined;
  return async (events) => {
    const server = await findOr(findServer, last);
    last = server;
    try {
      const wire = await dialSocket(server.socket, events);
      nobodySinceMs = undefined;
      return wire;
    } catch (error) {
      nobodySinceMs ??= nowMs();
      if (!nobodyListens(error) || nowMs() - nobodySinceMs < NOBODY_MAX_MS) throw error;
      throw new WarrenError(
        "SERVER_GONE",
        `Warren's processes were ended, and with them the terminal of ${server.name}.`,
        {
          fix: `warren resume ${server.name}`,
          cause: error,
        },
      );
    }
  };
}

/** A session that the registry does not know any more may have ended while nobody looked: the server that had it last says how. */
async function findOr(
  findServer: () => Promise<SessionServer>,
  last: SessionServer | undefined,
): Promise<SessionServer> {
  try {
    return await findServer();
  } catch (error) {
    if (last && error instanceof WarrenError) return last;
    throw error;
  }
}

const nobodyListens = (error: unknown): boolean => ["ECONNREFUSED", "ENOENT"].includes(systemCode(error) ?? "");
