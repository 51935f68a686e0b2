import type { Channel } from "../contact/channel.ts";
import type { HubNetwork } from "../contact/network.ts";
import { shownName } from "../contact/shown-text.ts";
import type { HubState } from "../contact/standing-contact.ts";
import { type Clock, timestamp } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { messageOf } from "../protocol/errors.ts";
import type { HubLook, RemoteHub } from "../protocol/remote-units.ts";
import { fromHex, toHex } from "../sealing/bytes.ts";
import { KEY_BYTES, type SealingCrypto, type SigningKey } from "../sealing/crypto.ts";
import { fingerprintText, parseFingerprint } from "../sealing/fingerprint.ts";
import { fingerprintOf } from "../sealing/login.ts";
import { hubAddress, isHubOf, isLocalAddress } from "./address.ts";
import * as errors from "./errors.ts";
import { HubLink, type RecordSink } from "./hub-link.ts";
import type { KeptRoster } from "./kept-roster.ts";
import type { RemoteLimits } from "./limits.ts";
import { soundName } from "./names.ts";
import { type RosterHub, withHub, withoutHub, withThrownOut } from "./roster.ts";

/** The hubs of this machine, each with its link: isolated from each other, each under a login key of its own. */
export interface HubsOptions {
  roster: KeptRoster;
  network: HubNetwork;
  crypto: SealingCrypto;
  clock: Clock;
  log: Log;
  limits: RemoteLimits;
  random: () => number;
  /** Of the hub with this key, where it is one of this home; undefined for any other. */
  ownInvitation(hubKey: Uint8Array): Promise<Uint8Array | undefined>;
  events: HubsEvents;
}

export interface HubsEvents {
  onState(hub: HubPlace): void;
  onOpened(hub: HubPlace, channel: Channel): void;
  onMet(hub: HubPlace, channel: Channel, id: Uint8Array): void;
  /** A hub of ours, before it is connected to: where its records go. */
  onPlaced(hub: HubPlace): Promise<RecordSink>;
  /** It is none any more. */
  onForgotten(hub: HubPlace): Promise<void>;
}

/** A hub, and who we are there. */
export interface HubPlace {
  /** Hex. */
  id: string;
  fingerprint: Uint8Array;
  loginKey: SigningKey;
  link: HubLink;
}

export interface NewHub {
  address: string;
  fingerprint: string;
  invitation?: string | undefined;
  label?: string | undefined;
}

export class Hubs {
  readonly #options: HubsOptions;
  readonly #places = new Map<string, HubPlace>();
  /** By fingerprint: the secret of the key with which a hub that was not added has been spoken to. It may have used its invitation up for it. */
  readonly #tried = new Map<string, string>();
  /** By fingerprint: whoever adds or removes the same hub meanwhile comes behind it. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(options: HubsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    for (const hub of this.#options.roster.now.hubs) (await this.#place(hub, undefined)).link.start();
  }

  close(): void {
    for (const { link } of this.#places.values()) link.close();
    this.#places.clear();
  }

  get all(): HubPlace[] {
    return [...this.#places.values()];
  }

  /** Asks who is there. @throws HUB_ADDRESS_BAD, HUB_UNREACHABLE, HUB_NOT_THERE */
  async look(text: string): Promise<HubLook & { key: Uint8Array }> {
    const { network, crypto, roster } = this.#options;
    const address = hubAddress(text);
    const { key, label } = await network.claim(address, new AbortController().signal);
    const fingerprint = await fingerprintOf(crypto, key);
    const known = roster.now.hubs.find((hub) => hub.fingerprint === toHex(fingerprint));
    return {
      address,
      key,
      fingerprint: fingerprintText(fingerprint),
      label: known?.label ?? shownName(label, new URL(address).host),
      is_known: known !== undefined,
      is_local: isLocalAddress(address),
    };
  }

  /**
   * Becomes a member; a known hub gets another address. @throws HUB_KEY_OTHER, MACHINE_NOT_INVITED, INVITATION_REFUSED, HUB_UNREACHABLE, …: nothing is
   * kept then
   */
  async add(hub: NewHub): Promise<RemoteHub> {
    const found = await this.look(hub.address);
    const wanted = parseFingerprint(hub.fingerprint);
    if (!wanted || fingerprintText(wanted) !== found.fingerprint)
      throw errors.hubOther(found.address, hub.fingerprint, found.fingerprint);
    return this.#inTurn(toHex(wanted), () => this.#join(hub, { ...found, wanted }));
  }

  #inTurn(id: string, work: () => Promise<RemoteHub>): Promise<RemoteHub> {
    const turn = (this.#turns.get(id) ?? Promise.resolve()).then(work);
    const over = turn.then(
      () => {},
      () => {},
    );
    this.#turns.set(id, over);
    void over.then(() => this.#turns.get(id) === over && this.#turns.delete(id));
    return turn;
  }

  async #join(
    { invitation, label }: NewHub,
    { wanted, ...found }: HubLook & { key: Uint8Array; wanted: Uint8Array },
  ): Promise<RemoteHub> {
    const { roster, crypto, clock, log, ownInvitation } = this.#options;
    const known = roster.now.hubs.find((hub) => hub.fingerprint === toHex(wanted));
    const isOut = known !== undefined && this.placeOf(known).link.state.kind === "refused";
    const isInvited = known === undefined || isOut;
    const own = invitation === undefined && isInvited ? await ownInvitation(found.key) : undefined;
    const given = invitation === undefined ? own : parseInvitation(invitation);
    if (known) return this.#addressOf(known, found.address, given);
    const hub: RosterHub = {
      fingerprint: toHex(wanted),
      key: toHex(found.key),
      addresses: [found.address],
      label: this.#freeLabel(label === undefined ? found.label : soundName(label)),
      login_secret: this.#tried.get(toHex(wanted)) ?? toHex(crypto.random(KEY_BYTES)),
      added_at: timestamp(clock.wallMs()),
      to_expel: [],
    };
    // Written down first: a key that the hub has admitted and nobody has any more would cost its owner another invitation.
    await roster.change((now) => withHub(now, hub));
    const place = await this.#place(hub, given);
    place.link.start();
    try {
      await place.link.ready();
    } catch (error) {
      this.#tried.set(place.id, hub.login_secret);
      // Where that could not be written down it is a hub of ours that is not connected, as it says.
      await this.#forget(place).catch((later) => log.warn("hub_not_forgotten", { error: messageOf(later) }));
      throw error;
    }
    return this.view(this.#rosterHub(place));
  }

  async rename(reference: string, label: string): Promise<RemoteHub> {
    const { roster } = this.#options;
    const wanted = soundName(label);
    const { fingerprint } = this.find(reference);
    const next = await roster.change((now) => {
      if (now.hubs.some((hub) => hub.label === wanted && hub.fingerprint !== fingerprint))
        throw errors.labelTaken(wanted);
      const hub = now.hubs.find((one) => one.fingerprint === fingerprint);
      if (!hub) throw this.#notFound(reference); // it was removed meanwhile
      return withHub(now, { ...hub, label: wanted });
    });
    return this.view(next.hubs.find((hub) => hub.fingerprint === fingerprint)!);
  }

  async remove(reference: string): Promise<RemoteHub> {
    const { fingerprint } = this.find(reference);
    return this.#inTurn(fingerprint, async () => {
      const hub = this.#options.roster.now.hubs.find((one) => one.fingerprint === fingerprint);
      if (!hub) throw this.#notFound(reference); // it was removed meanwhile
      const view = this.view(hub);
      await this.#forget(this.placeOf(hub));
      return view;
    });
  }

  /** By label, fingerprint or address. @throws HUB_NOT_FOUND, HUB_AMBIGUOUS */
  find(reference: string): RosterHub {
    const { hubs } = this.#options.roster.now;
    const byLabel = hubs.filter(({ label }) => label === reference);
    const found = byLabel.length > 0 ? byLabel : hubs.filter((hub) => isHubOf(hub, reference));
    if (found.length > 1) throw errors.hubAmbiguous(reference);
    if (found.length === 0) throw this.#notFound(reference);
    return found[0]!;
  }

  #notFound(reference: string): Error {
    const known = this.#options.roster.now.hubs.map(({ label }) => label);
    return errors.hubNotFound(reference, known);
  }

  placeOf(hub: RosterHub): HubPlace {
    return this.#places.get(hub.fingerprint)!;
  }

  view(hub: RosterHub): RemoteHub {
    const state: HubState = this.#places.get(hub.fingerprint)?.link.state ?? { kind: "off" };
    const error = "error" in state ? state.error : undefined;
    return {
      label: hub.label,
      fingerprint: fingerprintText(fromHex(hub.fingerprint)!),
      addresses: [...hub.addresses],
      state: state.kind === "checking" ? "connecting" : state.kind,
      ...(error ? { error: error.message, code: error.code, ...(error.fix ? { fix: error.fix } : {}) } : {}),
      device_count: this.#options.roster.now.devices.filter(({ logins }) => logins[hub.fingerprint]).length,
      added_at: hub.added_at,
      ...(hub.used_at === undefined ? {} : { used_at: hub.used_at }),
    };
  }

  /** Tells it to throw these out, and keeps in mind what it has not confirmed. Rejects when it could not be told. */
  async expel(place: HubPlace): Promise<void> {
    const { roster } = this.#options;
    for (const login of this.#rosterHub(place).to_expel) {
      await place.link.ask({ kind: "expel", loginKey: fromHex(login)! });
      await roster.change((now) => withThrownOut(now, place.id, login));
    }
  }

  async #addressOf(known: RosterHub, address: string, invitation: Uint8Array | undefined): Promise<RemoteHub> {
    const place = this.placeOf(known);
    if (known.addresses[0] !== address)
      await this.#options.roster.change((now) => {
        const hub = now.hubs.find((one) => one.fingerprint === known.fingerprint)!;
        return withHub(now, { ...hub, addresses: [address, ...hub.addresses.filter((one) => one !== address)] });
      });
    if (invitation && place.link.state.kind !== "ready") place.link.invite(invitation);
    else place.link.redial();
    await place.link.ready();
    return this.view(this.#rosterHub(place));
  }

  async #place(hub: RosterHub, invitation: Uint8Array | undefined): Promise<HubPlace> {
    const { roster, crypto, events, log } = this.#options;
    const current = (): RosterHub => roster.now.hubs.find((one) => one.fingerprint === hub.fingerprint) ?? hub;
    const loginKey = await crypto.signingKeyOf(fromHex(hub.login_secret)!);
    let sink: RecordSink | undefined;
    const records: RecordSink = {
      get cursor() {
        return sink?.cursor ?? 0;
      },
      begin: (missed) => sink?.begin(missed),
      hear: (at, bytes) => sink?.hear(at, bytes),
    };
    const link = new HubLink({
      ...this.#options,
      hubKey: fromHex(hub.key)!,
      label: () => current().label,
      addresses: () => current().addresses,
      loginKey,
      isNew: hub.used_at === undefined,
      invitation,
      records,
      events: {
        onState: () => events.onState(place),
        onContact: () => this.#contacted(place),
        onOpened: (channel) => events.onOpened(place, channel),
        onMet: (channel, id) => events.onMet(place, channel, id),
      },
    });
    const place: HubPlace = { id: hub.fingerprint, fingerprint: fromHex(hub.fingerprint)!, loginKey, link };
    sink = await events.onPlaced(place);
    this.#places.set(hub.fingerprint, place);
    log.debug("hub_known", { label: hub.label });
    return place;
  }

  /** First who is to be thrown out; then everything else. */
  async #contacted(place: HubPlace): Promise<void> {
    const { roster, clock, log } = this.#options;
    this.#tried.delete(place.id);
    await this.expel(place);
    await this.#tellAgain(place);
    const used_at = timestamp(clock.wallMs());
    await roster
      .change((now) => {
        const hub = now.hubs.find((one) => one.fingerprint === place.id);
        return hub ? withHub(now, { ...hub, used_at }) : now;
      })
      .catch((error) => log.warn("hub_use_not_stored", { error: messageOf(error) }));
  }

  /** A hub that was put back to an old state has forgotten whom it threw out last, and whom it let in. Twice is once; what it does not take keeps nobody else out. */
  async #tellAgain(place: HubPlace): Promise<void> {
    const { roster, log } = this.#options;
    const admitted = roster.now.devices.flatMap(({ logins }) => logins[place.id] ?? []);
    const expelled = (this.#rosterHub(place).expelled ?? []).filter((login) => !admitted.includes(login));
    const ask = (kind: "admit" | "expel") => (login: string) => place.link.ask({ kind, loginKey: fromHex(login)! });
    // All are sent at once, so that whoever is revoked meanwhile is thrown out behind it.
    for (const one of await Promise.allSettled([...expelled.map(ask("expel")), ...admitted.map(ask("admit"))]))
      if (one.status === "rejected") log.warn("not_told_again", { hub: place.id, error: messageOf(one.reason) });
  }

  /** Off the list first: what could not be written down has not happened, and each hub on the list has its place. */
  async #forget(place: HubPlace): Promise<void> {
    const { roster, events, log } = this.#options;
    await roster.change((now) => withoutHub(now, place.id));
    place.link.close();
    this.#places.delete(place.id);
    // What is left of its records is of a login key that no hub of ours has.
    await events
      .onForgotten(place)
      .catch((error) => log.warn("hub_records_not_removed", { hub: place.id, error: messageOf(error) }));
  }

  #rosterHub({ id }: HubPlace): RosterHub {
    return this.#options.roster.now.hubs.find(({ fingerprint }) => fingerprint === id)!;
  }

  #freeLabel(wanted: string): string {
    const taken = new Set(this.#options.roster.now.hubs.map(({ label }) => label));
    for (let count = 1; ; count++) {
      const label = count === 1 ? wanted : `${wanted} (${count})`;
      if (!taken.has(label)) return label;
    }
  }
}

/** As `warren hub invite` prints it, or a letter too much or too few, which the hub refuses. */
function parseInvitation(text: string): Uint8Array {
  return fromHex(text.replace(/[\s-]/g, "")) ?? new Uint8Array(0);
}
