import type { DataOf, MessageType, PayloadOf } from "../../protocol/messages.ts";
import { appClient } from "../link/app-client.ts";
import type { Machine } from "../link/machine.ts";

/** One request to whichever server has the session, over a connection of its own. @throws WarrenError */
export async function askSession<T extends MessageType>(
  { machine, version }: { machine: Machine; version: string },
  session: string,
  type: T,
  payload: PayloadOf<T>,
): Promise<DataOf<T>> {
  const client = appClient(machine.dialLines(session), version, { followsSession: true });
  try {
    return await client.request(type, payload);
  } finally {
    client.close();
  }
}
