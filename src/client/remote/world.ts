import type { ExchangeKey, SigningKey } from "../../sealing/crypto.ts";

/** What the device's side needs of the world, as parameters: a page, a terminal and a simulation each give it theirs. */

/** Who this device is to its machines, and to no hub. */
export interface DeviceKeys {
  signing: SigningKey;
  exchange: ExchangeKey;
}

/** A hub as this device knows it. */
export interface HubEntry {
  /** 16 bytes as hex: what it is called by everywhere here. */
  fingerprint: string;
  /** Its Ed25519 key. */
  key: Uint8Array;
  /** Where it is; the one that was used last first. */
  addresses: readonly string[];
  /** As the person calls it, first as it calls itself. */
  label: string;
  /** This device's key there and nowhere else: two hubs that compare find no equal one. */
  login: SigningKey;
  addedMs: number;
  /** Of the last time that it let us in. */
  usedMs?: number;
  /** The person has disconnected it; its rows stay. */
  isOff?: boolean;
}

/** A machine that has let this device in. */
export interface MachineEntry {
  /** Its Ed25519 key as hex: who it is, whatever a hub says. */
  id: string;
  /** X25519, for live sessions. */
  exchangeKey: Uint8Array;
  name: string;
  /** Who runs it, in its own words: `anna@laptop`. */
  words: string;
  /** What this device may do there, as the machine has said. */
  scopes: readonly string[];
  /** Its login key at each hub through which it can be met, by the hub's fingerprint. */
  spaces: Readonly<Record<string, Uint8Array>>;
  addedMs: number;
  /** When a live session last stood. */
  confirmedMs?: number;
}

/** What the device keeps. Each change is whole or not at all, and on disk when its promise resolves. */
export interface DeviceStore {
  /** Undefined before the first machine was joined. */
  keys(): Promise<DeviceKeys | undefined>;
  /** Made for a pairing, and kept by `join` alone: one that is cancelled leaves no trace. */
  newKeys(): Promise<DeviceKeys>;
  /** For that hub: the same one, wherever it can be had, to pairings that go on at once; with two, what the machine keeps last and what the device keeps last may differ. */
  newLoginKey(hub: string): Promise<SigningKey>;
  hubs(): Promise<HubEntry[]>;
  machines(): Promise<MachineEntry[]>;
  /** Keys, hub and machine together; what is there of the same hub or machine is replaced. */
  join(joined: { keys: DeviceKeys; hub: HubEntry; machine: MachineEntry }): Promise<void>;
  putHub(hub: HubEntry): Promise<void>;
  putMachine(machine: MachineEntry): Promise<void>;
  /** Its login key as well, and the ways through it; a machine that has no way left goes too. */
  removeHub(fingerprint: string): Promise<void>;
  removeMachine(id: string): Promise<void>;
}
