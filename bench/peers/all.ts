import { ownRuntime, type Stage } from "../stage.ts";
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

/** Each with a home of its own, which `label` tells apart; `apart`: with a runtime of its own too, for measures of memory. */
export async function makePeers(stage: Stage, label: string, { apart = false } = {}): Promise<Peers> {
  const runtime = async (name: string) => (apart ? { node: await ownRuntime(stage, `${name}-${label}`) } : {});
  const warren = await warrenPeer(stage, label, await runtime("warren"));
  const pm2 = hasPm2() ? await pm2Peer(stage, label, await runtime("pm2")) : undefined;
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
