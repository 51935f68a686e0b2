import type { LiveFrame } from "../sealing/live.ts";

/** One end of a stream, as the session that it is in sees it. */
export interface StreamEnd {
  /** The next frame for the other end, if there is one; `close` is the last. */
  take(): LiveFrame | undefined;
  /** False: more than there was credit for. */
  hear(bytes: Uint8Array): boolean;
  credited(bytes: number): void;
  /** The other end has closed it; undefined: the session is over. */
  closed(why: { code: string; sentence: string } | undefined): void;
  /** Nothing comes of it any more. */
  readonly isOver: boolean;
}

/** The streams of one session, by number. They take turns to send. */
export class StreamSet<End extends StreamEnd> {
  readonly #ends = new Map<number, End>();
  #next = 1;

  get size(): number {
    return this.#ends.size;
  }

  has(stream: number): boolean {
    return this.#ends.has(stream);
  }

  /** One that the other end has opened. */
  add(stream: number, end: End): void {
    this.#ends.set(stream, end);
  }

  /** One of our own, under the next number. */
  open(make: (stream: number) => End): End {
    const stream = this.#next++;
    const end = make(stream);
    this.#ends.set(stream, end);
    return end;
  }

  /** The next frame of whoever's turn it is. */
  take(): LiveFrame | undefined {
    for (const [stream, end] of this.#ends) {
      const frame = end.take();
      if (end.isOver) this.#ends.delete(stream);
      if (!frame) continue;
      if (this.#ends.delete(stream)) this.#ends.set(stream, end); // behind the others
      return frame;
    }
    return undefined;
  }

  /** False: its sender breaks the credit. A stream that is not there has just been closed here. */
  hear(frame: LiveFrame & { kind: "data" | "credit" | "close" }): boolean {
    const end = this.#ends.get(frame.stream);
    if (!end) return true;
    if (frame.kind === "data") return end.hear(frame.bytes);
    if (frame.kind === "credit") end.credited(frame.bytes);
    else {
      this.#ends.delete(frame.stream);
      end.closed(frame);
    }
    return true;
  }

  /** The session is over. */
  end(): void {
    const ends = [...this.#ends.values()];
    this.#ends.clear();
    for (const end of ends) end.closed(undefined);
  }
}
