import type { MessageType } from "../../protocol/messages.ts";
import { toHex } from "../../sealing/bytes.ts";
import { Client } from "../client.ts";
import { machineNotFound } from "./errors.ts";
import type { HubConnection } from "./hub-connection.ts";
import type { MachineLink } from "./machine-link.ts";
import type { OutboxWays, SealedPlace } from "./outbox.ts";
import type { OutboxItem } from "./outbox-item.ts";
import type { RecordReader } from "./record-reader.ts";

/** What an outbox has to do with hubs and machines. */
export interface Connections {
  linkOf(machine: string): MachineLink | undefined;
  hubOf(fingerprint: string): HubConnection | undefined;
  readerOf(fingerprint: string): RecordReader | undefined;
}

export function outboxWays(connections: Connections): OutboxWays {
  const { linkOf, hubOf } = connections;
  return {
    isThere(machine) {
      const link = linkOf(machine);
      if (!link) return false;
      const spaces = Object.entries(link.machine.spaces);
      return link.liveHub !== undefined || spaces.some(([hub, space]) => hubOf(hub)?.isPresent(space) === true);
    },
    async ask(item) {
      const link = linkOf(item.machine);
      if (!link) throw machineNotFound(item.machine, undefined, []);
      return askLive(link, item);
    },
    places: (machine) => placesOf(connections, machine),
    putAt(fingerprint) {
      const hub = hubOf(fingerprint);
      return hub?.state.kind === "ready" ? (record) => hub.put(record) : undefined;
    },
  };
}

async function askLive(link: MachineLink, { id, unit, type, payload }: OutboxItem): Promise<unknown> {
  const client = new Client({
    dial: link.dialLines(unit),
    name: "warren-outbox",
    version: "0",
    randomId: () => id, // a repeat, also after a restart, gets the first answer
    redialCountMax: 1,
  });
  try {
    return await client.request(type as MessageType, payload as never);
  } finally {
    client.close();
  }
}

function placesOf({ linkOf, hubOf, readerOf }: Connections, machine: string): SealedPlace[] {
  return Object.entries(linkOf(machine)?.machine.spaces ?? {}).flatMap(([fingerprint, space]) => {
    const hub = hubOf(fingerprint);
    const newest = readerOf(fingerprint)?.newestPeriod(toHex(space));
    if (hub?.state.kind !== "ready" || !newest) return [];
    const { period, key: periodKey } = newest;
    return [{ hub: fingerprint, space, loginKey: hub.entry.login.publicKey, period, periodKey }];
  });
}
