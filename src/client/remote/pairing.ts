import type { Channel } from "../../contact/channel.ts";
import { hubLost } from "../../contact/errors.ts";
import { HubContact } from "../../contact/hub-contact.ts";
import type { HubClaim, HubNetwork, RemoteClock } from "../../contact/network.ts";
import { shownName } from "../../contact/shown-text.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { isEqual, toHex } from "../../sealing/bytes.ts";
import type { SealingCrypto, SigningKey } from "../../sealing/crypto.ts";
import { checkOf, fingerprintText } from "../../sealing/fingerprint.ts";
import { fingerprintOf } from "../../sealing/login.ts";
import { Handshake } from "../../sealing/noise/handshake.ts";
import type { Transport } from "../../sealing/noise/transport.ts";
import {
  INTRODUCTION,
  makeProof,
  type Offer,
  openOffer,
  type Rendezvous,
  rendezvousOf,
  VERDICT,
} from "../../sealing/pairing.ts";
import { decodePairingCode, type ReadCodeOptions } from "../../sealing/pairing-code.ts";
import { hubOther, pairingBroken, pairingGone } from "./errors.ts";
import type { DeviceLimits } from "./limits.ts";
import { type PairEvent, type PairingCard, type PairState, pairStep } from "./pair.ts";
import type { DeviceKeys, DeviceStore, HubEntry, MachineEntry } from "./world.ts";

export interface PairingOptions {
  /** As its owner calls this device: `Pixel 9`. */
  name: string;
  /** `android`, `ios`, `linux`, … */
  platform: string;
  store: DeviceStore;
  network: HubNetwork;
  crypto: SealingCrypto;
  clock: RemoteClock;
  limits: DeviceLimits;
  onState?(state: PairState): void;
}

/** What a code says, before anything is sent. @throws what `decodePairingCode` does */
export async function readCard(text: string, store: DeviceStore, options: ReadCodeOptions): Promise<PairingCard> {
  const code = decodePairingCode(text, options);
  const hub = toHex(code.hub);
  const known = (await store.hubs()).find(({ fingerprint }) => fingerprint === hub);
  return { code, hub, knownAs: known?.label };
}

/** Carries out what `pair.ts` decides: one code, once. */
export class Pairing {
  readonly #options: PairingOptions;
  readonly #over = new AbortController();
  readonly #ended = Promise.withResolvers<{ hub: HubEntry; machine: MachineEntry }>();
  #state: PairState;
  #claim: HubClaim | undefined;
  #known: HubEntry | undefined;
  #keys: DeviceKeys | undefined;
  #login: SigningKey | undefined;
  #contact: HubContact | undefined;
  #channel: Channel | undefined;
  #handshake: Handshake | undefined;
  #transport: Transport | undefined;
  #last: Promise<void> = Promise.resolve();
  #cancelDeadline: () => void;

  constructor(card: PairingCard, options: PairingOptions) {
    this.#options = options;
    this.#state = { kind: "read", card };
    const { clock, limits } = options;
    const leftMs = Math.max(0, card.code.expires * 1_000 - clock.wallMs()) + limits.verdictMs;
    this.#cancelDeadline = clock.timer(leftMs, () => this.#event({ kind: "expire" }));
    this.#ended.promise.catch(() => {});
  }

  get state(): PairState {
    return this.#state;
  }

  /** Nothing was sent before. Resolves when the machine has let this device in and that is written down. @throws why not */
  connect(): Promise<{ hub: HubEntry; machine: MachineEntry }> {
    this.#event({ kind: "connect" });
    return this.#ended.promise;
  }

  cancel(): void {
    this.#event({ kind: "cancel" });
  }

  #event(event: PairEvent): void {
    const before = this.#state;
    const [state, effects] = pairStep(before, event);
    this.#state = state;
    if (state !== before) this.#options.onState?.(state);
    for (const { kind } of effects) {
      if (kind === "find") this.#run(() => this.#find());
      else if (kind === "meet") this.#run(() => this.#meet());
      else if (kind === "shake") this.#run(() => this.#shake());
      else if (kind === "keep") this.#run(() => this.#keep());
      else this.#hangUp();
    }
    if (state.kind === "ended" && before.kind !== "ended") this.#ended.reject(state.error);
  }

  #run(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      this.#event({ kind: "broke", error: error instanceof WarrenError ? error : pairingBroken() });
      if (!(error instanceof WarrenError)) throw error;
    });
  }

  get #card(): PairingCard {
    if (!("card" in this.#state)) throw hubLost();
    return this.#state.card;
  }

  async #find(): Promise<void> {
    const { network, crypto, store } = this.#options;
    const { code, hub } = this.#card;
    const [claim, hubs, keys] = await Promise.all([
      network.claim(code.address, this.#over.signal),
      store.hubs(),
      store.keys(),
    ]);
    const found = await fingerprintOf(crypto, claim.key);
    if (!isEqual(found, code.hub)) throw hubOther(code.address, fingerprintText(code.hub), fingerprintText(found));
    this.#claim = claim;
    this.#known = hubs.find(({ fingerprint }) => fingerprint === hub);
    this.#keys = keys ?? (await store.newKeys());
    this.#login = this.#known?.login ?? (await store.newLoginKey());
    this.#event({ kind: "found", isTheHub: true });
  }

  async #meet(): Promise<void> {
    const { network, crypto, clock, limits } = this.#options;
    const { code } = this.#card;
    const { id } = await rendezvousOf(crypto, code);
    if (this.#over.signal.aborted) return;
    const contact = new HubContact({
      address: code.address,
      hubKey: this.#claim!.key,
      loginKey: this.#login!,
      role: "guest",
      network,
      crypto,
      clock,
      limits,
      events: {},
    });
    this.#contact = contact;
    void contact.ended.then((error) => this.#event({ kind: "broke", error }));
    await contact.welcomed;
    this.#channel = contact.meet(id, {
      onData: (bytes) => this.#hear(bytes),
      onRoom: () => {},
      onClosed: () => void this.#last.then(() => this.#event({ kind: "left" })),
    });
    this.#event(this.#channel ? { kind: "met" } : { kind: "broke", error: pairingGone() });
  }

  async #shake(): Promise<void> {
    const { crypto } = this.#options;
    const { code } = this.#card;
    const { psk, prologue }: Rendezvous = await rendezvousOf(crypto, code);
    this.#handshake = await Handshake.start(crypto, {
      pattern: "XKpsk3",
      isInitiator: true,
      prologue,
      own: this.#keys!.exchange,
      theirs: code.pairingKey,
      psk,
    });
    this.#channel?.send(await this.#handshake.write(new Uint8Array(0)));
  }

  #hear(bytes: Uint8Array): void {
    this.#last = this.#last.then(async () => {
      if (this.#over.signal.aborted) return;
      try {
        await this.#take(bytes);
      } catch (error) {
        this.#event({ kind: "broke", error: pairingBroken() });
        if (!(error instanceof WarrenError)) throw error;
      }
    });
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const { crypto } = this.#options;
    if (!this.#transport) return this.#introduce(bytes);
    const text = await this.#transport.open(bytes);
    if (this.#state.kind === "proving") {
      const offer = await openOffer(crypto, { text, handshakeHash: this.#transport.handshakeHash });
      return this.#event({ kind: "offered", offer: offer && copyOf(offer) });
    }
    this.#event({ kind: "verdict", isJoined: VERDICT.decode(text).isJoined });
  }

  async #introduce(answer: Uint8Array): Promise<void> {
    const { crypto, name, platform } = this.#options;
    const { signing } = this.#keys!;
    await this.#handshake!.read(answer);
    const introduction = { signingKey: signing.publicKey, loginKey: this.#login!.publicKey, name, platform };
    const third = await this.#handshake!.write(INTRODUCTION.encode(introduction));
    const transport = await this.#handshake!.transport();
    const proof = await makeProof(crypto, signing, transport.handshakeHash);
    const check = await checkOf(crypto, transport.handshakeHash);
    const sealed = await transport.seal(proof);
    this.#transport = transport;
    this.#event({ kind: "shaken", check });
    this.#channel?.send(third);
    this.#channel?.send(sealed);
  }

  async #keep(): Promise<void> {
    if (this.#state.kind !== "keeping") return;
    const { store, clock } = this.#options;
    const { offer, card } = this.#state;
    const nowMs = clock.wallMs();
    const id = toHex(offer.signingKey);
    const known = (await store.machines()).find((machine) => machine.id === id);
    const hub = this.#hubEntry(card, nowMs);
    const machine: MachineEntry = {
      id,
      exchangeKey: offer.exchangeKey,
      name: offer.name,
      words: offer.words,
      scopes: offer.scopes,
      spaces: { ...known?.spaces, [card.hub]: offer.space },
      addedMs: known?.addedMs ?? nowMs,
      confirmedMs: nowMs,
    };
    await store.join({ keys: this.#keys!, hub, machine });
    this.#ended.resolve({ hub, machine });
    this.#event({ kind: "kept" });
  }

  #hubEntry({ hub, code }: PairingCard, nowMs: number): HubEntry {
    const known = this.#known;
    const addresses = [code.address, ...(known?.addresses ?? []).filter((address) => address !== code.address)];
    const { isOff: _, ...kept } = known ?? { isOff: undefined };
    return {
      addedMs: nowMs,
      label: shownName(this.#claim!.label, new URL(code.address).hostname),
      ...kept,
      fingerprint: hub,
      key: this.#claim!.key,
      login: this.#login!,
      addresses,
      usedMs: nowMs,
    };
  }

  #hangUp(): void {
    this.#over.abort();
    this.#cancelDeadline();
    this.#channel?.close();
    this.#contact?.end(hubLost());
  }
}

/** What was read are views of one message; and its words are shown. */
const copyOf = (offer: Offer): Offer => ({
  ...offer,
  name: shownName(offer.name, "machine"),
  words: shownName(offer.words, ""),
  signingKey: offer.signingKey.slice(),
  exchangeKey: offer.exchangeKey.slice(),
  space: offer.space.slice(),
});
