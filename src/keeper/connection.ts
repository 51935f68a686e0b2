import type { Socket } from "node:net";
import { encodeFrame, type Frame, FrameSplitter } from "../protocol/keeper-frames.ts";

/** One client of the keeper. One that does not read is not read from, and its doorbells wait: nothing piles up for it. */
export class Connection {
  readonly #socket: Socket;
  /** What rings at the end of this turn of the event loop, or when the client reads again; each of it once. */
  readonly #bells = new Set<(to: Connection) => void>();

  constructor(socket: Socket, onFrame: (frame: Frame, from: Connection) => void) {
    this.#socket = socket;
    const splitter = new FrameSplitter();
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const frame of splitter.push(chunk)) onFrame(frame, this);
      } catch {
        socket.destroy(); // not our protocol
      }
      if (socket.writableNeedDrain) socket.pause();
    });
    socket.on("drain", () => {
      socket.resume();
      this.#ringAll();
    });
  }

  send(type: number, channel: number, offset: number | bigint, payload: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeFrame({ type, channel, offset: BigInt(offset), payload }));
  }

  ring(bell: (to: Connection) => void): void {
    if (this.#bells.size === 0) setImmediate(() => this.#ringAll());
    this.#bells.add(bell);
  }

  #ringAll(): void {
    if (this.#socket.writableNeedDrain) return;
    const bells = [...this.#bells];
    this.#bells.clear();
    for (const bell of bells) bell(this);
  }
}
