import { messageOf, WarrenError } from "../protocol/errors.ts";
import type { SealingCrypto, SigningKey } from "../sealing/crypto.ts";
import { decodeFrame, encodeFrame, type Frame, type FrameKind, type FrameOf } from "../sealing/frames.ts";
import { isWelcomeSigned, type LoginFacts, makeLogin, type Role } from "../sealing/login.ts";
import { Channel, type ChannelEvents, type HeldBytes } from "./channel.ts";
import { hubFloods, hubLost, hubRefusal, hubSilent, hubUntrue } from "./errors.ts";
import { HubQuota } from "./hub-quota.ts";
import type { ContactLimits } from "./limits.ts";
import type { HubNetwork, HubWire, RemoteClock } from "./network.ts";
import { SilenceWatch } from "./silence.ts";

/**
 * One connection of a member to a hub, from the dial to its end: the login, the hub's own proof, requests and their answers, channels, records.
 *
 * 1. Nothing but the login is sent before the hub has shown that it holds the key that we know.
 * 2. Frames are taken one after the other, in the order in which they came; what waits to be taken is bounded.
 * 3. Whatever goes wrong ends it, once, with why; its channels and requests end with it.
 */
export interface ContactOptions {
  address: string;
  hubKey: Uint8Array;
  loginKey: SigningKey;
  role: Role;
  /** The hub may not know our key yet: it gets the whole of it, and the invitation. */
  isNew?: boolean;
  invitation?: Uint8Array | undefined;
  /** The last place that is in our store; asked when the hub says hello. Default: 0. */
  cursor?: () => number;
  network: HubNetwork;
  crypto: SealingCrypto;
  clock: RemoteClock;
  limits: ContactLimits;
  events: ContactEvents;
}

/** What was missed, as the hub says in its welcome; undefined: nothing. `floor` above the cursor is a gap. */
export type Missed = { head: number; floor: number } | undefined;

export interface ContactEvents {
  /** The dial is over: the other end shows now who it is. */
  onChecking?(): void;
  /** The hub has let us in; what it has for us follows. */
  onWelcome?(missed: Missed): void;
  onPresence?(space: Uint8Array, isPresent: boolean): void;
  /** In the order of the hub's places; the next frame is not taken before this is over. `record` is a view. Throws: the connection is given up. */
  onRecord?(place: number, record: Uint8Array): void | Promise<void>;
  /** Another end wants to speak; whoever does not listen to the channel in this turn loses what it says. */
  onOpened?(channel: Channel): void;
  onMet?(channel: Channel, id: Uint8Array): void;
}

/** Of the requests: all that the hub answers by their number. */
type Asked = FrameOf<"admit"> | FrameOf<"expel"> | FrameOf<"rendezvous"> | FrameOf<"put">;
export type Ask = { [Kind in Asked["kind"]]: Omit<Extract<Asked, { kind: Kind }>, "request"> }[Asked["kind"]];

/** What a hub may send to whom once it has let it in, besides pings; anything else comes from no hub. */
const HEARD: Readonly<Record<Role, ReadonlySet<FrameKind>>> = {
  machine: new Set<FrameKind>(["done", "failed", "data", "credit", "close", "record", "opened", "met"]),
  device: new Set<FrameKind>(["done", "failed", "data", "credit", "close", "record", "presence", "met"]),
  guest: new Set<FrameKind>(["data", "credit", "close"]),
};

const PONG_EVERY_MS = 1_000;

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
  readonly #channels = new Map<number, Channel>();
  readonly #held: HeldBytes = { total: 0 };
  readonly #requests = new Map<number, Waiting>();
  readonly #quota: HubQuota;
  readonly #cancelDeadline: () => void;
  #silence: SilenceWatch | undefined;
  #wire: HubWire | undefined;
  #last: Promise<void> = Promise.resolve();
  #login: { facts: LoginFacts; cursor: number } | undefined;
  #isReady = false;
  #nextNumber = 1;
  #pongedMs = Number.NEGATIVE_INFINITY;

  constructor(options: ContactOptions) {
    this.#options = options;
    const { clock, limits, address } = options;
    this.#quota = new HubQuota({ clock, limits, onFlood: () => this.end(hubFloods(address)) });
    this.#cancelDeadline = clock.timer(limits.contactMs, () => this.end(hubSilent(address)));
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

  get hasEnded(): boolean {
    return this.#gone.signal.aborted;
  }

  /** As a device: to the machine of that space; what is wrong with it is said by its close. Undefined: not connected. */
  open(space: Uint8Array, events: ChannelEvents): Channel | undefined {
    return this.#openChannel(events, (channel) => ({ kind: "open", channel, space }));
  }

  /** As a guest: to whoever waits there. */
  meet(id: Uint8Array, events: ChannelEvents): Channel | undefined {
    return this.#openChannel(events, (channel) => ({ kind: "meet", channel, id }));
  }

  /** Resolves when the hub has done it and written it down. @throws HUB_LOST, and what the hub refuses */
  ask(ask: Ask): Promise<void> {
    if (!this.#isReady) return Promise.reject(hubLost());
    const request = this.#nextNumber++;
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
    if (this.hasEnded) return;
    this.#gone.abort();
    this.#isReady = false;
    this.#cancelDeadline();
    this.#silence?.close();
    this.#quota.close();
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
    const { network, address, events } = this.#options;
    const wireEvents = { onFrame: (bytes: Uint8Array) => this.#hear(bytes), onClosed: () => this.end(hubLost()) };
    try {
      const wire = await network.dial(address, wireEvents, this.#gone.signal);
      if (this.hasEnded) return wire.close();
      this.#wire = wire;
      this.#quota.on(wire);
      events.onChecking?.();
    } catch (error) {
      this.end(error instanceof WarrenError ? error : hubLost());
    }
  }

  #send(frame: Frame): void {
    if (!this.hasEnded) this.#wire?.send(encodeFrame(frame));
  }

  #hear(bytes: Uint8Array): void {
    if (this.hasEnded) return;
    this.#silence?.heard();
    this.#quota.came(bytes.length);
    this.#last = this.#last.then(async () => {
      await this.#take(bytes);
      this.#quota.done(bytes.length);
    });
  }

  async #take(bytes: Uint8Array): Promise<void> {
    if (this.hasEnded) return;
    const { role, address } = this.#options;
    try {
      const frame = decodeFrame(bytes);
      if (frame.kind === "refused") this.end(hubRefusal(frame));
      else if (frame.kind === "ping") this.#pong(frame.token);
      else if (this.#isReady && frame.kind === "pong") return;
      else if (this.#isReady && HEARD[role].has(frame.kind)) await this.#answer(frame);
      else if (!this.#login && frame.kind === "hello") await this.#logIn(frame.nonce);
      else if (!this.#isReady && frame.kind === "welcome") await this.#onWelcome(frame);
      else throw hubUntrue(address);
    } catch (error) {
      this.end(error instanceof WarrenError ? error : new WarrenError("HUB_UNTRUE", messageOf(error)));
    }
  }

  /** Of pings that follow each other faster than any hub needs one is answered: what is sent to a hub that does not read stays little. */
  #pong(token: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#pongedMs < PONG_EVERY_MS) return;
    this.#pongedMs = nowMs;
    this.#send({ kind: "pong", token });
  }

  async #logIn(nonce: Uint8Array): Promise<void> {
    const { crypto, hubKey, loginKey: key, role, isNew = false, invitation } = this.#options;
    const cursor = this.#options.cursor?.() ?? 0;
    const wanted = { hubKey, hubNonce: nonce.slice(), key, role, cursor, isNew };
    const { login, facts } = await makeLogin(crypto, invitation === undefined ? wanted : { ...wanted, invitation });
    this.#login = { facts, cursor };
    this.#send({ kind: "login", ...login });
  }

  async #onWelcome(welcome: FrameOf<"welcome">): Promise<void> {
    const { crypto, address, clock, limits, events } = this.#options;
    if (!this.#login || !(await isWelcomeSigned(crypto, { welcome, ...this.#login }))) throw hubUntrue(address);
    if (this.hasEnded) return;
    this.#isReady = true;
    this.#cancelDeadline();
    this.#silence = new SilenceWatch({
      clock,
      limits,
      ping: () => this.#send({ kind: "ping", token: 0 }),
      onSilent: () => this.end(hubSilent(address)),
    });
    events.onWelcome?.(welcome.missed);
    this.#welcomed.resolve();
  }

  #answer(frame: Frame): void | Promise<void> {
    const { events } = this.#options;
    switch (frame.kind) {
      case "done":
        return this.#settle(frame.request)?.resolve();
      case "failed":
        return this.#settle(frame.request)?.reject(hubRefusal(frame));
      case "presence":
        return events.onPresence?.(frame.space.slice(), frame.isPresent);
      case "record":
        return events.onRecord?.(frame.place, frame.record);
      case "opened":
        return events.onOpened?.(this.#arrived(frame));
      case "met":
        return events.onMet?.(this.#arrived(frame), frame.id.slice());
      case "data":
        return this.#onData(frame);
      case "credit":
        return this.#channels.get(frame.channel)?.credited(frame.bytes);
      case "close":
        return this.#channels.get(frame.channel)?.ended(frame.reason);
    }
  }

  #onData({ channel, bytes }: FrameOf<"data">): void {
    this.#channels.get(channel)?.hear(bytes);
    const { limits, address } = this.#options;
    if (this.#held.total > limits.heldBytes) throw hubFloods(address);
  }

  #arrived({ channel: number, loginKey }: { channel: number; loginKey: Uint8Array }): Channel {
    const { limits, address } = this.#options;
    if (this.#channels.has(number) || this.#channels.size >= limits.channels) throw hubUntrue(address);
    return this.#newChannel(number, loginKey.slice());
  }

  #openChannel(events: ChannelEvents, frameOf: (number: number) => Frame): Channel | undefined {
    if (!this.#isReady) return undefined;
    const number = this.#nextNumber++;
    const channel = this.#newChannel(number, this.#options.loginKey.publicKey);
    channel.listen(events);
    this.#send(frameOf(number));
    return channel;
  }

  #newChannel(number: number, loginKey: Uint8Array): Channel {
    const channel = new Channel({
      number,
      loginKey,
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
}
