import type { Clock } from "../platform/clock.ts";
import { messageOf, WarrenError } from "../protocol/errors.ts";
import type { SealingCrypto, SigningKey } from "../sealing/crypto.ts";
import { decodeFrame, encodeFrame, type Frame, type FrameOf } from "../sealing/frames.ts";
import { isWelcomeSigned, type LoginFacts, makeLogin } from "../sealing/login.ts";
import { hubLost, hubSilent, hubUntrue } from "./errors.ts";
import { type HeldBytes, HubChannel } from "./hub-channel.ts";
import type { RemoteLimits } from "./limits.ts";
import type { FrameWire, HubNetwork } from "./network.ts";

/**
 * One connection to a hub, from the dial to its end: the login, the hub's own proof, requests and their answers, channels.
 *
 * 1. Nothing but the login is sent before the hub has shown that it holds the key that we know.
 * 2. Frames are taken in the order in which they came.
 * 3. Whatever goes wrong ends it, once, with why; its channels and requests end with it.
 */
export interface ContactOptions {
  address: string;
  hubKey: Uint8Array;
  loginKey: SigningKey;
  /** The hub may not know our key yet. */
  isNew: boolean;
  invitation?: Uint8Array | undefined;
  network: HubNetwork;
  crypto: SealingCrypto;
  clock: Clock;
  limits: RemoteLimits;
  /** What waits for us there. */
  records: RecordSink;
  events: ContactEvents;
}

/** Where the hub's records go. */
export interface RecordSink {
  /** Up to here they are taken. */
  readonly cursor: number;
  /** The hub has let us in; records follow. `missed`: its welcome says that something came, or is gone. */
  begin(missed: { head: number; floor: number } | undefined): void;
  /** Throws: the connection is given up. */
  hear(place: number, bytes: Uint8Array): void;
}

export interface ContactEvents {
  /** Another end wants to speak; whoever does not listen to the channel in this turn loses what it says. */
  onOpened(channel: HubChannel): void;
  onMet(channel: HubChannel, id: Uint8Array): void;
}

/** Of the requests: all that the hub answers by their number. */
type Asked = FrameOf<"admit"> | FrameOf<"expel"> | FrameOf<"rendezvous"> | FrameOf<"put">;
export type Ask = { [Kind in Asked["kind"]]: Omit<Extract<Asked, { kind: Kind }>, "request"> }[Asked["kind"]];

interface Waiting {
  resolve: () => void;
  reject: (error: WarrenError) => void;
  cancel: () => void;
}

export class HubContact {
  readonly #options: ContactOptions;
  readonly #gone = new AbortController();
  readonly #welcomed = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<WarrenError>();
  readonly #channels = new Map<number, HubChannel>();
  readonly #held: HeldBytes = { total: 0 };
  readonly #requests = new Map<number, Waiting>();
  #wire: FrameWire | undefined;
  #last: Promise<void> = Promise.resolve();
  #facts: LoginFacts | undefined;
  #cursor = 0;
  #isReady = false;
  #nextRequest = 1;
  #heardMs: number;
  #isPinged = false;
  #cancelWatch: () => void;

  constructor(options: ContactOptions) {
    this.#options = options;
    const { clock, limits, address } = options;
    this.#heardMs = clock.monotonicMs();
    this.#cancelWatch = clock.timer(limits.contactMs, () => this.end(hubSilent(address)));
    this.#welcomed.promise.catch(() => {});
    void this.#dial();
  }

  /** Rejects when the hub does not let us in, or cannot show who it is. */
  get welcomed(): Promise<void> {
    return this.#welcomed.promise;
  }

  /** Why it has ended. */
  get ended(): Promise<WarrenError> {
    return this.#ended.promise;
  }

  /** Resolves when the hub has done it and written it down. @throws HUB_LOST, HUB_SILENT, and what the hub refuses */
  ask(ask: Ask): Promise<void> {
    if (this.#gone.signal.aborted || !this.#isReady) return Promise.reject(hubLost());
    const request = this.#nextRequest++;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { clock, limits, address } = this.#options;
    const cancel = clock.timer(limits.answerMs, () => this.end(hubSilent(address)));
    this.#requests.set(request, { resolve, reject, cancel });
    this.#send({ ...ask, request } as Frame);
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
    this.#wire?.close();
    this.#welcomed.reject(error);
    for (const { reject, cancel } of this.#requests.values()) {
      cancel();
      reject(hubLost());
    }
    this.#requests.clear();
    for (const channel of [...this.#channels.values()]) channel.ended("gone");
    this.#ended.resolve(error);
  }

  async #dial(): Promise<void> {
    const { network, address } = this.#options;
    const events = {
      onFrame: (bytes: Uint8Array) => this.#hear(bytes),
      onClosed: () => this.end(hubLost()),
    };
    try {
      const wire = await network.dial(address, events, this.#gone.signal);
      if (this.#gone.signal.aborted) wire.close();
      else this.#wire = wire;
    } catch (error) {
      this.end(error instanceof WarrenError ? error : hubLost());
    }
  }

  #send(frame: Frame): void {
    this.#wire?.send(encodeFrame(frame));
  }

  #hear(bytes: Uint8Array): void {
    this.#heardMs = this.#options.clock.monotonicMs();
    this.#isPinged = false;
    this.#last = this.#last.then(() => this.#take(bytes));
  }

  async #take(bytes: Uint8Array): Promise<void> {
    if (this.#gone.signal.aborted) return;
    const { address } = this.#options;
    try {
      const frame = decodeFrame(bytes);
      if (frame.kind === "refused") this.end(refusalOf(frame));
      else if (this.#isReady) this.#answer(frame);
      else if (frame.kind === "hello") await this.#login(frame.nonce);
      else if (frame.kind === "welcome") await this.#welcome(frame);
      else if (frame.kind === "ping") this.#send({ kind: "pong", token: frame.token });
      else throw hubUntrue(address);
    } catch (error) {
      this.end(error instanceof WarrenError ? error : new WarrenError("HUB_UNTRUE", messageOf(error)));
    }
  }

  async #login(hubNonce: Uint8Array): Promise<void> {
    const { crypto, hubKey, loginKey, isNew, invitation, address, records } = this.#options;
    this.#cursor = records.cursor;
    if (this.#facts) throw hubUntrue(address);
    const { login, facts } = await makeLogin(crypto, {
      hubKey,
      hubNonce: hubNonce.slice(),
      key: loginKey,
      role: "machine",
      cursor: this.#cursor,
      isNew,
      ...(invitation === undefined ? {} : { invitation }),
    });
    this.#facts = facts;
    this.#send({ kind: "login", ...login });
  }

  async #welcome(welcome: FrameOf<"welcome">): Promise<void> {
    const { crypto, address, records } = this.#options;
    const facts = this.#facts;
    const cursor = this.#cursor;
    if (!facts || !(await isWelcomeSigned(crypto, { welcome, facts, cursor }))) throw hubUntrue(address);
    if (this.#gone.signal.aborted) return;
    records.begin(welcome.missed);
    this.#isReady = true;
    this.#cancelWatch();
    this.#watch();
    this.#welcomed.resolve();
  }

  #answer(frame: Frame): void {
    switch (frame.kind) {
      case "ping":
        return this.#send({ kind: "pong", token: frame.token });
      case "done":
        return this.#settle(frame.request)?.resolve();
      case "failed":
        return this.#settle(frame.request)?.reject(refusalOf(frame));
      case "opened":
        return this.#options.events.onOpened(this.#newChannel(frame));
      case "met":
        return this.#options.events.onMet(this.#newChannel(frame), frame.id.slice());
      case "data":
        this.#channels.get(frame.channel)?.hear(frame.bytes);
        if (this.#held.total > this.#options.limits.heldBytes) throw hubUntrue(this.#options.address);
        return;
      case "credit":
        return this.#channels.get(frame.channel)?.credited(frame.bytes);
      case "close":
        return this.#channels.get(frame.channel)?.ended(frame.reason);
      case "record":
        return this.#options.records.hear(frame.place, frame.record);
      case "pong":
        return;
      default:
        throw hubUntrue(this.#options.address);
    }
  }

  #newChannel({ channel: number, loginKey }: { channel: number; loginKey: Uint8Array }): HubChannel {
    const { limits, address } = this.#options;
    if (this.#channels.has(number) || this.#channels.size >= limits.channels) throw hubUntrue(address);
    const channel = new HubChannel({
      number,
      loginKey: loginKey.slice(),
      send: (frame) => this.#send(frame),
      onGone: () => this.#channels.delete(number),
      held: this.#held,
    });
    this.#channels.set(number, channel);
    return channel;
  }

  #settle(request: number): Waiting | undefined {
    const waiting = this.#requests.get(request);
    this.#requests.delete(request);
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

const refusalOf = ({ code, sentence, fix }: { code: string; sentence: string; fix: string }): WarrenError =>
  new WarrenError(code, sentence, fix === "" ? {} : { fix });
