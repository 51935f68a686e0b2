import type { Dial } from "../client/client.ts";
import { type Build, compareBuilds } from "../platform/build.ts";
import type { Places } from "../platform/paths.ts";
import { systemCode, WarrenError } from "../protocol/errors.ts";
import { readEntries, type ServerEntry } from "../registry/entries.ts";
import { dialUnix } from "./unix-wire.ts";

/**
 * The way to the server that has the home's jobs. The usual path is one directory listing, one small file and one connect; only when nobody answers,
 * or when our build is newer than the primary's, a server of our build is started (it takes the jobs over).
 */
export interface DialOptions {
  places: Places;
  build: Build;
  env: NodeJS.ProcessEnv;
  /** `find` starts nothing and fails with NO_SERVER. */
  mode: "start" | "find";
}

export function dialPrimary({ places, build, env, mode }: DialOptions): Dial {
  return async (events) => {
    const entry = readEntries(places.serversDir)[0];
    if (entry && (mode === "find" || !isOlder(entry, build))) {
      try {
        return await dialUnix(entry.socket, events);
      } catch (error) {
        if (!nobodyListens(error)) throw error;
      }
    }
    if (mode === "find") throw new WarrenError("NO_SERVER", "No server is running.", { fix: "warren ping" });
    const { ensureServer } = await import("./ensure-server.ts"); // what starts processes is not loaded on the usual path
    const server = await ensureServer({ places, build, env });
    if (server.fellBack !== undefined) {
      process.emitWarning(`${server.fellBack} The last good build (${server.hash}) runs instead.`);
    }
    return dialUnix(server.socketPath, events, server.hash);
  };
}

const isOlder = (entry: ServerEntry, build: Build): boolean =>
  entry.git_hash !== build.hash && compareBuilds({ version: entry.version, builtAtMs: entry.built_at_ms }, build) < 0;

const nobodyListens = (error: unknown): boolean =>
  ["ECONNREFUSED", "ENOENT", "ENOTDIR", "ECONNRESET"].includes(systemCode(error) ?? "");
