import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { messageOf, WarrenError } from "../protocol/errors.ts";
import { toHex } from "../sealing/bytes.ts";
import type { ExchangeKey, SealingCrypto } from "../sealing/crypto.ts";
import type { CloseReason } from "../sealing/frames.ts";
import { decodeLive, encodeLive, LIVE_ANSWER, type LiveFrame, livePrologue, SESSION_REFUSED } from "../sealing/live.ts";
import { Handshake } from "../sealing/noise/handshake.ts";
import { NOISE_MESSAGE_BYTES_MAX, SESSION_AGE_MS_MAX, type Transport } from "../sealing/noise/transport.ts";
import { streamsFull } from "./errors.ts";
import type { HubChannel } from "./hub-channel.ts";
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
  channel: HubChannel;
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
  readonly #streams = new Map<number, StreamBridge>();
  readonly #control: LiveFrame[] = [];
  #device: RosterDevice | undefined;
  #transport: Transport | undefined;
  #last: Promise<void> = Promise.resolve();
  #isPumping = false;
  #cancelDeadline: () => void;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { channel, clock, limits } = options;
    this.#cancelDeadline = clock.timer(limits.handshakeMs, () => this.#refuse());
    channel.listen({
      onData: (bytes) => this.#hear(bytes),
      onRoom: () => void this.#pump(),
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
    for (const bridge of this.#streams.values()) bridge.close();
    this.#streams.clear();
    this.#options.onClosed(this);
  }

  /** One message after another: a handshake's step takes a while. */
  #hear(bytes: Uint8Array): void {
    this.#last = this.#last.then(() => this.#take(bytes));
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const { channel, log } = this.#options;
    if (channel.isClosed) return;
    try {
      if (!this.#transport) await this.#shakeHands(bytes);
      else this.#onFrame(decodeLive(await this.#transport.open(bytes)));
      channel.take(bytes.length);
    } catch (error) {
      if (!(error instanceof WarrenError)) throw error;
      log.info("session_broken", { device: this.#device?.name, code: error.code });
      if (this.#transport) this.close();
      else this.#refuse();
    }
  }

  async #shakeHands(message: Uint8Array): Promise<void> {
    const { crypto, own, hub, space, channel, deviceOf, headsDigest, clock, limits, onOpen } = this.#options;
    const prologue = livePrologue({ hub, space, loginKey: channel.loginKey });
    const handshake = await Handshake.start(crypto, { pattern: "IK", isInitiator: false, prologue, own });
    const payload = await handshake.read(message);
    const device = deviceOf(toHex(handshake.theirStatic!), toHex(channel.loginKey));
    if (!device || payload.length > 0) return this.#refuse();
    const answer = LIVE_ANSWER.encode({ wallMs: clock.wallMs(), heads: await headsDigest() });
    const reply = await handshake.write(answer);
    const transport = await handshake.transport();
    // It may have been revoked while that was computed.
    if (channel.isClosed || !deviceOf(toHex(transport.theirStatic), toHex(channel.loginKey))) return this.#refuse();
    this.#transport = transport;
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

  #onFrame(frame: LiveFrame): void {
    if (frame.kind === "ping") return this.#say({ kind: "pong", token: frame.token });
    if (frame.kind === "pong") return;
    if (frame.kind === "open") return this.#open(frame.stream, frame.target);
    const bridge = this.#streams.get(frame.stream);
    if (!bridge) return; // it has just been closed here
    if (frame.kind === "credit") return bridge.credited(frame.bytes);
    if (frame.kind === "data") {
      if (!bridge.hear(frame.bytes)) this.close();
      return;
    }
    this.#streams.delete(frame.stream);
    bridge.close();
  }

  #open(stream: number, target: string): void {
    const { connect, limits } = this.#options;
    const { scopes, name } = this.#device!;
    if (this.#streams.has(stream)) return this.close();
    if (this.#streams.size >= limits.streams) {
      const { code, message } = streamsFull(limits.streams);
      return this.#say({ kind: "close", stream, code, sentence: message });
    }
    const greeting = { scopes, by: name };
    const bridge = new StreamBridge({ stream, target, greeting, connect, onMore: () => void this.#pump() });
    this.#streams.set(stream, bridge);
  }

  #say(frame: LiveFrame): void {
    this.#control.push(frame);
    if (this.#control.length > this.#options.limits.controlFrames) return this.close();
    void this.#pump();
  }

  /** Sends what there is, as far as the channel has room; streams take turns. */
  async #pump(): Promise<void> {
    const { channel } = this.#options;
    if (this.#isPumping || !this.#transport) return;
    this.#isPumping = true;
    try {
      while (!channel.isClosed && channel.room >= NOISE_MESSAGE_BYTES_MAX) {
        const frame = this.#control.shift() ?? this.#nextOfStreams();
        if (!frame) break;
        channel.send(await this.#transport.seal(encodeLive(frame)));
      }
    } catch (error) {
      this.#options.log.error("session_not_sealed", { error: messageOf(error) });
      this.close();
    } finally {
      this.#isPumping = false;
    }
  }

  #nextOfStreams(): LiveFrame | undefined {
    for (const [number, bridge] of this.#streams) {
      const frame = bridge.take();
      if (bridge.isOver) this.#streams.delete(number);
      if (!frame) continue;
      if (!bridge.isOver) {
        this.#streams.delete(number);
        this.#streams.set(number, bridge); // behind the others
      }
      return frame;
    }
    return undefined;
  }
}
