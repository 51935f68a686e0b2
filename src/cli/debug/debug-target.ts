import { join } from "node:path";
import { readProcess } from "../../platform/process.ts";
import { DEBUG_TOPICS, debugSocketName } from "../../protocol/debug.ts";
import { isWarrenError, WarrenError } from "../../protocol/errors.ts";
import { suggest } from "../../protocol/suggest.ts";
import { debugSocketsIn, removeStaleDebugSockets } from "../../registry/debug-sockets.ts";
import type { Context } from "../context.ts";
import { aliveServers, type NamedServer, serverNamed } from "../named-server.ts";
import { usageError } from "../usage-error.ts";

/** Where a server can be looked into. */
export interface DebugTarget {
  name: string;
  path: string;
  /** Absent for one that has not announced itself yet, or is being replaced. */
  entry: NamedServer | undefined;
}

/**
 * The server of that name, or the primary. One that has no entry yet (it starts, or cannot) is found by its socket.
 * @throws NO_SERVER, SERVER_NOT_FOUND, DEBUG_UNSUPPORTED
 */
export async function debugTarget(context: Context, name: string | undefined): Promise<DebugTarget> {
  const { socketDir, serversDir } = context.places;
  await removeStaleDebugSockets(socketDir, new Set(aliveServers(serversDir).map((server) => server.name)));
  try {
    const entry = serverNamed(context, name);
    if (entry.debug_socket !== undefined) return { name: entry.name, path: entry.debug_socket, entry };
    throw new WarrenError("DEBUG_UNSUPPORTED", `The server ${entry.name} (v${entry.version}) has no debug socket.`, {
      fix: `warren reload ${entry.name}`,
    });
  } catch (error) {
    if (!isWarrenError(error, "NO_SERVER") && !isWarrenError(error, "SERVER_NOT_FOUND")) throw error;
    const found = debugSocketsIn(socketDir).find((candidate) => name === undefined || candidate === name);
    if (found === undefined) throw topicMeant(name) ?? error;
    return { name: found, path: join(socketDir, debugSocketName(found)), entry: undefined };
  }
}

/** A misspelt topic looks like a server's name. */
function topicMeant(name: string | undefined): WarrenError | undefined {
  const near = name === undefined ? undefined : suggest(name, DEBUG_TOPICS);
  return near ? usageError(`${name} is no server, and nothing that can be asked.`, `warren debug ${near}`) : undefined;
}

/** Why nobody answers there, as far as the system tells. */
export function explained(error: unknown, { name, entry }: DebugTarget): unknown {
  if (!isWarrenError(error, "DEBUG_SILENT") || !entry) return error;
  const isStopped = /^[Tt]$/.test(readProcess(entry.pid)?.state ?? "");
  return isStopped
    ? new WarrenError("DEBUG_SILENT", `The server ${name} does not answer: its process ${entry.pid} is stopped.`, {
        fix: `kill -CONT ${entry.pid}`,
      })
    : new WarrenError("DEBUG_SILENT", `The server ${name} (pid ${entry.pid}) does not answer on its debug socket.`, {
        fix: `kill -9 ${entry.pid}      # jobs and sessions go on`,
      });
}
