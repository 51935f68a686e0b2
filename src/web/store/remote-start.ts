import { messageOf } from "../../protocol/errors.ts";
import { isLoopback } from "../../sealing/pairing-code.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import { pageClock } from "../link/page-clock.ts";
import { pageNetwork, pageWorld } from "../link/page-network.ts";
import type { StorageState } from "../model/fleet.ts";
import { openShelf } from "./device/indexed-shelf.ts";
import { MemoryShelf, type Shelf } from "./device/shelf.ts";
import { WatchedShelf } from "./device/watched-shelf.ts";
import type { FleetStore } from "./fleet-store.ts";
import { browserName, PairFlow } from "./pair-flow.ts";
import { Remote, type RemoteOptions } from "./remote.ts";
import { becomeOwner } from "./tab-owner.ts";

/** What a page needs to be a device: a secure context with the keys' algorithms, and a store, or the page's own memory in the place of one. */
export interface RemoteStart {
  remote: Remote | undefined;
  pairing: PairFlow | undefined;
  whyNoRemote: string | undefined;
}

/** In the browser's storage beside the store: that there was one. */
const KEPT_KEY = "warren.device";

export async function openRemote({
  fleet,
  random,
  onSettings,
}: { fleet: FleetStore } & Pick<RemoteOptions, "random" | "onSettings">): Promise<RemoteStart> {
  const tell = (storage: StorageState): void => fleet.dispatch({ type: "storage", storage });
  // Side by side: making keys to see whether it goes takes as long as opening the store.
  const [whyNoRemote, shelf] = await Promise.all([whyNot(), isSecureContext ? openOrMemory(tell) : undefined]);
  if (whyNoRemote !== undefined || shelf === undefined) {
    fleet.dispatch({ type: "tab", tab: "owner" });
    fleet.added();
    return { remote: undefined, pairing: undefined, whyNoRemote };
  }
  const network = pageNetwork(pageWorld());
  const crypto = webCrypto();
  const common = { network, crypto, clock: pageClock };
  const remote = new Remote({ ...common, fleet, shelf, random, own: becomeOwner, onSettings });
  const isLocal = isLoopback(location.hostname);
  const { platform } = browserName(navigator.userAgent);
  return { remote, pairing: new PairFlow({ ...common, remote, isLocal, platform }), whyNoRemote };
}

async function openOrMemory(tell: (storage: StorageState) => void): Promise<Shelf> {
  try {
    const shelf = await openShelf();
    shelf.onClosed = () => tell({ kind: "page", text: CLEARED });
    await tellEvicted(shelf, tell);
    return new WatchedShelf(shelf, {
      onJoined: () => {
        quietly(() => localStorage.setItem(KEPT_KEY, "1"));
        // So that it is not the first thing to go when the disk is full.
        void navigator.storage?.persist?.().catch(() => false);
      },
      onFull: (text) => tell({ kind: "full", text }),
      onRoom: () => tell({ kind: "kept" }),
    });
  } catch (error) {
    tell({ kind: "page", text: `${messageOf(error)} What is paired here is forgotten when the page is closed.` });
    return new MemoryShelf();
  }
}

async function tellEvicted(shelf: Shelf, tell: (storage: StorageState) => void): Promise<void> {
  if (quietly(() => localStorage.getItem(KEPT_KEY)) !== "1") return;
  const isThere = (await shelf.get("device", "keys")) !== undefined;
  if (isThere) return;
  quietly(() => localStorage.removeItem(KEPT_KEY));
  tell({ kind: "evicted", text: EVICTED });
}

const EVICTED =
  "This browser has dropped what the app had kept here, its keys among it: machines have to let it in again. What runs keeps running.";
const CLEARED =
  "What the app keeps was removed from this browser, or a newer app in another tab uses it. Load the page again.";

/** Why this page cannot be a device of machines behind hubs; undefined: it can. */
async function whyNot(): Promise<string | undefined> {
  const { subtle } = globalThis.crypto;
  if (!globalThis.isSecureContext || !subtle)
    return "Browsers give keys to pages of https and localhost alone: open this app by such an address (warren hub status, on the hub, names them).";
  try {
    await Promise.all([
      subtle.generateKey("X25519", false, ["deriveBits"]),
      subtle.generateKey("Ed25519", false, ["sign", "verify"]),
    ]);
    return undefined;
  } catch {
    return "This browser is too old to keep the keys of a device (X25519 and Ed25519): update it, or take another one.";
  }
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined; // storage that is switched off
  }
}
