import type { Introduced } from "../contact/pairing-guest.ts";
import { type Clock, timestamp } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { messageOf } from "../protocol/errors.ts";
import type { RemoteDevice } from "../protocol/remote-units.ts";
import { suggest } from "../protocol/suggest.ts";
import { fromHex, toHex } from "../sealing/bytes.ts";
import type { SealingCrypto } from "../sealing/crypto.ts";
import { fingerprintText } from "../sealing/fingerprint.ts";
import { fingerprintOf } from "../sealing/login.ts";
import { SCOPES, type Scope } from "../sealing/scopes.ts";
import * as errors from "./errors.ts";
import type { HubPlace, Hubs } from "./hubs.ts";
import type { KeptRoster } from "./kept-roster.ts";
import type { RemoteLimits } from "./limits.ts";
import type { LiveSession } from "./live-session.ts";
import { soundName } from "./names.ts";
import {
  deviceBySigningKey,
  freeName,
  type Roster,
  type RosterDevice,
  withDevice,
  withExpelled,
  withoutDevice,
  withoutExpelled,
} from "./roster.ts";

/** Who may steer this machine, and the sessions that they have open. */
export interface DevicesOptions {
  roster: KeptRoster;
  hubs: () => Hubs;
  crypto: SealingCrypto;
  clock: Clock;
  log: Log;
  limits: RemoteLimits;
  onSeen(device: RemoteDevice): void;
}

export interface AdmitOptions {
  /** The device that has introduced it, by its name. */
  introducedBy?: string;
  /** Looks at the list in the very write that lets it in. Throws: it is not let in. */
  check?(now: Roster): void;
}

export class Devices {
  readonly #options: DevicesOptions;
  readonly #sessions = new Set<LiveSession>();
  /** Signing keys of those whose being here is to be written down. */
  readonly #seeing = new Set<string>();

  constructor(options: DevicesOptions) {
    this.#options = options;
  }

  /** By name. @throws DEVICE_NOT_FOUND */
  find(name: string): RosterDevice {
    const { devices } = this.#options.roster.now;
    const found = devices.find((device) => device.name === name);
    if (found) return found;
    const known = devices.map((device) => device.name);
    const begun = known.find((one) => one.toLowerCase().startsWith(name.toLowerCase()));
    throw errors.deviceNotFound(name, begun ?? suggest(name, known), known);
  }

  opened(session: LiveSession): void {
    this.#sessions.add(session);
    const [oldest, ...others] = this.#of(session.device!.signing_key);
    if (others.length >= this.#options.limits.sessions) oldest!.close();
    this.#see(session);
  }

  closed(session: LiveSession): void {
    if (this.#sessions.delete(session)) this.#see(session);
  }

  close(): void {
    for (const session of [...this.#sessions]) session.close("gone");
  }

  /**
   * The hub lets it in, then it is on the list. Undone, it is as it was: the list, and the hub.
   * @throws SPACE_FULL, DEVICES_FULL, DEVICE_KEY_TAKEN, HUB_AWAY
   */
  async admit(
    place: HubPlace,
    introduced: Introduced,
    scopes: readonly Scope[],
    { introducedBy, check }: AdmitOptions = {},
  ) {
    const { roster, crypto } = this.#options;
    const signingKey = toHex(introduced.signingKey);
    const fingerprint = toHex(await fingerprintOf(crypto, introduced.signingKey));
    const listed = deviceBySigningKey(roster.now, signingKey);
    this.#check(roster.now, introduced, listed);
    await place.link.ask({ kind: "admit", loginKey: introduced.loginKey });
    const login = toHex(introduced.loginKey);
    let before: RosterDevice | undefined;
    try {
      const next = await roster.change((now) => {
        // Its owner, or another yes, may have said something of it while the hub was asked: what is there now counts.
        before = deviceBySigningKey(now, signingKey);
        // It was revoked while the hub was asked: whoever said yes to it did so before that.
        if (listed && !before) throw errors.pairingNotFound();
        check?.(now);
        this.#check(now, introduced, before); // another may have come in while the hub was asked
        const made = this.#newDevice(now, { place, introduced, scopes, before });
        const device = { ...made, fingerprint, ...(introducedBy === undefined ? {} : { introduced_by: introducedBy }) };
        // A login key that this device had here before is nobody's any more.
        const old = before?.logins[place.id];
        const cleared = old === undefined || old === login ? now : withExpelled(now, place.id, old);
        return withoutExpelled(withDevice(cleared, device), device);
      });
      const device = deviceBySigningKey(next, signingKey)!;
      if (before) {
        this.#cut(signingKey);
        this.#options
          .hubs()
          .expel(place)
          .catch(() => {}); // a login key that it had here; else at the next contact
      }
      const admission = { before, admitted: device };
      return { device, undo: () => this.#undo(place, introduced, admission) };
    } catch (error) {
      await this.#undo(place, introduced, undefined).catch((later) =>
        this.#options.log.warn("admission_not_undone", { error: messageOf(later) }),
      );
      throw error;
    }
  }

  /** At the hub first: that needs no disk. Without an admission it never came onto the list, and the list stays as it is. */
  async #undo(place: HubPlace, { loginKey }: Introduced, admission: Admission | undefined): Promise<void> {
    const { roster } = this.#options;
    const login = toHex(loginKey);
    const undone = (now: Roster): Roster => (admission ? withoutAdmission(now, admission) : now);
    const isNamed = ({ devices }: Roster): boolean => devices.some(({ logins }) => logins[place.id] === login);
    const isDone =
      isNamed(undone(roster.now)) ||
      (await place.link.ask({ kind: "expel", loginKey }).then(
        () => true,
        () => false,
      ));
    await roster.change((now) => {
      const next = undone(now);
      return isDone || isNamed(next) ? next : withExpelled(next, place.id, login);
    });
  }

  /** @throws DEVICE_NOT_FOUND, NAME_INVALID, NAME_TAKEN */
  async rename(name: string, wanted: string): Promise<RosterDevice> {
    const { signing_key } = this.find(name);
    const next = soundName(wanted);
    return this.#change(signing_key, (device, all) => {
      if (all.some((one) => one.name === next && one.signing_key !== signing_key)) throw errors.labelTaken(next);
      return { ...device, name: next };
    });
  }

  /** Its sessions end, and come back with these. @throws DEVICE_NOT_FOUND */
  async setScopes(name: string, scopes: readonly Scope[]): Promise<RosterDevice> {
    const { signing_key } = this.find(name);
    const wanted = inOrder(scopes);
    const changed = await this.#change(signing_key, (device) => ({ ...device, scopes: wanted }));
    this.#cut(signing_key);
    return changed;
  }

  /**
   * Takes it off the list, cuts it off here, and has every hub throw it out; those that are away do it at the next contact.
   * @throws DEVICE_NOT_FOUND
   */
  async revoke(name: string): Promise<{ device: RosterDevice; hubs: { hub: string; state: "cut" | "later" }[] }> {
    const { roster, hubs } = this.#options;
    const device = this.find(name);
    await roster.change((now) => withoutDevice(now, deviceBySigningKey(now, device.signing_key) ?? device));
    this.#cut(device.signing_key);
    const known = roster.now.hubs.filter(({ fingerprint }) => device.logins[fingerprint] !== undefined);
    const states = await Promise.all(
      known.map(async (hub) => {
        const isCut = await this.#inTime(hubs().expel(hubs().placeOf(hub)));
        return { hub: hub.label, state: isCut ? ("cut" as const) : ("later" as const) };
      }),
    );
    return { device, hubs: states };
  }

  view(device: RosterDevice): RemoteDevice {
    const { roster } = this.#options;
    const { name, platform, scopes, logins, added_at, seen_at } = device;
    return {
      name,
      platform,
      scopes: [...scopes],
      fingerprint: fingerprintText(fromHex(device.fingerprint)!),
      hubs: roster.now.hubs.filter(({ fingerprint }) => logins[fingerprint]).map(({ label }) => label),
      is_connected: this.#of(device.signing_key).length > 0,
      added_at,
      ...(seen_at === undefined ? {} : { seen_at }),
      ...(device.introduced_by === undefined ? {} : { introduced_by: device.introduced_by }),
    };
  }

  #check({ devices }: KeptRoster["now"], introduced: Introduced, before: RosterDevice | undefined): void {
    const { limits } = this.#options;
    const other = devices.find(
      ({ exchange_key, signing_key }) =>
        exchange_key === toHex(introduced.exchangeKey) && signing_key !== toHex(introduced.signingKey),
    );
    if (other) throw errors.deviceKeyTaken(other.name);
    if (!before && devices.length >= limits.devices) throw errors.devicesFull(limits.devices);
  }

  #newDevice(
    now: KeptRoster["now"],
    {
      place,
      introduced,
      scopes,
      before,
    }: { place: HubPlace; introduced: Introduced; scopes: readonly Scope[]; before: RosterDevice | undefined },
  ): Omit<RosterDevice, "fingerprint"> {
    const signing_key = toHex(introduced.signingKey);
    return {
      name: before?.name ?? freeName(now, introduced.name.trim(), signing_key),
      platform: introduced.platform,
      signing_key,
      exchange_key: toHex(introduced.exchangeKey),
      logins: { ...before?.logins, [place.id]: toHex(introduced.loginKey) },
      scopes: inOrder(scopes),
      added_at: before?.added_at ?? timestamp(this.#options.clock.wallMs()),
      ...(before?.seen_at === undefined ? {} : { seen_at: before.seen_at }),
    };
  }

  async #change(
    signingKey: string,
    change: (device: RosterDevice, all: readonly RosterDevice[]) => RosterDevice,
  ): Promise<RosterDevice> {
    const next = await this.#options.roster.change((now) => ({
      ...now,
      devices: now.devices.map((one) => (one.signing_key === signingKey ? change(one, now.devices) : one)),
    }));
    return deviceBySigningKey(next, signingKey)!;
  }

  #of(signingKey: string): LiveSession[] {
    return [...this.#sessions].filter(({ device }) => device?.signing_key === signingKey);
  }

  #cut(signingKey: string): void {
    for (const session of this.#of(signingKey)) session.close("expelled");
  }

  /** One write for each device waits at most, however often it comes and goes: whoever revokes it waits behind few. */
  #see({ device }: LiveSession): void {
    const { roster, log, onSeen } = this.#options;
    const key = device?.signing_key ?? "";
    if (!deviceBySigningKey(roster.now, key) || this.#seeing.has(key)) return;
    this.#seeing.add(key);
    roster
      .change((now) => this.#withSeen(now, key))
      .then((next) => {
        const seen = deviceBySigningKey(next, key);
        if (seen) onSeen(this.view(seen));
      })
      .catch((error) => log.warn("seen_not_stored", { error: messageOf(error) }));
  }

  #withSeen(now: Roster, key: string): Roster {
    this.#seeing.delete(key);
    const seen_at = timestamp(this.#options.clock.wallMs());
    const devices = now.devices.map((one) => (one.signing_key === key ? { ...one, seen_at } : one));
    return deviceBySigningKey(now, key) ? { ...now, devices } : now;
  }

  /** Whether it was done before nobody waits any more; it goes on all the same. */
  #inTime(work: Promise<void>): Promise<boolean> {
    const { clock, limits } = this.#options;
    return new Promise((resolve) => {
      const cancel = clock.timer(limits.expelMs, () => resolve(false));
      work
        .then(
          () => resolve(true),
          () => resolve(false),
        )
        .finally(cancel);
    });
  }
}

const inOrder = (scopes: readonly Scope[]): Scope[] =>
  SCOPES.filter((scope) => scope === "view" || scopes.includes(scope));

/** What one yes has made of a device on the list. */
interface Admission {
  before: RosterDevice | undefined;
  admitted: RosterDevice;
}

/** As it was before that. Not on the list any more: it was revoked meanwhile, and stays so. */
function withoutAdmission(now: Roster, { before, admitted }: Admission): Roster {
  const present = deviceBySigningKey(now, admitted.signing_key);
  if (!present) return now;
  if (!before) return { ...now, devices: now.devices.filter((one) => one !== present) };
  const former = withLaterWords(before, { admitted, now: present });
  return withoutExpelled(withDevice(now, former), former);
}

/** As it was before it was let in, but for what its owner has said of it since: a name, and what it may. */
const withLaterWords = (
  before: RosterDevice,
  { admitted, now }: { admitted: RosterDevice; now: RosterDevice },
): RosterDevice => ({
  ...before,
  ...(now.name === admitted.name ? {} : { name: now.name }),
  ...(inOrder(now.scopes).join() === inOrder(admitted.scopes).join() ? {} : { scopes: now.scopes }),
});
