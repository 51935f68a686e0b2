import net from "node:net";
import { CONTROL } from "../protocol/keeper-calls.ts";
import { LineSplitter } from "../protocol/lines.ts";

/** The line to the keeper (fd 4): says `warm`, `ready`, `leaving` and `free`, hears `go` and `drain`, and notices when the keeper is gone. */
export interface ControlHandlers {
  onGo: () => void;
  onDrain: () => void;
  onKeeperLost: () => void;
}

const CONTROL_FD = 4;

export class ControlLine {
  readonly #socket: net.Socket;

  constructor({ onGo, onDrain, onKeeperLost }: ControlHandlers) {
    this.#socket = new net.Socket({ fd: CONTROL_FD });
    const lines = new LineSplitter(64);
    this.#socket.on("data", (chunk: Buffer) => {
      for (const word of lines.push(chunk)) {
        if (word === CONTROL.go) onGo();
        if (word === CONTROL.drain) onDrain();
      }
    });
    this.#socket.on("error", () => {});
    this.#socket.on("close", onKeeperLost);
  }

  say(word: "warm" | "ready" | "leaving" | "free"): void {
    this.#socket.write(`${word}\n`);
  }
}
