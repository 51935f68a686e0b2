import type { Channel } from "../contact/channel.ts";
import type { HubNetwork } from "../contact/network.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { StreamEvent } from "../protocol/envelope.ts";
import type { DataOf } from "../protocol/messages.ts";
import type { HubLook, RemoteDevice, RemoteHub, RemoteIntroduction, RemoteSnapshot } from "../protocol/remote-units.ts";
import type { SealingCrypto } from "../sealing/crypto.ts";
import { headsDigest } from "../sealing/heads.ts";
import { REQUESTS } from "../sealing/request.ts";
import type { Scope } from "../sealing/scopes.ts";
import { isAddressOf, isLocalAddress } from "./address.ts";
import { Devices } from "./devices.ts";
import { type HubPlace, Hubs, type HubsOptions, type NewHub } from "./hubs.ts";
import type { Wanted } from "./introduction-checks.ts";
import { asksFirst, hereOnly } from "./introduction-errors.ts";
import { Introductions } from "./introductions.ts";
import { KeptRoster } from "./kept-roster.ts";
import { REMOTE_LIMITS, type RemoteLimits } from "./limits.ts";
import { LiveSession } from "./live-session.ts";
import { type MachineKeys, machineKeys } from "./machine-keys.ts";
import type { ConnectUnit } from "./network.ts";
import { PairingDesk } from "./pairing-desk.ts";
import type { OfferingMachine } from "./pairing-offer.ts";
import { MachineRecords, type MachineRecordsOptions } from "./records/machine-records.ts";
import { RemoteLog } from "./remote-log.ts";
import { deviceBySigningKey, deviceOfSession, type RosterDevice } from "./roster.ts";
import type { RemoteStore } from "./store.ts";

/**
 * The machine's side of remote (docs/remote-design.md): it is met through hubs that read nothing, lets in the devices that a person has said yes to, and
 * connects their streams to the servers that have what they ask for, with the scopes that they have.
 *
 * 1. What a device may is on this machine's list, and is held to by the server that answers it; no hub is asked, and none can add to it.
 * 2. What has been answered is on disk: the device that joined, the one that was revoked.
 * 3. Each hub has a link, a login key and a fate of its own.
 */
export interface RemoteOptions
  extends Pick<MachineRecordsOptions, "settings" | "watchUnits" | "watchMail">,
    Pick<OfferingMachine, "name" | "words"> {
  store: RemoteStore;
  network: HubNetwork;
  connect: ConnectUnit;
  crypto: SealingCrypto;
  clock: Clock;
  log: Log;
  random?: () => number;
  limits?: RemoteLimits;
  ownInvitation?: HubsOptions["ownInvitation"];
  onEvent(event: StreamEvent): void;
}

export class Remote {
  readonly #options: RemoteOptions;
  readonly #machine: MachineKeys;
  readonly #roster: KeptRoster;
  readonly #hubs: Hubs;
  readonly #devices: Devices;
  readonly #desk: PairingDesk;
  readonly #introductions: Introductions;
  readonly #records: MachineRecords;
  readonly events: RemoteLog;

  /** Connects to the hubs in its own time. @throws MACHINE_KEY_BAD, MACHINE_KEY_OPEN, ROSTER_BAD */
  static async open(options: RemoteOptions): Promise<Remote> {
    const roster = await KeptRoster.open(options.store);
    const machine = await machineKeys(options.store, options.crypto);
    const records = await MachineRecords.open({ ...options, roster, machine });
    const remote = new Remote(options, { roster, machine, records });
    roster.onChanged = () => records.changed();
    await remote.#hubs.start();
    records.start();
    return remote;
  }

  private constructor(
    options: RemoteOptions,
    { roster, machine, records }: { roster: KeptRoster; machine: MachineKeys; records: MachineRecords },
  ) {
    this.#options = options;
    this.#records = records;
    this.#roster = roster;
    this.#machine = machine;
    const { clock, onEvent, limits = REMOTE_LIMITS, random = Math.random } = options;
    this.events = new RemoteLog(clock, onEvent);
    const parts = { ...options, roster, limits, random };
    this.#hubs = new Hubs({
      ...parts,
      ownInvitation: options.ownInvitation ?? (async () => undefined),
      events: {
        onState: (hub) => this.#onHubState(hub),
        onOpened: (hub, channel) => this.#onOpened(hub, channel),
        onMet: (hub, channel, id) => this.#desk.met(hub, channel, id),
        onPlaced: (hub) => records.add(hub),
        onForgotten: (hub) => records.remove(hub.id),
      },
    });
    this.#devices = new Devices({
      ...parts,
      hubs: () => this.#hubs,
      onSeen: (device) => this.events.tell("device_seen", { device }),
    });
    this.#desk = new PairingDesk({
      ...parts,
      machine,
      labelOf: ({ id }) => roster.now.hubs.find(({ fingerprint }) => fingerprint === id)?.label ?? "",
      knownAs: (signingKey) => deviceBySigningKey(roster.now, signingKey),
      admit: (hub, device, scopes) => this.#devices.admit(hub, device, scopes),
      events: {
        onMet: (pairing, candidate) => this.events.tell("met", { pairing, candidate }),
        onJoined: (pairing, device) => this.events.tell("joined", { pairing, device: this.#devices.view(device) }),
        onEnded: (pairing, how) => this.events.tell("pairing_ended", { pairing, how }),
      },
    });
    this.#introductions = new Introductions({
      ...parts,
      machine,
      hubs: () => this.#hubs,
      devices: this.#devices,
      events: {
        onWaits: (introduction) => this.events.tell("introduction_waits", { introduction }),
        onEnded: (introduction, name, how) => this.events.tell("introduction_ended", { introduction, name, how }),
        onIn: (device, by) => this.events.tell("introduced", { device, by }),
        onUndone: (name, by, device) =>
          this.events.tell("introduction_undone", { name, by, ...(device ? { device } : {}) }),
      },
    });
  }

  /** Nobody could come: the server is not needed for this. */
  get isIdle(): boolean {
    const { devices, hubs } = this.#roster.now;
    return devices.length === 0 || hubs.length === 0;
  }

  close(): void {
    this.#desk.close();
    this.#introductions.close();
    this.#devices.close();
    this.#records.close();
    this.#hubs.close();
  }

  hubs(): RemoteHub[] {
    return this.#roster.now.hubs.map((hub) => this.#hubs.view(hub));
  }

  devices(): RemoteDevice[] {
    return this.#roster.now.devices.map((device) => this.#devices.view(device));
  }

  /** Devices that wait for a yes at this machine, and whether it wants one. */
  introductions(): { introductions: RemoteIntroduction[]; asks_first: boolean } {
    return { introductions: this.#introductions.views(), asks_first: this.#roster.now.asks_first === true };
  }

  snapshot(): { seq: number; snapshot: RemoteSnapshot } {
    const { devices, hubs } = { devices: this.devices(), hubs: this.hubs() };
    const snapshot = { devices, hubs, pairings: this.#desk.views(), ...this.introductions() };
    return { seq: this.events.seq, snapshot };
  }

  async look(address: string): Promise<HubLook> {
    const { key: _, ...look } = await this.#hubs.look(address);
    return look;
  }

  addHub(hub: NewHub): Promise<RemoteHub> {
    return this.#hubs.add(hub);
  }

  async renameHub(reference: string, label: string): Promise<RemoteHub> {
    const hub = await this.#hubs.rename(reference, label);
    this.events.tell("hub_state", { hub });
    return hub;
  }

  async removeHub(reference: string): Promise<RemoteHub> {
    const hub = await this.#hubs.remove(reference);
    this.events.tell("hub_removed", { label: hub.label });
    return hub;
  }

  /**
   * A code for one device. It goes when `signal` is aborted: nobody is there to say yes.
   * @throws HUB_NOT_FOUND, HUB_AWAY, RENDEZVOUS_FULL, CODE_ADDRESS
   */
  async pair(reference: string, scopes: readonly Scope[], signal: AbortSignal): Promise<DataOf<"remote.pair">> {
    const hub = this.#hubs.find(reference);
    const place = this.#hubs.placeOf(hub);
    place.link.retry();
    await place.link.ready();
    const address = hub.addresses.find((one) => isAddressOf(one, reference)) ?? hub.addresses[0]!;
    const { pairing, warren, link, qr } = await this.#desk.offer({ place, address, scopes: withView(scopes) });
    const forget = (): void => this.#desk.cancel(pairing.pairing);
    signal.addEventListener("abort", forget, { once: true });
    if (signal.aborted) forget();
    return { pairing, hub: this.#hubs.view(hub), code: warren, link, qr, is_local: isLocalAddress(address) };
  }

  /** @param by the device that says yes; undefined: somebody at this machine. @throws ASKS_FIRST, and what the desk throws */
  async confirm(pairing: string, by?: string): Promise<RemoteDevice> {
    if (by !== undefined && this.#roster.now.asks_first) throw asksFirst();
    return this.#devices.view(await this.#desk.confirm(pairing));
  }

  cancel(pairing: string): void {
    this.#desk.cancel(pairing);
  }

  /** @throws what `Introductions` does */
  introduce(wanted: Wanted, by: string | undefined, signal: AbortSignal): Promise<DataOf<"remote.introduce">> {
    return this.#introductions.introduce({ ...wanted, scopes: [...withView(wanted.scopes)] }, by, signal);
  }

  endIntroduction(introduction: string, isKept: boolean): Promise<void> {
    return this.#introductions.end(introduction, isKept);
  }

  /** @throws HERE_ONLY, INTRODUCTION_NOT_FOUND, and why it did not come in */
  async allow(introduction: string, by: string | undefined): Promise<RemoteDevice> {
    if (by !== undefined) throw hereOnly("To let in a device that waits");
    return this.#introductions.allow(introduction);
  }

  refuse(introduction: string): Promise<void> {
    return this.#introductions.refuse(introduction);
  }

  /** @throws HERE_ONLY */
  async askFirst(is_on: boolean, by: string | undefined): Promise<void> {
    if (by !== undefined) throw hereOnly("Whether this machine asks first");
    await this.#roster.change((now) => ({ ...now, asks_first: is_on }));
    this.events.tell("asks_first", { is_on });
  }

  async renameDevice(name: string, wanted: string): Promise<RemoteDevice> {
    return this.#tellChanged(name, await this.#devices.rename(name, wanted));
  }

  async setScopes(name: string, scopes: readonly Scope[]): Promise<RemoteDevice> {
    return this.#tellChanged(name, await this.#devices.setScopes(name, scopes));
  }

  async revoke(name: string): Promise<DataOf<"remote.revoke">> {
    const found = this.#devices.find(name);
    const view = this.#devices.view(found);
    this.#desk.revoked(found.signing_key);
    // What it has introduced is taken back beside it: a hub that is silent holds up no cut.
    const [{ hubs }] = await Promise.all([this.#devices.revoke(name), this.#introductions.revoked(found.signing_key)]);
    this.events.tell("device_revoked", { name });
    return { device: { ...view, is_connected: false }, hubs };
  }

  #onHubState(place: HubPlace): void {
    const hub = this.#roster.now.hubs.find(({ fingerprint }) => fingerprint === place.id);
    if (hub) this.events.tell("hub_state", { hub: this.#hubs.view(hub) });
    if (place.link.state.kind !== "ready") return;
    this.#desk.hubIsBack(place);
    this.#records.ready(place.id);
  }

  #onOpened(place: HubPlace, channel: Channel): void {
    const { crypto, clock, log, connect, limits = REMOTE_LIMITS } = this.#options;
    const session: LiveSession = new LiveSession({
      channel,
      hub: place.fingerprint,
      space: place.loginKey.publicKey,
      own: this.#machine.exchange,
      crypto,
      clock,
      log,
      limits,
      connect: async (target, events) =>
        target === REQUESTS ? this.#records.asking(session.device!, events) : connect(target, events),
      deviceOf: (exchangeKey, loginKey) => deviceOfSession(this.#roster.now, { exchangeKey, loginKey, hub: place.id }),
      headsDigest: () => this.#records.digest(place.id) ?? headsDigest(crypto, []),
      onOpen: (session) => {
        this.#devices.opened(session);
        this.#introductions.cameIn(session.device!.signing_key);
      },
      onClosed: (session) => this.#devices.closed(session),
    });
  }

  #tellChanged(name_before: string, changed: RosterDevice): RemoteDevice {
    const device = this.#devices.view(changed);
    this.events.tell("device_changed", { device, name_before });
    return device;
  }
}

const withView = (scopes: readonly Scope[]): readonly Scope[] => [
  "view",
  ...scopes.filter((scope) => scope !== "view"),
];
