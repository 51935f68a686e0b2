import type { HubStatus } from "../protocol/hub-control.ts";
import type { Channels } from "./channels.ts";
import type { Connection } from "./connection.ts";
import type { Rendezvous } from "./rendezvous.ts";

/** What a hub tells its owner about the moment. */
export interface HubParts {
  connections: ReadonlySet<Connection>;
  channels: Channels;
  rendezvous: Rendezvous;
  /** How often what was refused, by code. */
  refusals: ReadonlyMap<string, number>;
}

export type HubFacts = Pick<
  HubStatus,
  "connections" | "channels" | "relayed_frames" | "relayed_bytes" | "held_bytes" | "rendezvous" | "refusals"
>;

export function hubFacts({ connections, channels, rendezvous, refusals }: HubParts): HubFacts {
  const counts = { machines: 0, devices: 0, guests: 0, strangers: 0 };
  for (const { role } of connections) counts[`${role}s`] += 1;
  return {
    connections: counts,
    channels: channels.openCount,
    relayed_frames: channels.relayedFrames,
    relayed_bytes: channels.relayedBytes,
    held_bytes: channels.held.total,
    rendezvous: rendezvous.count,
    refusals: Object.fromEntries(refusals),
  };
}
