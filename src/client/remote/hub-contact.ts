import { messageOf, WarrenError } from "../../protocol/errors.ts";
import type { SealingCrypto, SigningKey } from "../../sealing/crypto.ts";
import { decodeFrame, encodeFrame, type Frame, type FrameOf } from "../../sealing/frames.ts";
import { isWelcomeSigned, type LoginFacts, makeLogin } from "../../sealing/login.ts";
import { Channel, type ChannelEvents } from "./channel.ts";
import { hubFloods, hubLost, hubSilent, hubUntrue, recordNotKept } from "./errors.ts";
import { HubQuota } from "./hub-quota.ts";
import type { DeviceLimits } from "./limits.ts";
import { shownSentence } from "./shown-text.ts";
import type { HubNetwork, HubWire, RemoteClock } from "./world.ts";

/**
 * One connection of this device to a hub, from the dial to its end: the login, the hub's own proof, channels, records.
 *
 * 1. Nothing but the login is sent before the hub has shown that it holds the key that we know.
 * 2. Frames are taken one after the other, in the order in which they came.
 * 3. Whatever goes wrong ends it, once, with why; its channels and puts end with it.
 */
export interface ContactOptions {
  address: string;
  hubKey: Uint8Array;
  loginKey: SigningKey;
  role: "device" | "guest";
  /** The last place that is in our store. */
  cursor: number;
  network: HubNetwork;
  crypto: SealingCrypto;
  clock: RemoteClock;
  limits: DeviceLimits;
  events: ContactEvents;
}

export interface ContactEvents {
  /** The dial is over: the other end shows now who it is. */
  onChecking?(): void;
  onPresence?(space: Uint8Array, isPresent: boolean): void;
  /** In the order of the hub's places; the next is not taken before this one is over. `record` is a view. */
  onRecord?(place: number, record: Uint8Array): Promise<void>;
}

interface Waiting {
  resolve: () => void;
  reject: (error: WarrenError) => void;
  cancel: () => void;
}

/** What was missed, as the hub says in its welcome; undefined: nothing. `floor` above the cursor is a gap. */
export type Missed = { head: number; floor: number } | undefined;

export class HubContact {
  readonly #options: ContactOptions;
  readonly #gone = new AbortController();
  readonly #welcomed = Promise.withResolvers<Missed>();
  readonly #ended = Promise.withResolvers<WarrenError>();
  readonly #channels = new Map<number, Channel>();
  readonly #puts = new Map<number, Waiting>();
  readonly #quota: HubQuota;
  #wire: HubWire | undefined;
  #last: Promise<void> = Promise.resolve();
  #facts: LoginFacts | undefined;
  #isReady = false;
  #nextNumber = 1;
  #heardMs: number;
  #isPinged = false;
  #cancelWatch: () => void;

  constructor(options: ContactOptions) {
    this.#options = options;
    const { clock, limits, address } = options;
    this.#heardMs = clock.monotonicMs();
    this.#quota = new HubQuota({ clock, limits, onFlood: () => this.end(hubFloods(address)) });
    this.#cancelWatch = clock.timer(limits.contactMs, () => this.end(hubSilent(address)));
    this.#welcomed.promise.catch(() => {});
    void this.#dial();
  }

  /** Rejects when the hub does not let us in, or cannot show who it is. */
  get welcomed(): Promise<Missed> {
    return this.#welcomed.promise;
  }

  /** Why it has ended. */
  get ended(): Promise<WarrenError> {
    return this.#ended.promise;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** To the machine of that space; what is wrong with it is said by its close. Undefined: not connected. */
  open(space: Uint8Array, events: ChannelEvents): Channel | undefined {
    return this.#channel(events, (channel) => ({ kind: "open", channel, space }));
  }

  /** As a guest: to the machine that waits there. */
  meet(id: Uint8Array, events: ChannelEvents): Channel | undefined {
    return this.#channel(events, (channel) => ({ kind: "meet", channel, id }));
  }

  /** Resolves when the hub has the record in its store. @throws HUB_LOST, and what the hub refuses */
  put(record: Uint8Array): Promise<void> {
    if (!this.#isReady) return Promise.reject(hubLost());
    const request = this.#nextNumber++;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { clock, limits, address } = this.#options;
    const cancel = clock.timer(limits.answerMs, () => this.end(hubSilent(address)));
    this.#puts.set(request, { resolve, reject, cancel });
    this.#send({ kind: "put", request, record });
    return promise;
  }

  /** Everything up to here is in our store. */
  took(place: number): void {
    if (this.#isReady) this.#send({ kind: "took", place });
  }

  end(error: WarrenError): void {
    if (this.#gone.signal.aborted) return;
    this.#gone.abort();
    this.#isReady = false;
    this.#cancelWatch();
    this.#quota.close();
    this.#wire?.close();
    this.#welcomed.reject(error);
    for (const { reject, cancel } of this.#puts.values()) {
      cancel();
      reject(hubLost());
    }
    this.#puts.clear();
    for (const channel of [...this.#channels.values()]) channel.ended("gone");
    this.#ended.resolve(error);
  }

  #channel(events: ChannelEvents, frameOf: (number: number) => Frame): Channel | undefined {
    if (!this.#isReady) return undefined;
    const number = this.#nextNumber++;
    const channel = new Channel(number, {
      send: (frame) => this.#send(frame),
      onGone: () => this.#channels.delete(number),
      events,
    });
    this.#channels.set(number, channel);
    this.#send(frameOf(number));
    return channel;
  }

  async #dial(): Promise<void> {
    const { network, address, events } = this.#options;
    const wireEvents = {
      onFrame: (bytes: Uint8Array) => this.#hear(bytes),
      onClosed: () => this.end(hubLost()),
    };
    try {
      const wire = await network.dial(address, wireEvents, this.#gone.signal);
      if (this.#gone.signal.aborted) return wire.close();
      this.#wire = wire;
      this.#quota.on(wire);
      events.onChecking?.();
    } catch (error) {
      this.end(error instanceof WarrenError ? error : hubLost());
    }
  }

  #send(frame: Frame): void {
    if (!this.#gone.signal.aborted) this.#wire?.send(encodeFrame(frame));
  }

  #hear(bytes: Uint8Array): void {
    if (this.#gone.signal.aborted) return;
    this.#heardMs = this.#options.clock.monotonicMs();
    this.#isPinged = false;
    this.#quota.came(bytes.length);
    this.#last = this.#last.then(async () => {
      await this.#take(bytes);
      this.#quota.done(bytes.length);
    });
  }

  async #take(bytes: Uint8Array): Promise<void> {
    if (this.#gone.signal.aborted) return;
    const { address } = this.#options;
    try {
      const frame = decodeFrame(bytes);
      if (frame.kind === "refused") this.end(refusalOf(frame));
      else if (frame.kind === "ping") this.#send({ kind: "pong", token: frame.token });
      else if (this.#isReady) await this.#answer(frame);
      else if (frame.kind === "hello") await this.#login(frame.nonce);
      else if (frame.kind === "welcome") await this.#welcome(frame);
      else throw hubUntrue(address);
    } catch (error) {
      this.end(error instanceof WarrenError ? error : new WarrenError("HUB_UNTRUE", messageOf(error)));
    }
  }

  async #login(hubNonce: Uint8Array): Promise<void> {
    const { crypto, hubKey, loginKey, role, cursor, address } = this.#options;
    if (this.#facts) throw hubUntrue(address);
    const wanted = { hubKey, hubNonce: hubNonce.slice(), key: loginKey, role, cursor };
    const { login, facts } = await makeLogin(crypto, wanted);
    this.#facts = facts;
    this.#send({ kind: "login", ...login });
  }

  async #welcome(welcome: FrameOf<"welcome">): Promise<void> {
    const { crypto, address, cursor } = this.#options;
    const facts = this.#facts;
    if (!facts || !(await isWelcomeSigned(crypto, { welcome, facts, cursor }))) throw hubUntrue(address);
    if (this.#gone.signal.aborted) return;
    this.#isReady = true;
    this.#cancelWatch();
    this.#watch();
    this.#welcomed.resolve(welcome.missed);
  }

  async #answer(frame: Frame): Promise<void> {
    const { events, address } = this.#options;
    switch (frame.kind) {
      case "done":
        return this.#settle(frame.request)?.resolve();
      case "failed":
        return this.#settle(frame.request)?.reject(refusalOf(frame));
      case "presence":
        return events.onPresence?.(frame.space.slice(), frame.isPresent);
      case "record":
        return this.#onRecord(frame);
      case "data":
        if (this.#channels.get(frame.channel)?.hear(frame.bytes) === false) throw hubFloods(address);
        return;
      case "credit":
        return this.#channels.get(frame.channel)?.credited(frame.bytes);
      case "close":
        return this.#channels.get(frame.channel)?.ended(frame.reason);
      case "pong":
        return;
      default:
        throw hubUntrue(address);
    }
  }

  /** That it cannot be kept here is not the hub's fault; it sends it again. */
  async #onRecord({ place, record }: FrameOf<"record">): Promise<void> {
    try {
      await this.#options.events.onRecord?.(place, record);
    } catch (error) {
      this.end(recordNotKept(messageOf(error)));
    }
  }

  #settle(request: number): Waiting | undefined {
    const waiting = this.#puts.get(request);
    this.#puts.delete(request);
    waiting?.cancel();
    return waiting;
  }

  /** Four seconds of silence, then a ping, then as long for its answer: what says nothing then is gone. */
  #watch(): void {
    const { clock, limits, address } = this.#options;
    const silentMs = clock.monotonicMs() - this.#heardMs;
    if (this.#isPinged && silentMs >= limits.silenceMs + limits.pongMs) return this.end(hubSilent(address));
    if (!this.#isPinged && silentMs >= limits.silenceMs) {
      this.#isPinged = true;
      this.#send({ kind: "ping", token: 0 });
    }
    const limitMs = this.#isPinged ? limits.silenceMs + limits.pongMs : limits.silenceMs;
    this.#cancelWatch = clock.timer(Math.max(1, limitMs - silentMs), () => this.#watch());
  }
}

/** A hub's words are shown as words; what to type is never a hub's to say. */
const refusalOf = ({ code, sentence }: { code: string; sentence: string }): WarrenError =>
  new WarrenError(/^[A-Z][A-Z_]{1,40}$/.test(code) ? code : "HUB_REFUSED", shownSentence(sentence), {
    fix: FIXES[code] ?? "warren hub status      # on the hub",
  });

const FIXES: Readonly<Record<string, string>> = {
  KEY_NOT_KNOWN: "warren pair      # on the machine, for a new code",
  DEVICE_UNKNOWN: "warren pair      # on the machine, for a new code",
  EXPELLED: "warren pair      # on the machine, for a new code",
};
