import type { Output } from "./output.ts";

/** Gathers small writes, in order over both streams, so that a log of short lines does not cost a system call each. */
const GATHERED_BYTES_MAX = 64 * 1024;

export class ByteSink {
  readonly #output: Output;
  #stream: "stdout" | "stderr" = "stdout";
  #parts: (Uint8Array | string)[] = [];
  #sizeBytes = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Resolves when the reader wants more. */
  async write(stream: "stdout" | "stderr", bytes: Uint8Array | string): Promise<void> {
    if (stream !== this.#stream) await this.flush();
    this.#stream = stream;
    this.#parts.push(bytes);
    this.#sizeBytes += bytes.length;
    if (this.#sizeBytes >= GATHERED_BYTES_MAX) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#parts.length === 0) return;
    const parts = this.#parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part));
    this.#parts = [];
    this.#sizeBytes = 0;
    await this.#output.bytes(this.#stream, Buffer.concat(parts));
  }
}
