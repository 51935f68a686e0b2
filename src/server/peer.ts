import { Client } from "../client/client.ts";
import { dialUnix } from "../local/unix-wire.ts";
import type { Places } from "../platform/paths.ts";
import { WarrenError } from "../protocol/errors.ts";
import type { DataOf, MessageType, PayloadOf } from "../protocol/messages.ts";
import { readEntries, type ServerEntry } from "../registry/entries.ts";

/** One request to another server of this home, on a connection of its own. */
const ANSWER_TIMEOUT_MS = 5_000;

/** @throws SERVER_NOT_FOUND, TIMEOUT, CONNECTION_LOST, and what the server answers */
export async function askServer<T extends MessageType>(
  places: Places,
  name: string,
  type: T,
  payload: PayloadOf<T>,
): Promise<DataOf<T>> {
  const entry = readEntries(places.serversDir).find((candidate) => candidate.name === name);
  if (!entry) throw new WarrenError("SERVER_NOT_FOUND", `No server ${name} is running.`, { fix: "warren servers" });
  return askEntry(entry, type, payload, ANSWER_TIMEOUT_MS);
}

export async function askEntry<T extends MessageType>(
  entry: ServerEntry,
  type: T,
  payload: PayloadOf<T>,
  timeoutMs: number,
): Promise<DataOf<T>> {
  const client = new Client({
    dial: (events) => dialUnix(entry.socket, events),
    name: "warren-server",
    version: entry.version,
    randomId: () => crypto.randomUUID(),
    redialCountMax: 1,
  });
  try {
    return await client.request(type, payload, { timeoutMs });
  } finally {
    client.close();
  }
}
