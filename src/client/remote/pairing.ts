import type { Channel } from "../../contact/channel.ts";
import { hubLost } from "../../contact/errors.ts";
import { HubContact } from "../../contact/hub-contact.ts";
import type { HubClaim, HubNetwork, RemoteClock } from "../../contact/network.ts";
import { isWarrenError, WarrenError } from "../../protocol/errors.ts";
import { isEqual, toHex } from "../../sealing/bytes.ts";
import type { SealingCrypto, SigningKey } from "../../sealing/crypto.ts";
import { checkOf, fingerprintText } from "../../sealing/fingerprint.ts";
import { type IntroductionFacts, makeIntroductionProof } from "../../sealing/introducing.ts";
import { fingerprintOf } from "../../sealing/login.ts";
import { Handshake } from "../../sealing/noise/handshake.ts";
import type { Transport } from "../../sealing/noise/transport.ts";
import { INTRODUCTION, makeProof, openOffer, type Rendezvous, rendezvousOf, VERDICT } from "../../sealing/pairing.ts";
import { decodePairingCode, type ReadCodeOptions } from "../../sealing/pairing-code.ts";
import { hubOther, pairingBroken, pairingGone } from "./errors.ts";
import { openOutcome, readIntroducer } from "./introduced.ts";
import type { DeviceLimits } from "./limits.ts";
import { type PairEvent, type PairingCard, type PairState, pairStep } from "./pair.ts";
import { copyOf, hubEntryOf, type Joined, keepJoined } from "./pairing-kept.ts";
import type { DeviceKeys, DeviceStore, HubEntry } from "./world.ts";

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

/** A verdict that says no; an outcome has more. */
const NO_BYTES = 1;

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
  readonly #ended = Promise.withResolvers<Joined>();
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

  /** The person agrees to the machines to which this device is introduced. */
  agree(): void {
    this.#event({ kind: "agree" });
  }

  /**
   * Nothing was sent before. Resolves when the machine has let this device in and that is written down, also where the hub is lost meanwhile; a device that was
   * introduced has said so besides. @throws why not; nothing is kept then, unless the store refuses to take it back
   */
  connect(): Promise<Joined> {
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
      else if (kind === "introduce") this.#run(() => this.#introduce());
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
    this.#login = this.#known?.login ?? (await store.newLoginKey(hub));
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
    void contact.ended.then((error) => this.#event({ kind: "lost", error }));
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
        const isSaid = isWarrenError(error, "PAIRING_REFUSED");
        this.#event({ kind: "lost", error: isSaid ? error : pairingBroken() });
        if (!(error instanceof WarrenError)) throw error;
      }
    });
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const { crypto } = this.#options;
    if (!this.#transport) return this.#onAnswer(bytes);
    const text = await this.#transport.open(bytes);
    if (this.#state.kind === "proving") {
      const offer = await openOffer(crypto, { text, handshakeHash: this.#transport.handshakeHash });
      return this.#event({ kind: "offered", offer: offer && copyOf(offer) });
    }
    if (this.#state.kind === "awaiting" && text.length > NO_BYTES) {
      const { card, introducer } = this.#state;
      const outcome = await openOutcome(crypto, { text, introducer, card, facts: this.#facts() });
      return this.#event({ kind: "outcome", outcome });
    }
    this.#event({ kind: "verdict", isJoined: VERDICT.decode(text).isJoined });
  }

  /** The second message: a machine says nothing in it, and a device that introduces says to whom. */
  async #onAnswer(answer: Uint8Array): Promise<void> {
    if (this.#state.kind !== "shaking") throw pairingBroken();
    const payload = await this.#handshake!.read(answer);
    if (payload.length === 0) return this.#introduce();
    this.#event({ kind: "introduced", introducer: readIntroducer(payload) });
  }

  async #introduce(): Promise<void> {
    const { crypto, name, platform } = this.#options;
    const { signing } = this.#keys!;
    const introduction = { signingKey: signing.publicKey, loginKey: this.#login!.publicKey, name, platform };
    const third = await this.#handshake!.write(INTRODUCTION.encode(introduction));
    const transport = await this.#handshake!.transport();
    this.#transport = transport;
    const { scopes } = this.#card.code;
    const proof =
      this.#state.kind === "agreed"
        ? await makeIntroductionProof(crypto, { facts: this.#facts(), scopes, key: signing })
        : await makeProof(crypto, signing, transport.handshakeHash);
    const check = await checkOf(crypto, transport.handshakeHash);
    const sealed = await transport.seal(proof);
    this.#event({ kind: "shaken", check });
    this.#channel?.send(third);
    this.#channel?.send(sealed);
  }

  /** Who this device is, here and in this handshake. */
  #facts(): IntroductionFacts {
    return {
      hub: this.#card.code.hub,
      handshakeHash: this.#transport!.handshakeHash,
      signingKey: this.#keys!.signing.publicKey,
      exchangeKey: this.#keys!.exchange.publicKey,
      loginKey: this.#login!.publicKey,
    };
  }

  async #keep(): Promise<void> {
    if (this.#state.kind !== "keeping") return;
    const { store, clock } = this.#options;
    const { offer, card, outcome } = this.#state;
    const word = outcome && (await this.#transport!.seal(VERDICT.encode({ isJoined: true })));
    const { takeBack, ...joined } = await keepJoined(store, {
      keys: this.#keys!,
      hub: hubEntryOf({ card, known: this.#known, claim: this.#claim!, login: this.#login!, nowMs: clock.wallMs() }),
      offers: outcome?.offers ?? [offer],
      nowMs: clock.wallMs(),
    });
    if (word) await this.#tellKept(word, takeBack);
    this.#ended.resolve({ ...joined, left: outcome?.left ?? [] });
    this.#event({ kind: "kept" });
  }

  /** @throws nobody is there to hear it, and what was kept is taken back */
  async #tellKept(word: Uint8Array, takeBack: () => Promise<void>): Promise<void> {
    if (!this.#channel!.isClosed) return this.#channel!.send(word);
    await takeBack();
    throw this.#contact!.hasEnded ? await this.#contact!.ended : pairingGone();
  }

  #hangUp(): void {
    this.#over.abort();
    this.#cancelDeadline();
    this.#channel?.close();
    this.#contact?.end(hubLost());
  }
}
