import type { Channel, ChannelEvents } from "../../contact/channel.ts";
import type { RemoteClock } from "../../contact/network.ts";
import { SealedFrames } from "../../contact/sealed-frames.ts";
import { SilenceWatch } from "../../contact/silence.ts";
import { StreamSet } from "../../contact/stream-set.ts";
import { WarrenError } from "../../protocol/errors.ts";
import type { ExchangeKey, SealingCrypto } from "../../sealing/crypto.ts";
import { isSessionRefused, LIVE_ANSWER, livePrologue } from "../../sealing/live.ts";
import { Handshake } from "../../sealing/noise/handshake.ts";
import type { Transport } from "../../sealing/noise/transport.ts";
import { machineBroken, machineRefuses, machineSilent } from "./errors.ts";
import type { DeviceLimits } from "./limits.ts";
import { LiveStream, type StreamEvents } from "./live-stream.ts";

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
  readonly #streams = new StreamSet<LiveStream>();
  readonly #ready = Promise.withResolvers<{ wallMs: number; heads: Uint8Array }>();
  readonly #ended = Promise.withResolvers<WarrenError>();
  readonly #channel: Channel | undefined;
  readonly #cancelDeadline: () => void;
  #handshake: Handshake | undefined;
  #transport: Transport | undefined;
  #frames: SealedFrames | undefined;
  #silence: SilenceWatch | undefined;
  #last: Promise<void> = Promise.resolve();
  #isOver = false;
  #openedAtMs = 0;

  constructor(options: LiveSessionOptions) {
    this.#options = options;
    const { clock, limits, name } = options;
    this.#ready.promise.catch(() => {});
    this.#cancelDeadline = clock.timer(limits.handshakeMs, () => this.end(machineSilent(name)));
    this.#channel = options.open({
      onData: (bytes) => this.#hear(bytes),
      onRoom: () => this.#frames?.pump(),
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
    return this.#frames !== undefined && !this.#isOver;
  }

  /** @param target `primary`, or a unit's id */
  stream(target: string, events: StreamEvents): LiveStream {
    const waitingBytesMax = this.#options.limits.streamWaitingBytes;
    const onMore = (): void => this.#frames?.pump();
    const stream = this.#streams.open((number) => new LiveStream(number, { target, events, waitingBytesMax, onMore }));
    if (this.#isOver) queueMicrotask(() => this.#streams.end());
    else onMore();
    return stream;
  }

  end(error: WarrenError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelDeadline();
    this.#silence?.close();
    this.#ready.reject(error);
    this.#streams.end();
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
      if (!this.#frames) return await this.#shakeHands(bytes);
      await this.#frames.hear(bytes);
      this.#silence?.heard();
      // The next dial makes another.
      if (this.#transport!.isSpent({ openedAtMs: this.#openedAtMs, nowMs: clock.monotonicMs() }))
        this.end(machineSilent(name));
    } catch (error) {
      if (!(error instanceof WarrenError)) throw error;
      this.end(machineBroken(name));
    }
  }

  async #shakeHands(message: Uint8Array): Promise<void> {
    const { clock, limits, name } = this.#options;
    const channel = this.#channel!;
    if (isSessionRefused(message)) return this.end(machineRefuses(name));
    const answer = LIVE_ANSWER.decode(await this.#handshake!.read(message));
    const transport = await this.#handshake!.transport();
    channel.take(message.length);
    if (this.#isOver) return;
    const frames = new SealedFrames({
      channel,
      transport,
      take: () => this.#streams.take(),
      onFrame: (frame) => {
        // Streams are ours to open.
        if (frame.kind === "open" || !this.#streams.hear(frame)) throw machineBroken(name);
      },
      onBroken: () => this.end(machineBroken(name)),
    });
    this.#transport = transport;
    this.#frames = frames;
    this.#openedAtMs = clock.monotonicMs();
    this.#cancelDeadline();
    this.#silence = new SilenceWatch({
      clock,
      limits,
      ping: () => frames.say({ kind: "ping", token: 0 }),
      onSilent: () => this.end(machineSilent(name)),
    });
    this.#ready.resolve({ wallMs: answer.wallMs, heads: answer.heads.slice() });
    frames.pump();
  }
}
