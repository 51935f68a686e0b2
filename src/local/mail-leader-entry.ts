import { readJsonIfExists } from "../platform/atomic-file.ts";
import type { Places } from "../platform/paths.ts";

/** What the leader says of itself in `mail/leader.json`, for those whose runtime directory is another: where it is, and nothing of whether it lives. */
interface LeaderEntry {
  format: 1;
  socket: string;
}

/** Where the mailbox's leader may be listening, the likely place first. */
export function mailSockets(places: Places): string[] {
  const own = places.mailSocket;
  const announced = announcedSocket(places);
  return announced === undefined || announced === own ? [own] : [own, announced];
}

function announcedSocket({ mailLeaderFile }: Places): string | undefined {
  const entry = readJsonIfExists<LeaderEntry>(mailLeaderFile);
  return typeof entry?.socket === "string" ? entry.socket : undefined;
}
