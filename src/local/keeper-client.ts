import net from "node:net";
import { readJsonIfExists } from "../platform/atomic-file.ts";
import { fromWire, systemCode, WarrenError } from "../protocol/errors.ts";
import type { KeeperAnswer, KeeperAnswers, KeeperCall } from "../protocol/keeper-calls.ts";
import {
  encodeFrame,
  encodeInput,
  FRAME,
  FRAME_PAYLOAD_BYTES_MAX,
  type Frame,
  FrameSplitter,
  type Input,
} from "../protocol/keeper-frames.ts";

/** What keeper.json says: where the home's keeper listens and which process it is. */
export interface KeeperEntry {
  socket: string;
  pid: number;
  start_ticks: number;
  boot_id: string;
  started_at: string;
}

export const readKeeperEntry = (keeperFile: string): KeeperEntry | undefined =>
  readJsonIfExists<KeeperEntry>(keeperFile);

export interface ChannelInput extends Input {
  /** Bytes that the source has written before. */
  offset: number;
}

/** Frames about channels, as they come. */
export interface ChannelFrames {
  onFrame(frame: Frame): void;
  /** The keeper is gone. */
  onClose(): void;
}

/** A connection to the keeper: calls and their answers, and what the keeper says of channels. */
export class KeeperConnection {
  /** Where the keeper listens; servers' sockets stand beside its own, whatever the caller's runtime directory is. */
  readonly path: string;
  readonly #socket: net.Socket;
  readonly #pending = new Map<bigint, { resolve: (data: never) => void; reject: (error: WarrenError) => void }>();
  #nextId = 1n;
  #frames: ChannelFrames | undefined;

  private constructor(path: string, socket: net.Socket) {
    this.path = path;
    this.#socket = socket;
    const splitter = new FrameSplitter();
    socket.on("data", (chunk: Buffer) => {
      for (const frame of splitter.push(chunk)) {
        if (frame.type === FRAME.answer)
          this.#settle(frame.offset, JSON.parse(Buffer.from(frame.payload).toString("utf8")));
        else this.#frames?.onFrame(frame);
      }
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      const lost = new WarrenError("KEEPER_LOST", "The keeper went away before it answered.", { fix: "warren doctor" });
      for (const { reject } of this.#pending.values()) reject(lost);
      this.#pending.clear();
      this.#frames?.onClose();
    });
  }

  /** Before the first call that makes the keeper speak of channels. */
  listen(frames: ChannelFrames): void {
    this.#frames = frames;
  }

  /** Input for a channel's program: see `keeper-frames.ts`. */
  write(channel: number, { offset, ...input }: ChannelInput): void {
    const payload = encodeInput(input);
    if (!this.#socket.destroyed)
      this.#socket.write(encodeFrame({ type: FRAME.write, channel, offset: BigInt(offset), payload }));
  }

  /** Undefined when nobody listens there. */
  static async connect(path: string): Promise<KeeperConnection | undefined> {
    const socket = net.connect(path);
    try {
      await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    } catch (error) {
      const code = systemCode(error);
      if (code === "ECONNREFUSED" || code === "ENOENT" || code === "ENOTDIR" || code === "ECONNRESET") return undefined;
      throw error;
    }
    socket.removeAllListeners("error");
    return new KeeperConnection(path, socket);
  }

  /** @throws KEEPER_CALL_TOO_LONG, KEEPER_LOST, what the keeper refuses */
  call<C extends KeeperCall>(call: C): Promise<KeeperAnswers[C["call"]]> {
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<KeeperAnswers[C["call"]]>();
    if (this.#socket.destroyed) return Promise.reject(new WarrenError("KEEPER_LOST", "The keeper went away."));
    const payload = Buffer.from(JSON.stringify(call));
    // The keeper closes a connection for one that is longer, and with it goes whatever else the connection is for.
    if (payload.length > FRAME_PAYLOAD_BYTES_MAX) return Promise.reject(callTooLong(payload.length));
    this.#pending.set(id, { resolve: resolve as (data: never) => void, reject });
    this.#socket.write(encodeFrame({ type: FRAME.call, channel: 0, offset: id, payload }));
    return promise;
  }

  /**
   * Asks who it is: it answers at once, whatever else it has in hand.
   * @throws KEEPER_SILENT when it has not in `timeoutMs`; KEEPER_LOST
   */
  async greet(timeoutMs: number): Promise<KeeperAnswers["hello"]> {
    const { promise: silent, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(keeperSilent(timeoutMs)), timeoutMs);
    try {
      return await Promise.race([this.call({ call: "hello" }), silent]);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #settle(id: bigint, answer: KeeperAnswer): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (!pending) return;
    if (answer.ok) pending.resolve(answer.data as never);
    else pending.reject(fromWire(answer));
  }
}

const callTooLong = (bytes: number): WarrenError =>
  new WarrenError(
    "KEEPER_CALL_TOO_LONG",
    `The command and its environment are ${bytes} bytes long together; the keeper takes ${FRAME_PAYLOAD_BYTES_MAX}.`,
    { fix: "put what is long into a file" },
  );

export const keeperSilent = (afterMs: number): WarrenError =>
  new WarrenError("KEEPER_SILENT", `The keeper has not answered for ${afterMs / 1000} s: it is stopped, or it hangs.`, {
    fix: "warren doctor",
  });
