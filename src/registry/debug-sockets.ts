import { lstatSync, readdirSync, rmSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { systemCode } from "../protocol/errors.ts";

/**
 * Debug sockets on disk. A server takes its own away; one that is killed leaves it. Nobody behind it is what connect(2) says, and not a pid; a server binds
 * its socket anew after it has taken the old one away, so that one which refuses is nobody's.
 */
const SUFFIX = "-debug.sock";

/** The names of the servers whose debug sockets stand in the directory, in order. */
export function debugSocketsIn(socketDir: string): string[] {
  try {
    return readdirSync(socketDir)
      .flatMap((file) => (file.endsWith(SUFFIX) ? [file.slice(0, -SUFFIX.length)] : []))
      .sort();
  } catch {
    return []; // nothing was started yet
  }
}

/** Takes away those that refuse. `alive`: servers that are known to live, which are not asked. */
export async function removeStaleDebugSockets(socketDir: string, alive: ReadonlySet<string>): Promise<void> {
  const suspects = debugSocketsIn(socketDir).filter((name) => !alive.has(name));
  await Promise.all(
    suspects.map(async (name) => {
      const path = join(socketDir, `${name}${SUFFIX}`);
      const before = markOf(path);
      // Another may have been bound there meanwhile.
      if ((await isRefused(path)) && markOf(path) === before) rmSync(path, { force: true });
    }),
  );
}

/** Tells one file at that path from the next. */
function markOf(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return `${stat?.ino} ${stat?.ctimeMs}`;
}

function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", (error) => resolve(systemCode(error) === "ECONNREFUSED"));
  });
}
