import { WarrenError } from "../../protocol/errors.ts";
import type { ExchangeKey, SealingCrypto } from "../../sealing/crypto.ts";
import {
  decodeLive,
  encodeLive,
  isSessionRefused,
  LIVE_ANSWER,
  type LiveFrame,
  livePrologue,
} from "../../sealing/live.ts";
import { Handshake } from "../../sealing/noise/handshake.ts";
import { NOISE_MESSAGE_BYTES_MAX, SESSION_AGE_MS_MAX, type Transport } from "../../sealing/noise/transport.ts";
import type { Channel, ChannelEvents } from "./channel.ts";
import { machineBroken, machineRefuses, machineSilent } from "./errors.ts";
import type { DeviceLimits } from "./limits.ts";
import { closeError, LiveStream, type StreamEvents } from "./live-stream.ts";
import type { RemoteClock } from "./world.ts";

/**
 * The device's end of a live session with one machine through one hub: Noise IK as the initiator, then streams (docs/remote-design.md, Channels).
 *
 * 1. Nothing is sent of a stream before the machine has shown that it holds the key that it had when this device joined.
 * 2. A machine, or a hub, that breaks the form, the seal or a bound ends the session, and nothing else.
 * 3. A session that is silent for 4 s is pinged from end to end, so that a hub which keeps frames back is found out in 8 s.
 */
export interface LiveSessionOptions {
  /** Opens the channel; undefined: the hub is not connected. */
  open(events: ChannelEvents): Channel | undefined;
  /** The hub's fingerprint, the machine's login key there, and ours. */
  context: { hub: Uint8Array; space: Uint8Array; loginKey: Uint8Array };
  own: ExchangeKey;
  /** The machine's X25519 key. */
  theirs: Uint8Array;
  /** The machine, in errors. */
  name: string;
  crypto: SealingCrypto;
  clock: RemoteClock;
  limits: DeviceLimits;
}

export class LiveSession {
  readonly #options: LiveSessionOptions;
  readonly #streams = new Map<number, LiveStream>();
  readonly #control: LiveFrame[] = [];
  readonly #ready = Promise.withResolvers<{ wallMs: number; heads: Uint8Array }>();
  readonly #ended = Promise.withResolvers<WarrenError>();
  readonly #channel: Channel | undefined;
  #handshake: Handshake | undefined;
  #transport: Transport | undefined;
  #last: Promise<void> = Promise.resolve();
  #nextStream = 1;
  #isPumping = false;
  #isOver = false;
  #openedAtMs = 0;
  #heardMs = 0;
  #isPinged = false;
  #cancelWatch: () => void;

  constructor(options: LiveSessionOptions) {
    this.#options = options;
    const { clock, limits, name } = options;
    this.#ready.promise.catch(() => {});
    this.#cancelWatch = clock.timer(limits.handshakeMs, () => this.end(machineSilent(name)));
    this.#channel = options.open({
      onData: (bytes) => this.#hear(bytes),
      onRoom: () => void this.#pump(),
      onClosed: (reason) => this.end(reason === "refused" ? machineRefuses(name) : machineSilent(name)),
    });
    if (this.#channel) this.#last = this.#start(this.#channel);
    else this.end(machineSilent(name));
  }

  /** The machine's clock and what its streams come to; rejects when there is no session. */
  get ready(): Promise<{ wallMs: number; heads: Uint8Array }> {
    return this.#ready.promise;
  }

  get ended(): Promise<WarrenError> {
    return this.#ended.promise;
  }

  get isLive(): boolean {
    return this.#transport !== undefined && !this.#isOver;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** @param target `primary`, or a unit's id */
  stream(target: string, events: StreamEvents): LiveStream {
    const number = this.#nextStream++;
    const stream = new LiveStream({
      number,
      target,
      events: {
        onBytes: events.onBytes,
        onClosed: (why) => {
          this.#streams.delete(number);
          events.onClosed(why);
        },
      },
      waitingBytesMax: this.#options.limits.streamWaitingBytes,
      onMore: () => void this.#pump(),
    });
    if (this.#isOver) queueMicrotask(() => stream.ended(undefined));
    else this.#streams.set(number, stream);
    void this.#pump();
    return stream;
  }

  end(error: WarrenError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelWatch();
    this.#ready.reject(error);
    for (const stream of [...this.#streams.values()]) stream.ended(undefined);
    this.#streams.clear();
    this.#channel?.close();
    this.#ended.resolve(error);
  }

  async #start(channel: Channel): Promise<void> {
    const { crypto, context, own, theirs, name } = this.#options;
    try {
      const prologue = livePrologue(context);
      this.#handshake = await Handshake.start(crypto, { pattern: "IK", isInitiator: true, prologue, own, theirs });
      channel.send(await this.#handshake.write(new Uint8Array(0)));
    } catch (error) {
      if (!(error instanceof WarrenError)) throw error;
      this.end(machineBroken(name));
    }
  }

  /** One message after another: a handshake's step takes a while. */
  #hear(bytes: Uint8Array): void {
    this.#last = this.#last.then(() => this.#take(bytes));
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const { name, clock } = this.#options;
    if (this.#isOver) return;
    try {
      if (!this.#transport) await this.#shakeHands(bytes);
      else this.#onFrame(decodeLive(await this.#transport.open(bytes)));
      this.#heardMs = clock.monotonicMs();
      this.#isPinged = false;
      this.#channel?.take(bytes.length);
    } catch (error) {
      if (!(error instanceof WarrenError)) throw error;
      this.end(machineBroken(name));
    }
  }

  async #shakeHands(message: Uint8Array): Promise<void> {
    const { clock, name } = this.#options;
    if (isSessionRefused(message)) return this.end(machineRefuses(name));
    const answer = LIVE_ANSWER.decode(await this.#handshake!.read(message));
    const transport = await this.#handshake!.transport();
    if (this.#isOver) return;
    this.#transport = transport;
    this.#openedAtMs = this.#heardMs = clock.monotonicMs();
    this.#cancelWatch();
    this.#watch();
    this.#ready.resolve({ wallMs: answer.wallMs, heads: answer.heads.slice() });
    void this.#pump();
  }

  #onFrame(frame: LiveFrame): void {
    if (frame.kind === "ping") return this.#say({ kind: "pong", token: frame.token });
    if (frame.kind === "pong") return;
    if (frame.kind === "open") return this.end(machineBroken(this.#options.name)); // streams are ours to open
    const stream = this.#streams.get(frame.stream);
    if (!stream) return; // it has just been closed here
    if (frame.kind === "credit") return stream.credited(frame.bytes);
    if (frame.kind === "close") return stream.ended(closeError(frame));
    if (!stream.hear(frame.bytes)) this.end(machineBroken(this.#options.name));
  }

  #say(frame: LiveFrame): void {
    this.#control.push(frame);
    // A machine that pings and takes no answer.
    if (this.#control.length > CONTROL_FRAMES_MAX) return this.end(machineBroken(this.#options.name));
    void this.#pump();
  }

  /** Sends what there is, as far as the channel has room; streams take turns. */
  async #pump(): Promise<void> {
    const channel = this.#channel;
    if (this.#isPumping || !this.#transport || !channel) return;
    this.#isPumping = true;
    try {
      while (!this.#isOver && channel.roomBytes >= NOISE_MESSAGE_BYTES_MAX) {
        const frame = this.#control.shift() ?? this.#nextOfStreams();
        if (!frame) break;
        channel.send(await this.#transport.seal(encodeLive(frame)));
      }
    } catch (error) {
      if (!(error instanceof WarrenError)) throw error;
      this.end(machineBroken(this.#options.name));
    } finally {
      this.#isPumping = false;
    }
  }

  #nextOfStreams(): LiveFrame | undefined {
    for (const [number, stream] of [...this.#streams]) {
      const frame = stream.take();
      if (!frame) continue;
      if (this.#streams.delete(number)) this.#streams.set(number, stream); // behind the others
      return frame;
    }
    return undefined;
  }

  #watch(): void {
    const { clock, limits, name } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#transport?.isSpent({ openedAtMs: this.#openedAtMs, nowMs })) return this.end(machineSilent(name)); // the next dial makes another
    const silentMs = nowMs - this.#heardMs;
    if (this.#isPinged && silentMs >= limits.silenceMs + limits.pongMs) return this.end(machineSilent(name));
    if (!this.#isPinged && silentMs >= limits.silenceMs) {
      this.#isPinged = true;
      this.#say({ kind: "ping", token: 0 });
    }
    const limitMs = this.#isPinged ? limits.silenceMs + limits.pongMs : limits.silenceMs;
    const leftMs = Math.min(limitMs - silentMs, SESSION_AGE_MS_MAX - (nowMs - this.#openedAtMs));
    this.#cancelWatch = clock.timer(Math.max(1, leftMs), () => this.#watch());
  }
}

/** Frames that wait besides streams' bytes; past it the session ends. */
const CONTROL_FRAMES_MAX = 1_000;
