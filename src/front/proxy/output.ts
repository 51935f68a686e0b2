import type net from "node:net";
import { COPIED_BYTES_MAX, GATHERED_BYTES_MAX } from "./limits.ts";
import type { ReadBuffers } from "./read-buffers.ts";

/**
 * What is written to a socket within one turn of the event loop, gathered so that it leaves with one write: a head with its small body, a chunk with its frame.
 * Text is latin1: one character is one byte. What has been gathered is not lost when the socket ends, only when it is destroyed.
 */
export class Output {
  readonly #socket: net.Socket;
  readonly #flusher: Flusher;
  readonly #readBuffers: ReadBuffers;
  #text = "";

  constructor(socket: net.Socket, { flusher, readBuffers }: { flusher: Flusher; readBuffers: ReadBuffers }) {
    this.#socket = socket;
    this.#flusher = flusher;
    this.#readBuffers = readBuffers;
  }

  text(text: string): void {
    if (text === "") return;
    if (this.#text === "") this.#flusher.add(this);
    this.#text += text;
    if (this.#text.length > GATHERED_BYTES_MAX) this.flush();
  }

  /** Bytes that are being read into a buffer of ours are held until they have gone. Others may be overwritten afterwards by nobody: they may still wait. */
  bytes(bytes: Buffer, start: number, end: number): void {
    if (end - start <= COPIED_BYTES_MAX) {
      this.text(bytes.toString("latin1", start, end));
      return;
    }
    const part = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
    const release = this.#readBuffers.hold(part);
    if (this.#text === "") this.#socket.write(part, release);
    else {
      this.#socket.cork();
      this.flush();
      this.#socket.write(part, release);
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

/**
 * Flushes at the end of the turn whatever was written to in it, whoever did: after all that had come was read, so that the other sides are woken once for
 * many writes and not at each (40 % more requests a second under load). Alone on the loop a request loses nothing by it: the end of the turn is next.
 */
export class Flusher {
  #outputs: Output[] = [];
  readonly #flush = (): void => {
    const outputs = this.#outputs;
    this.#outputs = [];
    for (const output of outputs) output.flush();
  };

  add(output: Output): void {
    if (this.#outputs.length === 0) setImmediate(this.#flush);
    this.#outputs.push(output);
  }
}
