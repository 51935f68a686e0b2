import type { Channel } from "../contact/channel.ts";
import { shownName } from "../contact/shown-text.ts";
import type { Clock } from "../platform/clock.ts";
import { WarrenError } from "../protocol/errors.ts";
import { isEqual } from "../sealing/bytes.ts";
import type { ExchangeKey, SealingCrypto } from "../sealing/crypto.ts";
import { checkOf } from "../sealing/fingerprint.ts";
import { Handshake } from "../sealing/noise/handshake.ts";
import {
  INTRODUCTION,
  type Introduction,
  isProof,
  makeOffer,
  type Offer,
  type Rendezvous,
  VERDICT,
} from "../sealing/pairing.ts";
import type { MachineKeys } from "./machine-keys.ts";

/**
 * The one at the other end of a code: the machine's half of the handshake, and what is said in its session. What the guest sends that has no form, or is
 * not signed by what it introduces, is `onFailed`.
 */
export interface GuestOptions {
  channel: Channel;
  rendezvous: Rendezvous;
  /** Of this code alone. */
  pairingKey: ExchangeKey;
  machine: MachineKeys;
  offer: Omit<Offer, "signingKey" | "exchangeKey">;
  crypto: SealingCrypto;
  clock: Clock;
  handshakeMs: number;
  events: GuestEvents;
}

export interface GuestEvents {
  onCompleted(): void;
  onProven(device: Introduced): void;
  onFailed(): void;
  onLeft(): void;
}

/** Who wants to join, proven. */
export interface Introduced extends Introduction {
  exchangeKey: Uint8Array;
  /** 6 digits, the same at both ends. */
  check: string;
}

export class PairingGuest {
  readonly #options: GuestOptions;
  readonly #cancelDeadline: () => void;
  #handshake: Handshake | undefined;
  #introduction: Introduction | undefined;
  #transport: Awaited<ReturnType<Handshake["transport"]>> | undefined;
  #last: Promise<void> = Promise.resolve();
  #isProven = false;

  constructor(options: GuestOptions) {
    this.#options = options;
    const { channel, clock, handshakeMs, events } = options;
    this.#cancelDeadline = clock.timer(handshakeMs, () => events.onFailed());
    channel.listen({
      onData: (bytes) => {
        this.#last = this.#last.then(() => this.#take(bytes));
      },
      onRoom: () => {},
      onClosed: () => {
        this.#cancelDeadline();
        events.onLeft();
      },
    });
  }

  /** It is let in, and that is written down. */
  async welcome(): Promise<void> {
    const { channel } = this.#options;
    channel.send(await this.#transport!.seal(VERDICT.encode({ isJoined: true })));
  }

  /** Says no, where it can be said, and lets it go. */
  async letGo(): Promise<void> {
    const { channel } = this.#options;
    this.#cancelDeadline();
    if (this.#transport && !channel.isClosed)
      channel.send(await this.#transport.seal(VERDICT.encode({ isJoined: false })));
    channel.close("refused");
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const { channel, events } = this.#options;
    if (channel.isClosed) return;
    channel.take(bytes.length);
    try {
      if (!this.#transport) await this.#shakeHands(bytes);
      else if (!this.#isProven) await this.#prove(bytes);
    } catch (error) {
      if (!(error instanceof WarrenError)) throw error;
      this.#cancelDeadline();
      events.onFailed();
    }
  }

  async #shakeHands(message: Uint8Array): Promise<void> {
    const { crypto, rendezvous, pairingKey, channel, events } = this.#options;
    const { psk, prologue } = rendezvous;
    const isFirst = this.#handshake === undefined;
    this.#handshake ??= await Handshake.start(crypto, {
      pattern: "XKpsk3",
      isInitiator: false,
      prologue,
      own: pairingKey,
      psk,
    });
    const payload = await this.#handshake.read(message);
    if (isFirst) {
      channel.send(await this.#handshake.write(new Uint8Array(0)));
      return;
    }
    const transport = await this.#handshake.transport();
    this.#transport = transport;
    events.onCompleted(); // whatever is in it: the code is used
    this.#introduction = this.#introductionIn(payload);
  }

  /** The login key has to be the one that the hub has checked. */
  #introductionIn(payload: Uint8Array): Introduction {
    const { signingKey, loginKey, name, platform } = INTRODUCTION.decode(payload);
    if (!isEqual(loginKey, this.#options.channel.loginKey)) throw broken();
    return {
      signingKey: signingKey.slice(),
      loginKey: loginKey.slice(),
      name: shownName(name, "device"),
      platform: shownName(platform, "unknown"),
    };
  }

  async #prove(message: Uint8Array): Promise<void> {
    const { crypto, machine, offer, channel, events } = this.#options;
    const { handshakeHash, theirStatic } = this.#transport!;
    const introduction = this.#introduction!;
    const text = await this.#transport!.open(message);
    if (!(await isProof(crypto, { text, signingKey: introduction.signingKey, handshakeHash }))) throw broken();
    const keys = { signingKey: machine.signing.publicKey, exchangeKey: machine.exchange.publicKey };
    const signed = await makeOffer(crypto, { offer: { ...offer, ...keys }, key: machine.signing, handshakeHash });
    const check = await checkOf(crypto, handshakeHash);
    const sealed = await this.#transport!.seal(signed);
    if (channel.isClosed) return;
    channel.send(sealed);
    this.#isProven = true;
    this.#cancelDeadline();
    events.onProven({ ...introduction, exchangeKey: theirStatic.slice(), check });
  }
}

const broken = (): WarrenError => new WarrenError("PAIRING_BROKEN", "The guest is not who it says.");
