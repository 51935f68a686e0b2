import type { DataOf } from "../../protocol/messages.ts";
import type {
  PairingEnding,
  RemoteCandidate,
  RemoteDevice,
  RemoteEvents,
  RemoteEventType,
  RemoteHub,
  RemoteIntroduction,
  RemoteSnapshot,
} from "../../protocol/remote-units.ts";

/** Who may steer a machine, through which hubs it is met, and the pairing that this page has begun there: the stream `remote`, folded. Pure. */
export interface MachineDevices {
  state: "asking" | "live" | "failed";
  /** Why it is not known, where it failed. */
  failed: { text: string; fix: string | undefined } | undefined;
  devices: readonly RemoteDevice[];
  hubs: readonly RemoteHub[];
  /** Devices that others introduce and that wait for a yes at the machine. */
  waiting: readonly RemoteIntroduction[];
  pairing: Pairing;
}

/** `offered`: the code waits. `met`: somebody has used it, and a person has to say yes or no. */
export type Pairing =
  | { kind: "none" }
  | { kind: "making" }
  | ({ kind: "offered" } & OfferedCode)
  | ({ kind: "met"; candidate: RemoteCandidate } & OfferedCode)
  | { kind: "joined"; name: string }
  | { kind: "ended"; text: string };

export interface OfferedCode {
  id: string;
  hub: string;
  link: string;
  /** What the picture holds. */
  qr: string;
  /** Only browsers of that machine can open the link. */
  isLocal: boolean;
  scopes: RemoteDevice["scopes"];
  expiresMs: number;
}

export type MachineDevicesAction =
  | { type: "snapshot"; snapshot: RemoteSnapshot }
  | { type: "event"; event: string; data: Record<string, unknown> }
  | { type: "failed"; text: string; fix: string | undefined }
  | { type: "making" }
  | { type: "offered"; made: DataOf<"remote.pair"> }
  /** The person has said no, or the code could not be made. */
  | { type: "given-up"; text: string | undefined };

export const NO_DEVICES: MachineDevices = {
  state: "asking",
  failed: undefined,
  devices: [],
  hubs: [],
  waiting: [],
  pairing: { kind: "none" },
};

export function reduceDevices(now: MachineDevices, action: MachineDevicesAction): MachineDevices {
  switch (action.type) {
    case "snapshot":
      return fromSnapshot(now, action.snapshot);
    case "event":
      return withEvent(now, action.event as RemoteEventType, action.data);
    case "failed":
      return { ...now, state: "failed", failed: { text: action.text, fix: action.fix } };
    case "making":
      return { ...now, pairing: { kind: "making" } };
    case "offered":
      return { ...now, pairing: { kind: "offered", ...codeOf(action.made) } };
    case "given-up":
      return {
        ...now,
        pairing: action.text === undefined ? { kind: "none" } : { kind: "ended", text: action.text },
      };
  }
}

/** The id of the pairing that stands, if one does. */
const openPairing = ({ pairing }: MachineDevices): string | undefined =>
  pairing.kind === "offered" || pairing.kind === "met" ? pairing.id : undefined;

/** What each scope lets a device do, in words. `view` every device has. */
export const SCOPE_WORDS: Readonly<Record<RemoteDevice["scopes"][number], string>> = {
  view: "see units, logs, conversations and mail",
  type: "type into sessions, prompt agents, send mail",
  approve: "answer agents' questions",
  admin: "start, stop and change everything; let devices in and cut them off",
};

/** In the order in which they are said. */
export const ALL_SCOPES = Object.keys(SCOPE_WORDS) as RemoteDevice["scopes"];

/** What is given unless the person says otherwise: the same as in a terminal. */
export const USUAL_SCOPES: RemoteDevice["scopes"] = ["view", "type", "approve"];

/** What has become of a device that was cut off, with the hubs that do not know yet. */
export function revokedText({ device, hubs }: DataOf<"remote.revoke">): string {
  const later = hubs.filter(({ state }) => state === "later").map(({ hub }) => hub);
  if (later.length === 0) return `${device.name} is cut off`;
  const is = later.length === 1 ? "is" : "are";
  return `${device.name} is cut off. ${later.join(", ")} ${is} not connected, and told at the next contact, before anything else`;
}

const codeOf = ({ pairing, hub, link, qr, is_local }: DataOf<"remote.pair">): OfferedCode => ({
  id: pairing.pairing,
  hub: hub.label,
  link,
  qr,
  isLocal: is_local,
  scopes: pairing.scopes,
  expiresMs: Date.parse(pairing.expires_at),
});

/** A code lives as long as its connection: one that a new snapshot does not name went with the one before. */
function fromSnapshot(now: MachineDevices, snapshot: RemoteSnapshot): MachineDevices {
  const { devices, hubs, pairings, introductions: waiting = [] } = snapshot;
  const known = { ...now, state: "live" as const, failed: undefined, devices: sorted(devices), hubs, waiting };
  const { pairing } = now;
  if (pairing.kind !== "offered" && pairing.kind !== "met") return known;
  const found = pairings.find((one) => one.pairing === pairing.id);
  if (!found) return { ...known, pairing: { kind: "ended", text: LOST } };
  return found.candidate ? { ...known, pairing: { ...pairing, kind: "met", candidate: found.candidate } } : known;
}

function withEvent(now: MachineDevices, type: RemoteEventType, data: Record<string, unknown>): MachineDevices {
  switch (type) {
    case "met": {
      const { pairing, candidate } = data as RemoteEvents["met"];
      if (now.pairing.kind !== "offered" || now.pairing.id !== pairing) return now;
      return { ...now, pairing: { ...now.pairing, kind: "met", candidate } };
    }
    case "joined": {
      const { pairing, device } = data as RemoteEvents["joined"];
      const with_ = { ...now, devices: replaced(now.devices, device) };
      return openPairing(now) === pairing ? { ...with_, pairing: { kind: "joined", name: device.name } } : with_;
    }
    case "pairing_ended": {
      const { pairing, how } = data as RemoteEvents["pairing_ended"];
      return openPairing(now) === pairing ? { ...now, pairing: { kind: "ended", text: ENDINGS[how] } } : now;
    }
    case "device_seen":
      return { ...now, devices: replaced(now.devices, (data as RemoteEvents["device_seen"]).device) };
    case "device_changed": {
      const { device, name_before } = data as RemoteEvents["device_changed"];
      return { ...now, devices: replaced(without(now.devices, name_before), device) };
    }
    case "introduction_waits": {
      const { introduction } = data as RemoteEvents["introduction_waits"];
      return { ...now, waiting: [...now.waiting, introduction] };
    }
    case "introduction_ended": {
      const { introduction } = data as RemoteEvents["introduction_ended"];
      return { ...now, waiting: now.waiting.filter((one) => one.introduction !== introduction) };
    }
    case "introduced":
      return { ...now, devices: replaced(now.devices, (data as RemoteEvents["introduced"]).device) };
    case "introduction_undone": {
      const { name, device } = data as RemoteEvents["introduction_undone"];
      return { ...now, devices: device ? replaced(now.devices, device) : without(now.devices, name) };
    }
    case "device_revoked":
      return { ...now, devices: without(now.devices, (data as RemoteEvents["device_revoked"]).name) };
    case "hub_state": {
      const { hub } = data as RemoteEvents["hub_state"];
      const at = now.hubs.findIndex(({ fingerprint }) => fingerprint === hub.fingerprint);
      return { ...now, hubs: at === -1 ? [...now.hubs, hub] : now.hubs.with(at, hub) };
    }
    case "hub_removed": {
      const { label } = data as RemoteEvents["hub_removed"];
      return { ...now, hubs: now.hubs.filter((hub) => hub.label !== label) };
    }
    default:
      return now; // of a newer server
  }
}

const LOST = "The server was replaced, and the code went with it. Nothing was kept.";
const ENDINGS: Readonly<Record<PairingEnding, string>> = {
  refused: "The device was refused. Nothing was kept.",
  expired: "Nobody came in time: the code is of no use any more. Nothing was kept.",
  cancelled: "The code is forgotten. Nothing was kept.",
  left: "The device went away before it was let in. Nothing was kept.",
  failed: "The device could not be let in. Nothing was kept.",
};

const sorted = (devices: readonly RemoteDevice[]): RemoteDevice[] =>
  [...devices].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));

const without = (devices: readonly RemoteDevice[], name: string): RemoteDevice[] =>
  devices.filter((device) => device.name !== name);

const replaced = (devices: readonly RemoteDevice[], device: RemoteDevice): RemoteDevice[] =>
  sorted([...without(devices, device.name), device]);
