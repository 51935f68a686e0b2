import { shownName } from "../contact/shown-text.ts";
import { type Clock, timestamp } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { messageOf } from "../protocol/errors.ts";
import type { DataOf } from "../protocol/messages.ts";
import type { IntroductionEnding, RemoteDevice, RemoteIntroduction } from "../protocol/remote-units.ts";
import { fromHex, toHex } from "../sealing/bytes.ts";
import type { SealingCrypto } from "../sealing/crypto.ts";
import { fingerprintText } from "../sealing/fingerprint.ts";
import { INTRODUCTION_OFFER, type IntroductionFacts, isIntroductionProof, signOffer } from "../sealing/introducing.ts";
import { fingerprintOf } from "../sealing/login.ts";
import type { Devices } from "./devices.ts";
import type { HubPlace, Hubs } from "./hubs.ts";
import { checkIntroducer, factsOf, isIn, isSame, type Wanted } from "./introduction-checks.ts";
import * as errors from "./introduction-errors.ts";
import type { KeptRoster } from "./kept-roster.ts";
import type { RemoteLimits } from "./limits.ts";
import { type OfferingMachine, offerAt } from "./pairing-offer.ts";
import { deviceBySigningKey, type RosterDevice } from "./roster.ts";

/**
 * Devices that other devices introduce to this machine (docs/remote-design.md, Pairing).
 *
 * 1. Who introduces has the scope admin, and gives nothing that it does not have: looked at when it asks, and again in the write that lets the other in.
 * 2. Where this machine asks first, nobody comes in without a yes at the machine itself.
 * 3. What was let in is taken back as long as nobody has said that the device has kept it: when who introduces goes away, or is revoked.
 * 4. The same introduction again is the same one; a device that is in already, with all of that, is told so, and nothing is done.
 */
export interface IntroductionsOptions extends OfferingMachine {
  roster: KeptRoster;
  hubs: () => Hubs;
  devices: Devices;
  crypto: SealingCrypto;
  clock: Clock;
  log: Log;
  limits: RemoteLimits;
  events: IntroductionEvents;
}

export interface IntroductionEvents {
  onWaits(introduction: RemoteIntroduction): void;
  onEnded(introduction: string, name: string, how: IntroductionEnding): void;
  onIn(device: RemoteDevice, by: string): void;
  /** `device`: as it was before. */
  onUndone(name: string, by: string, device: RemoteDevice | undefined): void;
}

export type IntroductionAnswer = DataOf<"remote.introduce">;

interface Open {
  wanted: Wanted;
  place: HubPlace;
  facts: IntroductionFacts;
  /** Undefined: this machine's own command. */
  introducer: RosterDevice | undefined;
  fingerprint: string;
  expiresMs: number;
  /** Connections on which it was asked and that are still there. */
  holders: number;
  /** A person is asked. */
  yes: PromiseWithResolvers<void> | undefined;
  isOver: boolean;
  undo: (() => Promise<void>) | undefined;
  cancelTimer: () => void;
  answer: Promise<IntroductionAnswer>;
}

/** Its own command has introduced it. */
const THIS_MACHINE = "this machine";
/** Of those that were kept, so many are remembered, for whoever says so again. */
const KEPT_MAX = 32;

export class Introductions {
  readonly #options: IntroductionsOptions;
  readonly #open = new Map<string, Open>();
  readonly #kept: string[] = [];

  constructor(options: IntroductionsOptions) {
    this.#options = options;
  }

  /**
   * @param by the device that asks, by its name here; undefined: this machine's own command
   * @param signal of its connection: without it, what was not kept is taken back
   * @throws FORBIDDEN, INTRODUCTION_REFUSED, …_UNANSWERED, …_BROKEN, INTRODUCTIONS_FULL, HUB_NOT_FOUND, and what hub and list refuse
   */
  async introduce(wanted: Wanted, by: string | undefined, signal: AbortSignal): Promise<IntroductionAnswer> {
    const known = this.#open.get(wanted.introduction);
    if (known && !isSame(known.wanted, wanted)) throw errors.introductionUsed();
    const open = known ?? (await this.#begin(wanted, by));
    this.#hold(open, signal);
    return open.answer;
  }

  /** Kept, or given up: then it is as it was. @throws INTRODUCTION_OVER: it was taken back before it was said to be kept */
  async end(introduction: string, isKept: boolean): Promise<void> {
    const open = this.#open.get(introduction);
    if (open && !isKept) return this.#giveUp(open, "cancelled");
    if (open) this.#keep(open);
    else if (isKept && !this.#kept.includes(introduction)) throw errors.introductionOver();
  }

  /** A person at this machine says yes. @throws INTRODUCTION_NOT_FOUND, and why it did not come in */
  async allow(introduction: string): Promise<RemoteDevice> {
    const open = this.#waiting(introduction);
    this.#told(open, "allowed");
    open.yes?.resolve();
    open.yes = undefined;
    return (await open.answer).device;
  }

  /** @throws INTRODUCTION_NOT_FOUND */
  refuse(introduction: string): Promise<void> {
    return this.#giveUp(this.#waiting(introduction), "refused");
  }

  /** That device is not let in any more: neither what it introduces, nor it itself. */
  async revoked(signingKey: string): Promise<void> {
    const ofIt = [...this.#open.values()].filter(
      ({ wanted, introducer }) => wanted.signing_key === signingKey || introducer?.signing_key === signingKey,
    );
    await Promise.all(ofIt.map((open) => this.#giveUp(open, "cancelled")));
  }

  /** It has a session: so it has kept what it was given. */
  cameIn(signingKey: string): void {
    for (const open of this.#open.values()) if (open.wanted.signing_key === signingKey && open.undo) this.#keep(open);
  }

  views(): RemoteIntroduction[] {
    return [...this.#open.values()].filter(({ yes }) => yes).map((open) => this.#view(open));
  }

  close(): void {
    for (const open of [...this.#open.values()]) void this.#giveUp(open, "cancelled");
  }

  async #begin(wanted: Wanted, by: string | undefined): Promise<Open> {
    const { roster, hubs, crypto, clock, limits } = this.#options;
    const place = hubs().placeOf(hubs().find(fingerprintText(fromHex(wanted.hub)!)));
    const introducer = by === undefined ? undefined : roster.now.devices.find(({ name }) => name === by);
    if (by !== undefined && !introducer) throw errors.introducerGone();
    checkIntroducer(roster.now, introducer, wanted.scopes);
    const facts = factsOf(wanted, place);
    const text = fromHex(wanted.proof)!;
    if (!(await isIntroductionProof(crypto, { facts, scopes: wanted.scopes, text }))) throw errors.introductionBroken();
    const fingerprint = fingerprintText(await fingerprintOf(crypto, facts.signingKey));
    const known = this.#open.get(wanted.introduction); // asked twice at once
    if (known) return known;
    if (this.#open.size >= limits.introductions) throw errors.introductionsFull(limits.introductions);
    const waitMs = Math.min(wanted.wait_ms, limits.introductionMs);
    const open: Open = {
      wanted,
      place,
      facts,
      introducer,
      fingerprint,
      expiresMs: clock.wallMs() + waitMs,
      holders: 0,
      yes: undefined,
      isOver: false,
      undo: undefined,
      cancelTimer: clock.timer(waitMs, () => void this.#giveUp(open, "expired")),
      answer: undefined as never,
    };
    this.#open.set(wanted.introduction, open);
    open.answer = this.#carryOut(open);
    open.answer.catch(() => this.#forget(open));
    return open;
  }

  async #carryOut(open: Open): Promise<IntroductionAnswer> {
    const { roster, devices, crypto, machine, events } = this.#options;
    const { wanted, place, facts, introducer } = open;
    const inAlready = isIn(roster.now, wanted, place.id);
    if (!inAlready) {
      if (roster.now.asks_first) await this.#yesOf(open);
      const by = introducer?.name ?? THIS_MACHINE;
      const introduced = { ...facts, name: shownName(wanted.name, "device"), platform: wanted.platform, check: "" };
      const { undo } = await devices.admit(place, introduced, wanted.scopes, {
        introducedBy: by,
        check: (now) => {
          if (open.isOver) throw errors.introductionOver();
          checkIntroducer(now, introducer, wanted.scopes);
        },
      });
      open.undo = undo;
      if (open.isOver) {
        await this.#undo(open);
        throw errors.introductionOver();
      }
      events.onIn(devices.view(deviceBySigningKey(roster.now, wanted.signing_key)!), by);
    }
    const device = deviceBySigningKey(roster.now, wanted.signing_key);
    if (!device) throw errors.introductionOver();
    const offer = offerAt(place, this.#options, device.scopes);
    const signed = await signOffer(crypto, { facts, offer, key: machine.signing });
    return { offer: toHex(INTRODUCTION_OFFER.encode({ signed })), device: devices.view(device) };
  }

  #yesOf(open: Open): Promise<void> {
    open.yes = Promise.withResolvers<void>();
    this.#options.events.onWaits(this.#view(open));
    return open.yes.promise;
  }

  #hold(open: Open, signal: AbortSignal): void {
    open.holders += 1;
    const letGo = (): void => {
      open.holders -= 1;
      if (open.holders === 0) void this.#giveUp(open, "cancelled");
    };
    if (signal.aborted) letGo();
    else signal.addEventListener("abort", letGo, { once: true });
  }

  #keep(open: Open): void {
    this.#kept.push(open.wanted.introduction);
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
    open.isOver = true;
    open.undo = undefined;
    this.#forget(open);
  }

  /** Nobody is let in any more, and who was is not. */
  async #giveUp(open: Open, how: Exclude<IntroductionEnding, "allowed">): Promise<void> {
    if (open.isOver) return;
    open.isOver = true;
    this.#forget(open);
    if (open.yes) {
      this.#told(open, how);
      open.yes.reject(WHY[how]());
      open.yes = undefined;
    }
    await this.#undo(open);
  }

  async #undo(open: Open): Promise<void> {
    const { roster, devices, log, events } = this.#options;
    const { undo, wanted, introducer } = open;
    open.undo = undefined;
    const listed = deviceBySigningKey(roster.now, wanted.signing_key);
    if (!undo || !listed) return; // never in, or revoked meanwhile
    try {
      await undo();
    } catch (error) {
      log.warn("introduction_not_undone", { error: messageOf(error) });
    }
    const before = deviceBySigningKey(roster.now, wanted.signing_key);
    events.onUndone(listed.name, introducer?.name ?? THIS_MACHINE, before && devices.view(before));
  }

  #told({ wanted }: Open, how: IntroductionEnding): void {
    this.#options.events.onEnded(wanted.introduction, shownName(wanted.name, "device"), how);
  }

  #forget(open: Open): void {
    open.cancelTimer();
    if (this.#open.get(open.wanted.introduction) === open) this.#open.delete(open.wanted.introduction);
  }

  #waiting(introduction: string): Open {
    const open = this.#open.get(introduction);
    if (!open?.yes) throw errors.introductionNotFound();
    return open;
  }

  #view({ wanted, place, introducer, fingerprint, expiresMs }: Open): RemoteIntroduction {
    const { roster } = this.#options;
    const known = deviceBySigningKey(roster.now, wanted.signing_key);
    return {
      introduction: wanted.introduction,
      name: shownName(wanted.name, "device"),
      platform: shownName(wanted.platform, "unknown"),
      scopes: [...wanted.scopes],
      fingerprint,
      hub: roster.now.hubs.find((hub) => hub.fingerprint === place.id)?.label ?? "",
      introduced_by: introducer?.name ?? THIS_MACHINE,
      expires_at: timestamp(expiresMs),
      ...(known ? { known_as: known.name } : {}),
    };
  }
}

const WHY = {
  refused: errors.introductionRefused,
  expired: errors.introductionUnanswered,
  cancelled: errors.introductionOver,
};
