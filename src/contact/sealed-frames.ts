import { decodeLive, encodeLive, type LiveFrame } from "../sealing/live.ts";
import { NOISE_MESSAGE_BYTES_MAX, type Transport } from "../sealing/noise/transport.ts";
import type { Channel } from "./channel.ts";

/** The frames of one live session: each is sealed, and goes as far as its channel has room. */
export interface SealedFramesOptions {
  channel: Channel;
  transport: Transport;
  /** The next frame of a stream. */
  take(): LiveFrame | undefined;
  /** Besides pings. Throws: the session is broken. */
  onFrame(frame: Exclude<LiveFrame, { kind: "ping" | "pong" }>): void;
  /** It cannot go on. */
  onBroken(error: unknown): void;
}

/** Frames that wait besides streams' bytes: the other end asks, and takes no answer. Past it the session is broken. */
const CONTROL_FRAMES_MAX = 1_000;

export class SealedFrames {
  readonly #options: SealedFramesOptions;
  readonly #control: LiveFrame[] = [];
  #isPumping = false;

  constructor(options: SealedFramesOptions) {
    this.#options = options;
  }

  /** Before all streams. */
  say(frame: LiveFrame): void {
    this.#control.push(frame);
    if (this.#control.length > CONTROL_FRAMES_MAX) this.#options.onBroken(new Error("its answers are not taken"));
    else this.pump();
  }

  /** @throws SEAL_BROKEN, FORM_INVALID, and what `onFrame` throws */
  async hear(message: Uint8Array): Promise<void> {
    const { transport, channel, onFrame } = this.#options;
    const frame = decodeLive(await transport.open(message));
    if (channel.isClosed) return;
    if (frame.kind === "ping") this.say({ kind: "pong", token: frame.token });
    else if (frame.kind !== "pong") onFrame(frame);
    channel.take(message.length);
  }

  /** There is something to send, or room for it. */
  pump(): void {
    if (!this.#isPumping) void this.#pump();
  }

  async #pump(): Promise<void> {
    const { channel, transport, take, onBroken } = this.#options;
    this.#isPumping = true;
    try {
      while (!channel.isClosed && channel.roomBytes >= NOISE_MESSAGE_BYTES_MAX) {
        const frame = this.#control.shift() ?? take();
        if (!frame) break;
        channel.send(await transport.seal(encodeLive(frame)));
      }
    } catch (error) {
      onBroken(error);
    } finally {
      this.#isPumping = false;
    }
  }
}
