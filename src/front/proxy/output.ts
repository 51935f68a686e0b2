import type net from "node:net";
import { COPIED_BYTES_MAX } from "./limits.ts";

/**
 * What is written to a socket within one turn of the event loop, gathered so that it leaves with one write: a head with its small body, a chunk with its frame.
 * Text is latin1: one character is one byte.
 */
export class Output {
  readonly #socket: net.Socket;
  readonly #flusher: Flusher;
  #text = "";

  constructor(socket: net.Socket, flusher: Flusher) {
    this.#socket = socket;
    this.#flusher = flusher;
  }

  text(text: string): void {
    if (text === "") return;
    if (this.#text === "") this.#flusher.add(this);
    this.#text += text;
  }

  /** The bytes may be overwritten afterwards by nobody: they may still wait. */
  bytes(bytes: Buffer, start: number, end: number): void {
    if (end - start <= COPIED_BYTES_MAX) {
      this.text(bytes.toString("latin1", start, end));
      return;
    }
    const part = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
    if (this.#text === "") this.#socket.write(part);
    else {
      this.#socket.cork();
      this.flush();
      this.#socket.write(part);
      this.#socket.uncork();
    }
  }

  flush(): void {
    if (this.#text === "") return;
    const text = this.#text;
    this.#text = "";
    if (this.#socket.writable) this.#socket.write(text, "latin1");
  }

  /** Bytes that the other side has not taken. */
  get queuedBytes(): number {
    return this.#text.length + this.#socket.writableLength;
  }

  end(): void {
    this.flush();
    this.#socket.end();
  }
}

/** Flushes at the end of the turn whatever was written to in it, whoever did. */
export class Flusher {
  #outputs: Output[] = [];
  readonly #flush = (): void => {
    const outputs = this.#outputs;
    this.#outputs = [];
    for (const output of outputs) output.flush();
  };

  add(output: Output): void {
    if (this.#outputs.length === 0) queueMicrotask(this.#flush);
    this.#outputs.push(output);
  }
}
