import { WarrenError } from "../protocol/errors.ts";
import { isEqual } from "../sealing/bytes.ts";
import type { ExchangeKey, SealingCrypto } from "../sealing/crypto.ts";
import { checkOf } from "../sealing/fingerprint.ts";
import { Handshake } from "../sealing/noise/handshake.ts";
import { INTRODUCTION, type Introduction, type Rendezvous, VERDICT } from "../sealing/pairing.ts";
import type { Channel } from "./channel.ts";
import type { RemoteClock } from "./network.ts";
import { shownName } from "./shown-text.ts";

/**
 * The one at the other end of a code: the half of the handshake of whoever has made the code, and what is said in its session. What the guest sends that
 * has no form, or is not signed by what it introduces, is `onFailed`.
 */
export interface GuestOptions {
  channel: Channel;
  rendezvous: Rendezvous;
  /** Of this code alone. */
  pairingKey: ExchangeKey;
  crypto: SealingCrypto;
  clock: RemoteClock;
  handshakeMs: number;
  /** What it reads before it says anything of itself, and how long its person may look at that; default: nothing. */
  welcome?: { text: Uint8Array; lookMs: number };
  /** Its first text, which has to prove that the keys are its own; what is to be answered. @throws it proves nothing */
  prove(text: Uint8Array, guest: ProvenGuest): Promise<Uint8Array | undefined>;
  events: GuestEvents;
}

export interface GuestEvents {
  onCompleted(): void;
  onProven(device: Introduced): void;
  onFailed(): void;
  onLeft(): void;
  /** Whatever it says after its proof; default: it is not heard. */
  onText?(text: Uint8Array): void;
}

/** Who wants to join, proven. */
export interface Introduced extends Introduction {
  exchangeKey: Uint8Array;
  /** 6 digits, the same at both ends. */
  check: string;
}

/** What a proof is of. */
export interface ProvenGuest extends Introduction {
  exchangeKey: Uint8Array;
  handshakeHash: Uint8Array;
}

export class PairingGuest {
  readonly #options: GuestOptions;
  #cancelDeadline: () => void;
  #handshake: Handshake | undefined;
  #introduction: Introduction | undefined;
  #transport: Awaited<ReturnType<Handshake["transport"]>> | undefined;
  #last: Promise<void> = Promise.resolve();
  #isProven = false;
  /** What it says from now on is of no interest, also while it is told no. */
  #hasFailed = false;

  constructor(options: GuestOptions) {
    this.#options = options;
    const { channel, events } = options;
    this.#cancelDeadline = this.#deadline(options.handshakeMs);
    channel.listen({
      onData: (bytes) => {
        this.#last = this.#last.then(() => this.#take(bytes));
      },
      onRoom: () => {},
      onClosed: () => {
        this.#cancelDeadline();
        void this.#last.then(() => events.onLeft()); // what it has said before is heard first
      },
    });
  }

  /** In its session. */
  async say(text: Uint8Array): Promise<void> {
    this.#options.channel.send(await this.#transport!.seal(text));
  }

  /** It is let in, and that is written down. */
  welcome(): Promise<void> {
    return this.say(VERDICT.encode({ isJoined: true }));
  }

  /** Says no, where it can be said, and lets it go. */
  async letGo(): Promise<void> {
    const { channel } = this.#options;
    this.#cancelDeadline();
    if (this.#transport && !channel.isClosed) await this.say(VERDICT.encode({ isJoined: false }));
    channel.close("refused");
  }

  #deadline(delayMs: number): () => void {
    return this.#options.clock.timer(delayMs, () => this.#options.events.onFailed());
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const { channel, events } = this.#options;
    if (this.#hasFailed || (channel.isClosed && !this.#isProven)) return;
    channel.take(bytes.length);
    try {
      if (!this.#transport) await this.#shakeHands(bytes);
      else if (!this.#isProven) await this.#prove(bytes);
      else if (events.onText) events.onText(await this.#transport.open(bytes));
    } catch (error) {
      if (!(error instanceof WarrenError)) throw error;
      this.#hasFailed = true;
      this.#cancelDeadline();
      events.onFailed();
    }
  }

  async #shakeHands(message: Uint8Array): Promise<void> {
    const { crypto, rendezvous, pairingKey, channel, events, welcome, handshakeMs } = this.#options;
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
      // Its first message opens: it has the code, whoever it is, and could use it up as well.
      if (welcome) this.#postpone(welcome.lookMs);
      channel.send(await this.#handshake.write(welcome?.text ?? new Uint8Array(0)));
      return;
    }
    const transport = await this.#handshake.transport();
    this.#transport = transport;
    if (welcome) this.#postpone(handshakeMs);
    events.onCompleted(); // whatever is in it: the code is used
    this.#introduction = this.#introductionIn(payload);
  }

  #postpone(delayMs: number): void {
    this.#cancelDeadline();
    if (!this.#options.channel.isClosed) this.#cancelDeadline = this.#deadline(delayMs);
  }

  /** The login key has to be the one that the hub has checked. */
  #introductionIn(payload: Uint8Array): Introduction {
    const { signingKey, loginKey, name, platform } = INTRODUCTION.decode(payload);
    if (!isEqual(loginKey, this.#options.channel.loginKey)) throw guestBroken();
    return {
      signingKey: signingKey.slice(),
      loginKey: loginKey.slice(),
      name: shownName(name, "device"),
      platform: shownName(platform, "unknown"),
    };
  }

  async #prove(message: Uint8Array): Promise<void> {
    const { crypto, channel, events, prove } = this.#options;
    const { handshakeHash, theirStatic } = this.#transport!;
    const introduction = { ...this.#introduction!, exchangeKey: theirStatic.slice() };
    const text = await this.#transport!.open(message);
    const answer = await prove(text, { ...introduction, handshakeHash });
    const check = await checkOf(crypto, handshakeHash);
    const sealed = answer && (await this.#transport!.seal(answer));
    if (channel.isClosed) return;
    if (sealed) channel.send(sealed);
    this.#isProven = true;
    this.#cancelDeadline();
    events.onProven({ ...introduction, check });
  }
}

/** What it sent is not signed by what it introduces. */
export const guestBroken = (): WarrenError => new WarrenError("PAIRING_BROKEN", "The guest is not who it says.");
