import type { Channel } from "../contact/channel.ts";
import { SealedFrames } from "../contact/sealed-frames.ts";
import { StreamSet } from "../contact/stream-set.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { messageOf, WarrenError } from "../protocol/errors.ts";
import { toHex } from "../sealing/bytes.ts";
import type { ExchangeKey, SealingCrypto } from "../sealing/crypto.ts";
import { formInvalid } from "../sealing/errors.ts";
import type { CloseReason } from "../sealing/frames.ts";
import { LIVE_ANSWER, type LiveFrame, livePrologue, SESSION_REFUSED } from "../sealing/live.ts";
import { Handshake } from "../sealing/noise/handshake.ts";
import { SESSION_AGE_MS_MAX } from "../sealing/noise/transport.ts";
import { streamsFull } from "./errors.ts";
import type { RemoteLimits } from "./limits.ts";
import type { ConnectUnit } from "./network.ts";
import type { RosterDevice } from "./roster.ts";
import { StreamBridge } from "./stream-bridge.ts";

/**
 * The machine's end of a live session: Noise IK as the responder, then streams (docs/remote-design.md, Channels).
 *
 * 1. Whoever is not let in gets one zero byte and the channel's end, whatever the reason was.
 * 2. Nothing of a device is looked at before the handshake has shown that it holds its key, and the hub that it holds the login key that goes with it.
 * 3. A device that breaks the form, the credit or a bound loses the session, and nothing else does.
 */
export interface SessionOptions {
  channel: Channel;
  /** The hub's fingerprint, and our login key there. */
  hub: Uint8Array;
  space: Uint8Array;
  own: ExchangeKey;
  crypto: SealingCrypto;
  clock: Clock;
  log: Log;
  limits: RemoteLimits;
  connect: ConnectUnit;
  /** Undefined: not let in. */
  deviceOf(exchangeKey: string, loginKey: string): RosterDevice | undefined;
  headsDigest(): Promise<Uint8Array>;
  onOpen(session: LiveSession): void;
  onClosed(session: LiveSession): void;
}

export class LiveSession {
  readonly #options: SessionOptions;
  readonly #streams = new StreamSet<StreamBridge>();
  #device: RosterDevice | undefined;
  #frames: SealedFrames | undefined;
  #last: Promise<void> = Promise.resolve();
  #cancelDeadline: () => void;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { channel, clock, limits } = options;
    this.#cancelDeadline = clock.timer(limits.handshakeMs, () => this.#refuse());
    channel.listen({
      onData: (bytes) => this.#hear(bytes),
      onRoom: () => this.#frames?.pump(),
      onClosed: () => this.#over(),
    });
  }

  /** Whose it is; undefined before the handshake is over. */
  get device(): RosterDevice | undefined {
    return this.#device;
  }

  close(reason: CloseReason = "done"): void {
    this.#options.channel.close(reason);
  }

  #over(): void {
    this.#cancelDeadline();
    this.#streams.end();
    this.#options.onClosed(this);
  }

  /** One message after another: a handshake's step takes a while. */
  #hear(bytes: Uint8Array): void {
    this.#last = this.#last.then(() => this.#take(bytes));
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const { channel } = this.#options;
    if (channel.isClosed) return;
    try {
      if (this.#frames) return await this.#frames.hear(bytes);
      await this.#shakeHands(bytes);
      channel.take(bytes.length);
    } catch (error) {
      if (!(error instanceof WarrenError)) throw error;
      this.#broken(error);
    }
  }

  #broken(error: unknown): void {
    const code = error instanceof WarrenError ? error.code : messageOf(error);
    this.#options.log.info("session_broken", { device: this.#device?.name, code });
    if (this.#frames) this.close();
    else this.#refuse();
  }

  async #shakeHands(message: Uint8Array): Promise<void> {
    const { crypto, own, hub, space, channel, deviceOf, headsDigest, clock, limits, onOpen } = this.#options;
    const prologue = livePrologue({ hub, space, loginKey: channel.loginKey });
    const handshake = await Handshake.start(crypto, { pattern: "IK", isInitiator: false, prologue, own });
    const payload = await handshake.read(message);
    if (!deviceOf(toHex(handshake.theirStatic!), toHex(channel.loginKey)) || payload.length > 0) return this.#refuse();
    const answer = LIVE_ANSWER.encode({ wallMs: clock.wallMs(), heads: await headsDigest() });
    const reply = await handshake.write(answer);
    const transport = await handshake.transport();
    // It may have been revoked while that was computed, or have other scopes now.
    const device = deviceOf(toHex(transport.theirStatic), toHex(channel.loginKey));
    if (channel.isClosed || !device) return this.#refuse();
    this.#frames = new SealedFrames({
      channel,
      transport,
      take: () => this.#streams.take(),
      onFrame: (frame) => this.#onFrame(frame),
      onBroken: (error) => this.#broken(error),
    });
    this.#device = device;
    this.#cancelDeadline();
    this.#cancelDeadline = clock.timer(SESSION_AGE_MS_MAX + limits.sessionSlackMs, () => this.close());
    channel.send(reply);
    onOpen(this);
  }

  #refuse(): void {
    const { channel } = this.#options;
    channel.send(SESSION_REFUSED);
    channel.close("refused");
  }

  #onFrame(frame: Exclude<LiveFrame, { kind: "ping" | "pong" }>): void {
    if (frame.kind === "open") this.#open(frame.stream, frame.target);
    else if (!this.#streams.hear(frame)) throw formInvalid("session", "a stream has sent more than its credit");
  }

  #open(stream: number, target: string): void {
    const { connect, limits } = this.#options;
    const { scopes, name } = this.#device!;
    if (this.#streams.has(stream)) throw formInvalid("session", `the stream ${stream} is opened twice`);
    if (this.#streams.size >= limits.streams) {
      const { code, message } = streamsFull(limits.streams);
      return this.#frames!.say({ kind: "close", stream, code, sentence: message });
    }
    const greeting = { scopes, by: name };
    const onMore = (): void => this.#frames?.pump();
    this.#streams.add(stream, new StreamBridge({ stream, target, greeting, connect, onMore }));
  }
}
