import type { Stage } from "../stage.ts";
import type { Peer } from "./peer.ts";
import { hasPm2, pm2Peer } from "./pm2.ts";
import { hasSupervisor, supervisorPeer } from "./supervisor.ts";
import { type WarrenPeer, warrenPeer } from "./warren.ts";

export interface Peers {
  warren: WarrenPeer;
  pm2: Peer | undefined;
  supervisor: Peer | undefined;
  /** Those that are there, Warren first. */
  all: Peer[];
}

/** Each with a home of its own, which `label` tells apart. */
export async function makePeers(stage: Stage, label: string): Promise<Peers> {
  const warren = await warrenPeer(stage, label);
  const pm2 = hasPm2() ? await pm2Peer(stage, label) : undefined;
  const supervisor = hasSupervisor() ? await supervisorPeer(stage, label) : undefined;
  return { warren, pm2, supervisor, all: [warren, pm2, supervisor].filter((peer) => peer !== undefined) };
}

/** Starts all, does the work, and ends all, whatever came of it. */
export async function withRunning<T>(peers: readonly Peer[], work: () => Promise<T>): Promise<T> {
  try {
    for (const peer of peers) await peer.up();
    return await work();
  } finally {
    for (const peer of peers) await peer.down().catch(() => {}); // what stays is swept with the stage
  }
}
