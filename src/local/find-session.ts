import type { Places } from "../platform/paths.ts";
import { WarrenError } from "../protocol/errors.ts";
import { suggest } from "../protocol/suggest.ts";
import { type EntrySession, readEntries, type ServerEntry } from "../registry/entries.ts";

/** The way to a live session: the registry says which server has it. One directory listing and one small file for each server. */
export interface FoundSession extends EntrySession {
  entry: ServerEntry;
}

/** By name, id, or `server/name`. @throws SESSION_NOT_FOUND */
export async function findSession(places: Places, reference: string): Promise<FoundSession> {
  const found = lookForSession(places, reference);
  if (found) return found;
  const known = liveSessions(places);
  const near = suggest(
    reference,
    known.map(({ name }) => name),
  );
  throw new WarrenError(
    "SESSION_NOT_FOUND",
    `session not found: ${reference}${near ? `. Did you mean ${near}?` : ""}`,
    {
      fix: "warren sessions --all",
    },
  );
}

export function lookForSession(places: Places, reference: string): FoundSession | undefined {
  const slash = reference.indexOf("/");
  const server = slash === -1 ? undefined : reference.slice(0, slash);
  const name = reference.slice(slash + 1);
  return liveSessions(places).find(
    (session) =>
      (session.name === name || session.id === name) && (server === undefined || session.entry.name === server),
  );
}

/** Of all servers of this home, those of servers that are being restarted among them. */
export const liveSessions = (places: Places): FoundSession[] =>
  readEntries(places.serversDir).flatMap((entry) => (entry.sessions ?? []).map((session) => ({ ...session, entry })));
