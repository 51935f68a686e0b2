import type { Client } from "../client/client.ts";
import { dialUnix } from "../local/unix-wire.ts";
import { WarrenError } from "../protocol/errors.ts";
import { suggest } from "../protocol/suggest.ts";
import { isServing, readEntries, type ServerEntry } from "../registry/entries.ts";
import type { Context } from "./context.ts";
import { openClient } from "./open-client.ts";

/** Servers by their name, as the registry knows them. */
export type NamedServer = ServerEntry;

/** Those whose process lives, the primary first; an entry that a killed server left behind is passed over. */
export const aliveServers = (serversDir: string): NamedServer[] => readEntries(serversDir).filter(isServing);

/** The server of that name, or the primary without one. @throws SERVER_NOT_FOUND, NO_SERVER */
export function serverNamed(context: Context, name: string | undefined): NamedServer {
  const alive = aliveServers(context.places.serversDir);
  const server = name === undefined ? alive[0] : alive.find((candidate) => candidate.name === name);
  if (server) return server;
  if (name === undefined) throw new WarrenError("NO_SERVER", "No server is running.", { fix: "warren serve" });
  const near = suggest(
    name,
    alive.map((candidate) => candidate.name),
  );
  throw new WarrenError("SERVER_NOT_FOUND", `No server ${name} is running.${near ? ` Did you mean ${near}?` : ""}`, {
    fix: "warren servers",
  });
}

/** A client of exactly that server; the caller closes it. */
export const clientOf = (context: Context, server: NamedServer): Client =>
  openClient(context.build, { dial: (events) => dialUnix(server.socket, events), redialCountMax: 1 });

/** Resolves when the process has ended, or with false after `timeoutMs`. No event tells of the end of a process that is not our child. */
export async function ended(server: NamedServer, timeoutMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  while (isServing(server)) {
    if (performance.now() > deadlineMs) return false;
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
  return true;
}

const POLL_MS = 10;
