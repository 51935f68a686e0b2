import net from "node:net";
import { readJsonIfExists } from "../platform/atomic-file.ts";
import { systemCode, WarrenError } from "../protocol/errors.ts";
import type { KeeperAnswer, KeeperAnswers, KeeperCall } from "../protocol/keeper-calls.ts";
import { encodeFrame, FRAME, FrameSplitter } from "../protocol/keeper-frames.ts";

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

/** A connection to the keeper: calls and their answers. */
export class KeeperConnection {
  /** Where the keeper listens; servers' sockets stand beside its own, whatever the caller's runtime directory is. */
  readonly path: string;
  readonly #socket: net.Socket;
  readonly #pending = new Map<bigint, { resolve: (data: never) => void; reject: (error: WarrenError) => void }>();
  #nextId = 1n;

  private constructor(path: string, socket: net.Socket) {
    this.path = path;
    this.#socket = socket;
    const splitter = new FrameSplitter();
    socket.on("data", (chunk: Buffer) => {
      for (const { type, offset, payload } of splitter.push(chunk)) {
        if (type === FRAME.answer) this.#settle(offset, JSON.parse(Buffer.from(payload).toString("utf8")));
      }
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      const lost = new WarrenError("KEEPER_LOST", "The keeper went away before it answered.", { fix: "warren doctor" });
      for (const { reject } of this.#pending.values()) reject(lost);
      this.#pending.clear();
    });
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

  call<C extends KeeperCall>(call: C): Promise<KeeperAnswers[C["call"]]> {
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<KeeperAnswers[C["call"]]>();
    if (this.#socket.destroyed) return Promise.reject(new WarrenError("KEEPER_LOST", "The keeper went away."));
    this.#pending.set(id, { resolve: resolve as (data: never) => void, reject });
    const payload = Buffer.from(JSON.stringify(call));
    this.#socket.write(encodeFrame({ type: FRAME.call, channel: 0, offset: id, payload }));
    return promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #settle(id: bigint, answer: KeeperAnswer): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (!pending) return;
    if (answer.ok) pending.resolve(answer.data as never);
    else {
      const { code, error, fix, detail } = answer;
      pending.reject(new WarrenError(code, error, { ...(fix ? { fix } : {}), ...(detail ? { detail } : {}) }));
    }
  }
}
