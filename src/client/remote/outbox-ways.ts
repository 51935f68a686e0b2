import { isWarrenError, type WarrenError } from "../../protocol/errors.ts";
import { LineSplitter } from "../../protocol/lines.ts";
import { concat, toHex, utf8 } from "../../sealing/bytes.ts";
import { decodeResult, REQUESTS, type RemoteResult } from "../../sealing/request.ts";
import { machineNotFound, streamLost } from "./errors.ts";
import type { HubConnection } from "./hub-connection.ts";
import type { MachineLink } from "./machine-link.ts";
import type { OutboxWays } from "./outbox.ts";
import type { SealedPlace } from "./outbox-request.ts";
import type { RecordReader } from "./record-reader.ts";

/** What an outbox has to do with hubs and machines. */
export interface Connections {
  linkOf(machine: string): MachineLink | undefined;
  hubOf(fingerprint: string): HubConnection | undefined;
  readerOf(fingerprint: string): RecordReader | undefined;
  refusalOf(machine: string): WarrenError | undefined;
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
    async ask(machine, text) {
      const link = linkOf(machine);
      if (!link) throw machineNotFound(machine, undefined, []);
      return askLive(link, text);
    },
    refusal: connections.refusalOf,
    places: (machine) => placesOf(connections, machine),
    putAt(fingerprint) {
      const hub = hubOf(fingerprint);
      return hub?.state.kind === "ready" ? (record) => hub.put(record) : undefined;
    },
  };
}

/** On a stream of its own: the machine's book has the request from then on, whatever becomes of the stream. */
async function askLive(link: MachineLink, text: Uint8Array): Promise<RemoteResult> {
  const answer = Promise.withResolvers<RemoteResult>();
  const splitter = new LineSplitter();
  const stream = await link.stream(REQUESTS, {
    onBytes: (bytes) => {
      try {
        for (const line of splitter.push(bytes)) answer.resolve(decodeResult(utf8(line)));
      } catch (error) {
        answer.reject(isWarrenError(error) ? error : streamLost(link.machine.name));
      }
    },
    onClosed: (why) => answer.reject(why ?? streamLost(link.machine.name)),
  });
  try {
    stream.send(concat(text, utf8("\n")));
    return await answer.promise;
  } finally {
    stream.close();
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
