import type { Channel } from "../contact/channel.ts";
import { type Introduced, PairingGuest } from "../contact/pairing-guest.ts";
import { type PairingEffect, type PairingEvent, type PairingState, pairingStep } from "../contact/pairing-steps.ts";
import { type Clock, timestamp } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { messageOf, WarrenError } from "../protocol/errors.ts";
import type { PairingEnding, RemoteCandidate, RemotePairing } from "../protocol/remote-units.ts";
import { toHex } from "../sealing/bytes.ts";
import type { ExchangeKey, SealingCrypto } from "../sealing/crypto.ts";
import { type Rendezvous, rendezvousOf } from "../sealing/pairing.ts";
import { type CodeTexts, encodePairingCode, PAIRING_SECRET_BYTES } from "../sealing/pairing-code.ts";
import type { Scope } from "../sealing/scopes.ts";
import * as errors from "./errors.ts";
import type { HubPlace } from "./hubs.ts";
import type { RemoteLimits } from "./limits.ts";
import { type OfferingMachine, offerAt, offerTo } from "./pairing-offer.ts";
import type { RosterDevice } from "./roster.ts";

/** The codes that are out, and whoever comes with one: carries out what the state machine says (contact/pairing-steps.ts). Nothing of it is on disk. */
export interface DeskOptions extends OfferingMachine {
  crypto: SealingCrypto;
  clock: Clock;
  log: Log;
  limits: RemoteLimits;
  labelOf(place: HubPlace): string;
  /** The device that signs with this key already. */
  knownAs(signingKey: string): RosterDevice | undefined;
  /** Puts the device on the list, and says how to undo that. @throws what the hub or the list refuses */
  admit(
    place: HubPlace,
    device: Introduced,
    scopes: readonly Scope[],
  ): Promise<{ device: RosterDevice; undo: () => Promise<void> }>;
  events: DeskEvents;
}

export interface DeskEvents {
  onMet(pairing: string, candidate: RemoteCandidate): void;
  onJoined(pairing: string, device: RosterDevice): void;
  onEnded(pairing: string, how: PairingEnding): void;
}

interface Pairing {
  id: string;
  place: HubPlace;
  scopes: readonly Scope[];
  key: ExchangeKey;
  rendezvous: Rendezvous;
  expires: number;
  state: PairingState;
  cancelTimer: () => void;
  /** Channels whose fate is open, by the guest's number. */
  channels: Map<number, Channel>;
  guest: PairingGuest | undefined;
  introduced: Introduced | undefined;
  joined: RosterDevice | undefined;
  undo: (() => Promise<void>) | undefined;
  confirmed: PromiseWithResolvers<RosterDevice> | undefined;
  problem: WarrenError | undefined;
}

export class PairingDesk {
  readonly #options: DeskOptions;
  /** By rendezvous, hex; until they are over. */
  readonly #open = new Map<string, Pairing>();
  #guestCount = 0;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** @throws HUB_AWAY, RENDEZVOUS_FULL, CODE_ADDRESS */
  async offer({
    place,
    address,
    scopes,
  }: {
    place: HubPlace;
    address: string;
    scopes: readonly Scope[];
  }): Promise<{ pairing: RemotePairing } & CodeTexts> {
    const { crypto, clock, limits } = this.#options;
    const key = await crypto.newExchangeKey();
    const code = {
      hub: place.fingerprint,
      pairingKey: key.publicKey,
      secret: crypto.random(PAIRING_SECRET_BYTES),
      expires: Math.floor((clock.wallMs() + limits.codeMs) / 1_000),
      scopes,
      address,
    };
    const texts = encodePairingCode(code);
    const rendezvous = await rendezvousOf(crypto, code);
    await place.link.ask({ kind: "rendezvous", id: rendezvous.id, expires: code.expires });
    const pairing: Pairing = {
      id: toHex(rendezvous.id),
      place,
      scopes,
      key,
      rendezvous,
      expires: code.expires,
      state: { kind: "offered" },
      cancelTimer: clock.timer(limits.codeMs, () => this.#happens(pairing, { kind: "expire" })),
      channels: new Map(),
      guest: undefined,
      introduced: undefined,
      joined: undefined,
      undo: undefined,
      confirmed: undefined,
      problem: undefined,
    };
    this.#open.set(pairing.id, pairing);
    return { pairing: this.#view(pairing), ...texts };
  }

  met(place: HubPlace, channel: Channel, id: Uint8Array): void {
    const pairing = this.#open.get(toHex(id));
    if (!pairing || pairing.place !== place) return channel.close("refused");
    const guest = ++this.#guestCount;
    pairing.channels.set(guest, channel);
    this.#happens(pairing, { kind: "meets", guest });
  }

  /** The hub has forgotten the rendezvous with the connection. */
  hubIsBack(place: HubPlace): void {
    for (const pairing of this.#open.values())
      if (pairing.place === place && pairing.state.kind === "offered") this.#carryOut(pairing, { kind: "put_up" });
  }

  /** Resolves when the device is in. @throws PAIRING_OVER, PAIRING_WAITS, PAIRING_LEFT, and what hub and list refuse */
  confirm(id: string): Promise<RosterDevice> {
    const pairing = this.#open.get(id);
    if (!pairing) return Promise.reject(errors.pairingNotFound());
    if (pairing.confirmed) return pairing.confirmed.promise;
    if (pairing.state.kind !== "shown") return Promise.reject(errors.pairingNotReady());
    pairing.confirmed = Promise.withResolvers<RosterDevice>();
    this.#happens(pairing, { kind: "confirm" });
    return pairing.confirmed.promise;
  }

  /** Refuses whoever is shown, or takes the code back. */
  cancel(id: string): void {
    const pairing = this.#open.get(id);
    if (pairing) this.#happens(pairing, { kind: pairing.state.kind === "shown" ? "refuse" : "cancel" });
  }

  /** A device was taken off the list: what it is being let in by is over, and leaves nothing. */
  revoked(signingKey: string): void {
    for (const one of [...this.#open.values()])
      if (one.introduced && toHex(one.introduced.signingKey) === signingKey) this.#happens(one, { kind: "cancel" });
  }

  close(): void {
    for (const pairing of [...this.#open.values()]) this.#happens(pairing, { kind: "cancel" });
  }

  views(): RemotePairing[] {
    return [...this.#open.values()].map((pairing) => this.#view(pairing));
  }

  #happens(pairing: Pairing, event: PairingEvent): void {
    const [state, effects] = pairingStep(pairing.state, event);
    pairing.state = state;
    for (const effect of effects) this.#carryOut(pairing, effect);
  }

  #carryOut(pairing: Pairing, effect: PairingEffect): void {
    switch (effect.kind) {
      case "greet":
        return this.#greet(pairing, effect.guest);
      case "turn_away":
        return this.#channelOf(pairing, effect.guest)?.close("refused");
      case "let_go": {
        const { guest } = pairing;
        pairing.guest = undefined;
        pairing.channels.delete(effect.guest);
        return this.#inBackground("letting_go", guest?.letGo());
      }
      case "put_up":
        return this.#rendezvous(pairing, pairing.expires);
      case "take_back":
        return this.#rendezvous(pairing, 0);
      case "show":
        return this.#show(pairing);
      case "admit":
        return this.#inBackground("admitting", this.#admit(pairing));
      case "expel":
        return this.#inBackground("undoing", pairing.undo?.());
      case "join":
        return this.#join(pairing);
      case "end":
        return this.#end(pairing, effect.how);
    }
  }

  #greet(pairing: Pairing, guest: number): void {
    const { machine, crypto, clock, limits } = this.#options;
    const channel = this.#channelOf(pairing, guest)!;
    const offer = offerAt(pairing.place, this.#options, pairing.scopes);
    pairing.guest = new PairingGuest({
      channel,
      rendezvous: pairing.rendezvous,
      pairingKey: pairing.key,
      crypto,
      clock,
      handshakeMs: limits.handshakeMs,
      prove: (text, device) => offerTo({ crypto, machine, offer }, text, device),
      events: {
        onCompleted: () => this.#happens(pairing, { kind: "completes", guest }),
        onProven: (introduced) => {
          pairing.introduced = introduced;
          this.#happens(pairing, { kind: "proves", guest });
        },
        onFailed: () => this.#happens(pairing, { kind: "fails", guest }),
        onLeft: () => this.#happens(pairing, { kind: "leaves", guest }),
      },
    });
  }

  #channelOf(pairing: Pairing, guest: number): Channel | undefined {
    const channel = pairing.channels.get(guest);
    pairing.channels.delete(guest);
    return channel;
  }

  #rendezvous({ place, rendezvous }: Pairing, expires: number): void {
    // Without a connection there is none to take back, and it is put up again on the next one.
    this.#inBackground("rendezvous", place.link.ask({ kind: "rendezvous", id: rendezvous.id, expires }));
  }

  #show(pairing: Pairing): void {
    const { clock, limits, events } = this.#options;
    pairing.cancelTimer();
    pairing.cancelTimer = clock.timer(limits.confirmMs, () => this.#happens(pairing, { kind: "expire" }));
    events.onMet(pairing.id, this.#candidate(pairing)!);
  }

  async #admit(pairing: Pairing): Promise<void> {
    try {
      const { device, undo } = await this.#options.admit(pairing.place, pairing.introduced!, pairing.scopes);
      pairing.joined = device;
      pairing.undo = undo;
    } catch (error) {
      pairing.problem = error instanceof WarrenError ? error : new WarrenError("PAIRING_NOT_STORED", messageOf(error));
      return this.#happens(pairing, { kind: "not_admitted" });
    }
    this.#happens(pairing, { kind: "admitted" });
  }

  #join(pairing: Pairing): void {
    this.#forget(pairing);
    const device = pairing.joined!;
    // It is in, whether it hears so or not: it finds out when it comes.
    this.#inBackground("welcoming", pairing.guest?.welcome());
    this.#options.events.onJoined(pairing.id, device);
    pairing.confirmed?.resolve(device);
  }

  #end(pairing: Pairing, how: PairingEnding): void {
    this.#forget(pairing);
    pairing.confirmed?.reject(pairing.problem ?? (how === "left" ? errors.pairingLeft() : errors.pairingNotFound()));
    this.#options.log.info("pairing_ended", { how });
    this.#options.events.onEnded(pairing.id, how);
  }

  #forget(pairing: Pairing): void {
    pairing.cancelTimer();
    this.#open.delete(pairing.id);
  }

  #inBackground(what: string, work: Promise<unknown> | undefined): void {
    work?.catch((error) => this.#options.log.info("pairing_step_failed", { what, error: messageOf(error) }));
  }

  #candidate({ introduced }: Pairing): RemoteCandidate | undefined {
    if (!introduced) return undefined;
    const { name, platform, check, signingKey } = introduced;
    const known = this.#options.knownAs(toHex(signingKey));
    return { name, platform, check, ...(known ? { known_as: known.name } : {}) };
  }

  #view(pairing: Pairing): RemotePairing {
    const { id, place, state, expires, scopes } = pairing;
    const shown = state.kind === "shown" || state.kind === "admitting" ? state.kind : undefined;
    const candidate = shown && this.#candidate(pairing);
    return {
      pairing: id,
      hub: this.#options.labelOf(place),
      state: shown ?? "offered",
      expires_at: timestamp(expires * 1_000),
      scopes: [...scopes],
      ...(candidate ? { candidate } : {}),
    };
  }
}
