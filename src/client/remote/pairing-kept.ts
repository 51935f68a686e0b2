import type { HubClaim } from "../../contact/network.ts";
import { shownName } from "../../contact/shown-text.ts";
import { toHex } from "../../sealing/bytes.ts";
import type { SigningKey } from "../../sealing/crypto.ts";
import type { Offer } from "../../sealing/pairing.ts";
import type { PairingCard } from "./pair.ts";
import type { DeviceKeys, DeviceStore, HubEntry, MachineEntry } from "./world.ts";

/** What a device keeps of a pairing. */
export interface Joined {
  hub: HubEntry;
  machine: MachineEntry;
  /** All of them: several where this device was introduced. */
  machines: readonly MachineEntry[];
  /** Those that have not let it in, of those that it was to be introduced to, and why. */
  left: readonly { name: string; sentence: string }[];
}

interface ToKeep {
  keys: DeviceKeys;
  hub: HubEntry;
  /** At least one. */
  offers: readonly Offer[];
  nowMs: number;
}

export interface Kept extends Omit<Joined, "left"> {
  /** Hub and machines are as they were before; keys that were made stay. */
  takeBack(): Promise<void>;
}

/** All of it, or nothing of it: what could not be kept takes back what was. */
export async function keepJoined(store: DeviceStore, { keys, hub, offers, nowMs }: ToKeep): Promise<Kept> {
  const [before, hubs] = await Promise.all([store.machines(), store.hubs()]);
  const machines = offers.map((offer) => machineEntryOf(offer, { hub, before, nowMs }));
  const [machine, ...others] = machines as [MachineEntry, ...MachineEntry[]];
  await store.join({ keys, hub, machine });
  const kept = [machine];
  const takeBack = async (): Promise<void> => {
    for (const { id } of kept) {
      const was = before.find((one) => one.id === id);
      await (was ? store.putMachine(was) : store.removeMachine(id));
    }
    const was = hubs.find(({ fingerprint }) => fingerprint === hub.fingerprint);
    await (was ? store.putHub(was) : store.removeHub(hub.fingerprint));
  };
  try {
    for (const other of others) {
      await store.putMachine(other);
      kept.push(other);
    }
  } catch (error) {
    await takeBack();
    throw error;
  }
  return { hub, machine, machines, takeBack };
}

function machineEntryOf(
  offer: Offer,
  { hub, before, nowMs }: { hub: HubEntry; before: readonly MachineEntry[]; nowMs: number },
): MachineEntry {
  const id = toHex(offer.signingKey);
  const known = before.find((machine) => machine.id === id);
  return {
    id,
    exchangeKey: offer.exchangeKey,
    name: offer.name,
    words: offer.words,
    scopes: offer.scopes,
    spaces: { ...known?.spaces, [hub.fingerprint]: offer.space },
    addedMs: known?.addedMs ?? nowMs,
    confirmedMs: nowMs,
  };
}

interface HubFacts {
  card: PairingCard;
  known: HubEntry | undefined;
  claim: HubClaim;
  login: SigningKey;
  nowMs: number;
}

export function hubEntryOf({ card: { hub, code }, known, claim, login, nowMs }: HubFacts): HubEntry {
  const addresses = [code.address, ...(known?.addresses ?? []).filter((address) => address !== code.address)];
  const { isOff: _, ...kept } = known ?? { isOff: undefined };
  return {
    addedMs: nowMs,
    label: shownName(claim.label, new URL(code.address).hostname),
    ...kept,
    fingerprint: hub,
    key: claim.key,
    login,
    addresses,
    usedMs: nowMs,
  };
}

/** What was read are views of one message; and its words are shown. */
export const copyOf = (offer: Offer): Offer => ({
  ...offer,
  name: shownName(offer.name, "machine"),
  words: shownName(offer.words, ""),
  signingKey: offer.signingKey.slice(),
  exchangeKey: offer.exchangeKey.slice(),
  space: offer.space.slice(),
});
