import { READ_BUFFER_BYTES, READ_BUFFERS_KEPT_MAX } from "./limits.ts";

/**
 * What instances' answers are read into. Each connection has one buffer, used again for each read, unless something of it still waits for a client: then the
 * connection goes on with another one, and this one comes back when the last of it has been taken. So a large answer costs no memory beyond what waits,
 * where a new buffer for each read would wait for the garbage collector.
 */
export class ReadBuffers {
  readonly #free: ReadBuffer[] = [];
  /** The one whose bytes are being passed on at this moment. */
  #active: ReadBuffer | undefined;

  take(): ReadBuffer {
    return this.#free.pop() ?? new ReadBuffer((buffer) => this.give(buffer));
  }

  give(buffer: ReadBuffer): void {
    if (this.#free.length < READ_BUFFERS_KEPT_MAX) this.#free.push(buffer);
  }

  /** Passes on what was read; whoever keeps bytes of it beyond that has copied or held them. Answers the buffer for the next read. */
  use(buffer: ReadBuffer, passOn: () => void): ReadBuffer {
    const before = this.#active;
    this.#active = buffer;
    try {
      passOn();
    } finally {
      this.#active = before;
    }
    return buffer.leave() ? buffer : this.take();
  }

  /** Keeps the bytes until what is answered is called; undefined: they are nobody else's anyway. */
  hold(bytes: Buffer): (() => void) | undefined {
    return this.#active !== undefined && bytes.buffer === this.#active.bytes.buffer ? this.#active.hold() : undefined;
  }
}

export class ReadBuffer {
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  readonly #onFree: (buffer: ReadBuffer) => void;
  readonly #release = (): void => {
    this.#holdCount--;
    if (this.#holdCount > 0 || !this.#isLeft) return;
    this.#isLeft = false;
    this.#onFree(this);
  };
  #holdCount = 0;
  /** Its connection goes on with another. */
  #isLeft = false;

  constructor(onFree: (buffer: ReadBuffer) => void) {
    this.#onFree = onFree;
  }

  hold(): () => void {
    this.#holdCount++;
    return this.#release;
  }

  /** True: nothing of it is held, it can be read into again. Otherwise it is free when the last is released. */
  leave(): boolean {
    if (this.#holdCount === 0) return true;
    this.#isLeft = true;
    return false;
  }
}
