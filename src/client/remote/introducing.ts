import type { Channel } from "../../contact/channel.ts";
import type { RemoteClock } from "../../contact/network.ts";
import { guestBroken, type Introduced, PairingGuest, type ProvenGuest } from "../../contact/pairing-guest.ts";
import {
  type PairingEffect,
  type PairingEnd,
  type PairingEvent,
  type PairingState,
  pairingStep,
} from "../../contact/pairing-steps.ts";
import { fromHex } from "../../sealing/bytes.ts";
import type { ExchangeKey, SealingCrypto } from "../../sealing/crypto.ts";
import { INTRODUCER, type IntroductionFacts, isIntroductionProof, OUTCOME } from "../../sealing/introducing.ts";
import { type Rendezvous, VERDICT } from "../../sealing/pairing.ts";
import type { CodeTexts } from "../../sealing/pairing-code.ts";
import type { Scope } from "../../sealing/scopes.ts";
import type { HubConnection } from "./hub-connection.ts";
import * as errors from "./introducing-errors.ts";
import {
  checkMachines,
  Introductions,
  type JoinedWord,
  type LeftWord,
  type MachineClient,
  type MachineWord,
} from "./introductions.ts";
import type { DeviceLimits } from "./limits.ts";
import type { MachineLink } from "./machine-link.ts";
import { type NewCode, newCode } from "./new-code.ts";

/**
 * This device introduces another one to machines that have given it the scope admin (docs/remote-design.md, Pairing): it shows the code as a machine
 * would, and asks each machine when its person has said yes to the check.
 *
 * 1. The code is used once, by whoever completes the handshake; no machine hears of anybody before the yes.
 * 2. What a machine has let in is taken back unless the new device says that it has kept it.
 * 3. It ends once, with which machines have let it in, and in words why the others have not.
 */
export interface IntroducingOptions {
  /** As this device calls itself: the new one's person reads it. */
  name: string;
  hub: HubConnection;
  /** One to 16, all of them met at that hub. */
  machines: readonly MachineLink[];
  scopes: readonly Scope[];
  crypto: SealingCrypto;
  clock: RemoteClock;
  limits: DeviceLimits;
  /** To a machine's primary server. */
  clientOf(machine: MachineLink): MachineClient;
  events: IntroducingEvents;
}

export interface IntroducingEvents {
  /** Somebody has used the code; `confirm` or `cancel` is awaited. */
  onMet(candidate: Candidate): void;
  /** What one machine says, as it comes. */
  onWord?(word: MachineWord): void;
}

export type Candidate = Pick<Introduced, "name" | "platform" | "check">;

export interface IntroducingResult {
  candidate: Candidate;
  joined: readonly JoinedWord[];
  left: readonly LeftWord[];
}

export class Introducing {
  readonly #options: IntroducingOptions;
  readonly #key: ExchangeKey;
  readonly #rendezvous: Rendezvous;
  readonly #over = Promise.withResolvers<IntroducingResult>();
  readonly #introductions: Introductions;
  readonly #channels = new Map<number, Channel>();
  readonly code: CodeTexts;
  /** Seconds since 1970. */
  readonly expires: number;
  readonly #endsMs: number;
  #guestCount = 0;
  #state: PairingState = { kind: "offered" };
  #guest: PairingGuest | undefined;
  #proven: { facts: IntroductionFacts; proof: Uint8Array } | undefined;
  #introduced: Introduced | undefined;
  #words: readonly MachineWord[] = [];
  /** The new device has said that it has kept what it was given; undefined as long as that is not awaited. */
  #onKept: ((isKept: boolean) => void) | undefined;
  #leave: () => void = () => {};
  #cancelCode: () => void = () => {};
  #cancelEnd: () => void = () => {};

  /** Puts up the code. @throws INTRODUCING_NOBODY, …_TOO_MANY, …_NOT_THERE, HUB_LOST, RENDEZVOUS_FULL, CODE_ADDRESS */
  static async offer(options: IntroducingOptions): Promise<Introducing> {
    checkMachines(options.hub, options.machines);
    const introducing = new Introducing(options, await newCode(options));
    await introducing.#putUp();
    return introducing;
  }

  private constructor(options: IntroducingOptions, { key, rendezvous, texts, expires }: NewCode) {
    this.#options = options;
    this.#key = key;
    this.#rendezvous = rendezvous;
    this.code = texts;
    this.expires = expires;
    this.#endsMs = options.clock.monotonicMs() + options.limits.introducingMs;
    this.#introductions = new Introductions(options);
    this.#over.promise.catch(() => {});
  }

  /** How it ended. @throws INTRODUCING_REFUSED, …_EXPIRED, …_CANCELLED, …_LEFT, …_NOWHERE */
  get over(): Promise<IntroducingResult> {
    return this.#over.promise;
  }

  /** The check is the same at both ends: the machines are asked. */
  confirm(): void {
    this.#happens({ kind: "confirm" });
  }

  /** Refuses whoever is shown, or takes the code back. */
  cancel(): void {
    this.#happens({ kind: this.#state.kind === "shown" ? "refuse" : "cancel" });
  }

  async #putUp(): Promise<void> {
    const { hub, clock, limits } = this.#options;
    const { id } = this.#rendezvous;
    this.#leave = hub.meetAt(id, {
      onMet: (channel) => {
        const guest = ++this.#guestCount;
        this.#channels.set(guest, channel);
        this.#happens({ kind: "meets", guest });
      },
      onBack: () => this.#state.kind === "offered" && this.#carryOut({ kind: "put_up" }),
    });
    try {
      await hub.rendezvous(id, this.expires);
    } catch (error) {
      this.#leave();
      throw error;
    }
    this.#cancelCode = clock.timer(limits.codeMs, () => {
      if (this.#state.kind === "offered" || this.#state.kind === "met") this.#happens({ kind: "expire" });
    });
    this.#cancelEnd = clock.timer(limits.introducingMs, () => this.#happens({ kind: "cancel" }));
  }

  #happens(event: PairingEvent): void {
    const [state, effects] = pairingStep(this.#state, event);
    this.#state = state;
    if (state.kind === "admitting" && state.ending) this.#introductions.giveUp();
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: PairingEffect): void {
    switch (effect.kind) {
      case "greet":
        return this.#greet(effect.guest);
      case "turn_away":
        return this.#channelOf(effect.guest)?.close("refused");
      case "let_go":
        return void this.#guest?.letGo().catch(() => {});
      case "put_up":
        return void this.#options.hub.rendezvous(this.#rendezvous.id, this.expires).catch(() => {});
      case "take_back":
        return void this.#options.hub.rendezvous(this.#rendezvous.id, 0).catch(() => {});
      case "show":
        return this.#options.events.onMet(this.#introduced!);
      case "admit":
        return void this.#ask();
      case "expel":
        return; // `end` follows
      case "join":
        return void this.#handOver();
      case "end":
        return void this.#end(effect.how);
    }
  }

  #greet(guest: number): void {
    const { name, machines, crypto, clock, limits } = this.#options;
    const introducer = {
      name,
      machines: machines.map(({ machine }) => ({ ...machine, signingKey: fromHex(machine.id)! })),
    };
    this.#guest = new PairingGuest({
      channel: this.#channelOf(guest)!,
      rendezvous: this.#rendezvous,
      pairingKey: this.#key,
      crypto,
      clock,
      handshakeMs: limits.handshakeMs,
      welcome: { text: INTRODUCER.encode(introducer), lookMs: limits.codeMs },
      prove: (text, device) => this.#prove(text, device),
      events: {
        onCompleted: () => this.#happens({ kind: "completes", guest }),
        onProven: (introduced) => {
          this.#introduced = introduced;
          this.#happens({ kind: "proves", guest });
        },
        onFailed: () => this.#gone({ kind: "fails", guest }),
        onLeft: () => this.#gone({ kind: "leaves", guest }),
        onText: (text) => this.#onKept?.(VERDICT.decode(text).isJoined),
      },
    });
  }

  async #prove(
    proof: Uint8Array,
    { signingKey, exchangeKey, loginKey, handshakeHash }: ProvenGuest,
  ): Promise<undefined> {
    const { crypto, hub, scopes } = this.#options;
    const facts = { hub: fromHex(hub.entry.fingerprint)!, handshakeHash, signingKey, exchangeKey, loginKey };
    if (!(await isIntroductionProof(crypto, { facts, scopes, text: proof }))) throw guestBroken();
    this.#proven = { facts, proof };
  }

  #gone(event: PairingEvent & { guest: number }): void {
    this.#onKept?.(false);
    this.#happens(event);
  }

  #channelOf(guest: number): Channel | undefined {
    const channel = this.#channels.get(guest);
    this.#channels.delete(guest);
    return channel;
  }

  async #ask(): Promise<void> {
    const { clock, scopes } = this.#options;
    const { name, platform } = this.#introduced!;
    const waitMs = Math.max(1, Math.floor(this.#endsMs - clock.monotonicMs() - END_SLACK_MS));
    this.#words = await this.#introductions.ask({ ...this.#proven!, name, platform, scopes, waitMs });
    const isJoined = this.#words.some(({ kind }) => kind === "joined");
    if (!isJoined) await this.#say().catch(() => {}); // why not, before it is let go
    this.#happens({ kind: isJoined ? "admitted" : "not_admitted" });
  }

  #joined(): JoinedWord[] {
    return this.#words.filter((word) => word.kind === "joined");
  }

  #left(): LeftWord[] {
    return this.#words.filter((word) => word.kind === "left");
  }

  async #say(): Promise<void> {
    const joined = this.#joined().map(({ signed }) => signed);
    const left = this.#left().map(({ machine, sentence }) => ({ signingKey: fromHex(machine)!, sentence }));
    await this.#guest!.say(OUTCOME.encode({ isJoined: joined.length > 0, joined, left }));
  }

  /** What the machines have signed goes to the new device; when it has kept that, the machines hear so. */
  async #handOver(): Promise<void> {
    const { clock, limits } = this.#options;
    const kept = Promise.withResolvers<boolean>();
    this.#onKept = kept.resolve;
    const cancel = clock.timer(limits.handshakeMs, () => kept.resolve(false));
    await this.#say().catch(() => kept.resolve(false));
    const isKept = await kept.promise;
    cancel();
    if (!isKept) {
      this.#carryOut({ kind: "let_go", guest: this.#guestCount });
      return this.#end("left");
    }
    this.#forget();
    const lost = await this.#introductions.kept(this.#joined());
    const joined = this.#joined().filter(({ machine }) => !lost.some((one) => one.machine === machine));
    this.#over.resolve({ candidate: this.#introduced!, joined, left: [...this.#left(), ...lost] });
  }

  async #end(how: PairingEnd): Promise<void> {
    this.#forget();
    await this.#introductions.takeBack(this.#joined());
    this.#over.reject(how === "failed" && this.#words.length > 0 ? errors.nowhere(this.#left()) : errors.ended(how));
  }

  #forget(): void {
    this.#cancelCode();
    this.#cancelEnd();
    this.#leave();
  }
}

/** Before the end of all of it, what the machines have said is handed over. */
const END_SLACK_MS = 12_000;
