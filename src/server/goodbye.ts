import { once } from "node:events";
import { settledWithin } from "../platform/grace.ts";
import type { Connection } from "./connection.ts";

/** For queued answers and events to reach clients that read. */
const GOODBYE_MS = 200;

/** Closes these connections after what is queued for each; a client that does not read is not waited for. */
export async function sayGoodbye(connections: readonly Connection[]): Promise<void> {
  const closed = connections.map(({ closed }) => (closed.aborted ? undefined : once(closed, "abort")));
  for (const connection of connections) connection.end();
  await settledWithin(GOODBYE_MS, closed);
}
