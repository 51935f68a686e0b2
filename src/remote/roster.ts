import type { Scope } from "../sealing/scopes.ts";
import { SCOPES } from "../sealing/scopes.ts";

/**
 * Whom this machine lets in, and where it can be met: one small file. Keys are lowercase hex. Changes make a new roster, so that what could not be
 * written down has not happened.
 */
export interface Roster {
  format: 1;
  oldest_reader: 1;
  devices: readonly RosterDevice[];
  hubs: readonly RosterHub[];
}

export interface RosterDevice {
  name: string;
  /** As it says itself: `android`, `linux`, … */
  platform: string;
  /** Ed25519: who it is; and its fingerprint, for people. */
  signing_key: string;
  fingerprint: string;
  /** X25519: how its sessions are known. */
  exchange_key: string;
  /** Its login key at each hub, by the hub's fingerprint. */
  logins: Readonly<Record<string, string>>;
  scopes: readonly Scope[];
  added_at: string;
  seen_at?: string;
}

export interface RosterHub {
  /** 16 bytes. */
  fingerprint: string;
  key: string;
  /** The one that was used last first. */
  addresses: readonly string[];
  label: string;
  /** The secret of this machine's login key there, which no other hub knows. */
  login_secret: string;
  added_at: string;
  /** Of the last login; absent: the hub may not know our key yet. */
  used_at?: string;
  /** Login keys of revoked devices that this hub has not confirmed to have thrown out. */
  to_expel: readonly string[];
}

export const EMPTY_ROSTER: Roster = { format: 1, oldest_reader: 1, devices: [], hubs: [] };

export const writeRoster = (roster: Roster): string => `${JSON.stringify(roster, null, 1)}\n`;

/** Why not, or the roster. A list that is half understood would let in whom it should not, or lock out: it is taken whole. */
export function readRoster(text: string): Roster | string {
  let value: Roster;
  try {
    value = JSON.parse(text) as Roster;
  } catch {
    return "it is no JSON";
  }
  if (typeof value !== "object" || value === null || typeof value.oldest_reader !== "number")
    return "it has another form";
  if (value.oldest_reader > 1) return "it was written by a newer Warren";
  if (!Array.isArray(value.devices) || !value.devices.every(isDevice)) return "a device in it has another form";
  if (!Array.isArray(value.hubs) || !value.hubs.every(isHub)) return "a hub in it has another form";
  return value;
}

const KEY = /^[0-9a-f]{64}$/;
const FINGERPRINT = /^[0-9a-f]{32}$/;
const isKey = (value: unknown): boolean => typeof value === "string" && KEY.test(value);
const areTexts = (values: readonly unknown[]): boolean => values.every((value) => typeof value === "string");

const isDevice = (value: RosterDevice): boolean =>
  typeof value === "object" &&
  value !== null &&
  areTexts([value.name, value.platform, value.added_at]) &&
  isKey(value.signing_key) &&
  FINGERPRINT.test(value.fingerprint) &&
  isKey(value.exchange_key) &&
  typeof value.logins === "object" &&
  Object.entries(value.logins ?? {}).every(([hub, key]) => FINGERPRINT.test(hub) && isKey(key)) &&
  Array.isArray(value.scopes) &&
  value.scopes.includes("view") &&
  value.scopes.every((scope) => SCOPES.includes(scope));

const isHub = (value: RosterHub): boolean =>
  typeof value === "object" &&
  value !== null &&
  FINGERPRINT.test(value.fingerprint) &&
  isKey(value.key) &&
  isKey(value.login_secret) &&
  Array.isArray(value.addresses) &&
  value.addresses.length > 0 &&
  areTexts([...value.addresses, value.label, value.added_at]) &&
  Array.isArray(value.to_expel) &&
  value.to_expel.every(isKey);

/** The device that signs with this key. */
export const deviceBySigningKey = ({ devices }: Roster, key: string): RosterDevice | undefined =>
  devices.find(({ signing_key }) => signing_key === key);

/** The device of a session: both its key and its login at this hub have to be its own. */
export const deviceOfSession = (
  { devices }: Roster,
  { exchangeKey, hub, loginKey }: { exchangeKey: string; hub: string; loginKey: string },
): RosterDevice | undefined =>
  devices.find(({ exchange_key, logins }) => exchange_key === exchangeKey && logins[hub] === loginKey);

export const withDevice = (roster: Roster, device: RosterDevice): Roster => ({
  ...roster,
  devices: [...roster.devices.filter(({ signing_key }) => signing_key !== device.signing_key), device],
});

/** Without the device, and with its login keys on the list of each hub that knew one. */
export const withoutDevice = (roster: Roster, device: RosterDevice): Roster => ({
  ...roster,
  devices: roster.devices.filter(({ signing_key }) => signing_key !== device.signing_key),
  hubs: roster.hubs.map((hub) => {
    const login = device.logins[hub.fingerprint];
    return login === undefined || hub.to_expel.includes(login) ? hub : { ...hub, to_expel: [...hub.to_expel, login] };
  }),
});

export const withHub = (roster: Roster, hub: RosterHub): Roster => {
  const isThere = roster.hubs.some(({ fingerprint }) => fingerprint === hub.fingerprint);
  const hubs = isThere
    ? roster.hubs.map((one) => (one.fingerprint === hub.fingerprint ? hub : one))
    : [...roster.hubs, hub];
  return { ...roster, hubs };
};

/** Without the hub; devices that were met there alone stay, and cannot be met any more. */
export const withoutHub = (roster: Roster, fingerprint: string): Roster => ({
  ...roster,
  hubs: roster.hubs.filter((hub) => hub.fingerprint !== fingerprint),
  devices: roster.devices.map((device) => {
    const { [fingerprint]: _, ...logins } = device.logins;
    return { ...device, logins };
  }),
});

/** A name that no other device has: `Pixel 9`, `Pixel 9 (2)`, … */
export function freeName({ devices }: Roster, wanted: string, signingKey: string): string {
  const taken = new Set(devices.filter(({ signing_key }) => signing_key !== signingKey).map(({ name }) => name));
  for (let count = 1; ; count++) {
    const name = count === 1 ? wanted : `${wanted} (${count})`;
    if (!taken.has(name)) return name;
  }
}
