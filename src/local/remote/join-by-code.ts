import { hostname } from "node:os";
import { DEVICE_LIMITS } from "../../client/remote/limits.ts";
import type { PairingCard, PairState } from "../../client/remote/pair.ts";
import { Pairing, readCard } from "../../client/remote/pairing.ts";
import type { Joined } from "../../client/remote/pairing-kept.ts";
import { nodeCrypto } from "../../platform/node-crypto.ts";
import type { Places } from "../../platform/paths.ts";
import type { Introducer } from "../../sealing/introducing.ts";
import { commandClock, deviceStoreOf } from "./device.ts";
import { trustingNetwork } from "./trusting-network.ts";

export interface JoinOptions {
  places: Pick<Places, "remoteDir">;
  /** `warren://pair?…`, a link, or bare. */
  code: string;
  /** What the other machine calls this one; default: its host name. */
  name?: string;
  /** Before anything is sent: which hub, whether it is new, what may be done, until when. False: nothing is sent, and nothing kept. */
  onCard(card: PairingCard): Promise<boolean>;
  /** Another device introduces this one, to machines: before anything of this one is said. False, and default: nothing is. */
  onIntroduced?(introducer: Introducer): Promise<boolean>;
  /** The check is shown with `shown`, or `awaiting`. */
  onState?(state: PairState): void;
  signal?: AbortSignal;
}

/**
 * Joins another machine as a device, by the code that it shows: `warren --on ITS-NAME …` works from then on.
 * Undefined: the person has said no. @throws what is wrong with the code (CODE_…), the hub (HUB_…) or the pairing (PAIRING_…); nothing is kept then
 */
export async function joinByCode(options: JoinOptions): Promise<Joined | undefined> {
  const { places, code, name = hostname(), onCard, onIntroduced = async () => false, onState, signal } = options;
  const store = deviceStoreOf(places);
  const card = await readCard(code, store, { nowSeconds: Date.now() / 1_000, isLocal: true });
  if (!(await onCard(card)) || signal?.aborted) return undefined;
  const pairing: Pairing = new Pairing(card, {
    name,
    platform: process.platform,
    store,
    network: trustingNetwork(places),
    crypto: nodeCrypto(),
    clock: commandClock,
    limits: DEVICE_LIMITS,
    onState(state) {
      onState?.(state);
      if (state.kind !== "asked") return;
      onIntroduced(state.introducer).then(
        (isWanted) => (isWanted ? pairing.agree() : refuse()),
        () => refuse(),
      );
    },
  });
  let isRefused = false;
  const refuse = (): void => {
    isRefused = true;
    pairing.cancel();
  };
  const onAbort = (): void => pairing.cancel();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await pairing.connect();
  } catch (error) {
    if (isRefused) return undefined;
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
