import { Socket } from "node:net";
import { LineSplitter } from "../../protocol/lines.ts";

/** The line of a successor to the leader that started it (`successor.ts`). When that is gone, its lock is free too: then it may go at once. */
export class PredecessorLine {
  /** Told to go, or the leader is gone. */
  readonly go: Promise<void>;
  readonly #socket: Socket;

  constructor(fd: number) {
    this.#socket = new Socket({ fd });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.go = promise;
    const lines = new LineSplitter(1024);
    this.#socket.on("data", (chunk: Buffer) => {
      for (const word of lines.push(chunk)) if (word === "go") resolve();
    });
    this.#socket.on("error", () => {});
    this.#socket.on("close", resolve);
  }

  say(word: string): void {
    if (!this.#socket.destroyed) this.#socket.write(`${word}\n`);
  }

  end(): void {
    this.#socket.end().destroySoon();
  }
}
