import {
  areAll,
  areKeysAtHubs,
  areTexts,
  type HubRecord,
  isFingerprint,
  isKey,
  type KeptFile,
  readKept,
} from "../contact/kept-file.ts";
import type { Scope } from "../sealing/scopes.ts";
import { SCOPES } from "../sealing/scopes.ts";

/**
 * Whom this machine lets in, and where it can be met: one small file. Keys are lowercase hex. Changes make a new roster, so that what could not be
 * written down has not happened.
 */
export interface Roster extends KeptFile {
  devices: readonly RosterDevice[];
  hubs: readonly RosterHub[];
  /** Nobody comes in without a yes at this machine itself. */
  asks_first?: boolean;
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
  /** The device that has introduced it, as it was called then. */
  introduced_by?: string;
}

export interface RosterHub extends HubRecord {
  /** Login keys of revoked devices that this hub has not confirmed to have thrown out. */
  to_expel: readonly string[];
  /** Of those that it has, the last ones: a hub that was put back to an old state has forgotten it, and is told again. */
  expelled?: readonly string[];
}

/** As many as a space has members. */
const EXPELLED_KEPT = 32;

export const EMPTY_ROSTER: Roster = { format: 1, oldest_reader: 1, devices: [], hubs: [] };

/** Why not, or the roster. */
export const readRoster = (text: string): Roster | string =>
  readKept<Roster>(text, ({ devices, hubs }) => {
    if (!areAll(devices, isDevice)) return "a device in it has another form";
    if (!areAll(hubs, ({ to_expel, expelled = [] }) => [to_expel, expelled].every(areKeys)))
      return "a hub in it has another form";
    return undefined;
  });

const areKeys = (value: unknown): boolean => Array.isArray(value) && value.every(isKey);

const isDevice = (value: RosterDevice): boolean =>
  areTexts([value.name, value.platform, value.added_at]) &&
  isKey(value.signing_key) &&
  isFingerprint(value.fingerprint) &&
  isKey(value.exchange_key) &&
  areKeysAtHubs(value.logins) &&
  Array.isArray(value.scopes) &&
  value.scopes.includes("view") &&
  value.scopes.every((scope) => SCOPES.includes(scope));

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

/** The hub has confirmed that it has thrown that one out. */
export const withThrownOut = (roster: Roster, fingerprint: string, login: string): Roster => ({
  ...roster,
  hubs: roster.hubs.map((hub) => {
    if (hub.fingerprint !== fingerprint) return hub;
    const expelled = [...(hub.expelled ?? []).filter((one) => one !== login), login].slice(-EXPELLED_KEPT);
    return { ...hub, to_expel: hub.to_expel.filter((one) => one !== login), expelled };
  }),
});

export const withHub = (roster: Roster, hub: RosterHub): Roster => {
  const isThere = roster.hubs.some(({ fingerprint }) => fingerprint === hub.fingerprint);
  const hubs = isThere
    ? roster.hubs.map((one) => (one.fingerprint === hub.fingerprint ? hub : one))
    : [...roster.hubs, hub];
  return { ...roster, hubs };
};

/** That login key is to be thrown out there. */
export const withExpelled = (roster: Roster, hubId: string, login: string): Roster => {
  const hub = roster.hubs.find(({ fingerprint }) => fingerprint === hubId);
  return hub && !hub.to_expel.includes(login)
    ? withHub(roster, { ...hub, to_expel: [...hub.to_expel, login] })
    : roster;
};

/** None of the device's own login keys is to be thrown out any more. */
export const withoutExpelled = (roster: Roster, { logins }: RosterDevice): Roster => ({
  ...roster,
  hubs: roster.hubs.map((hub) => ({
    ...hub,
    to_expel: hub.to_expel.filter((login) => login !== logins[hub.fingerprint]),
  })),
});

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
