import { ChunkedReader } from "./chunked-reader.ts";

/** Who is given a body as it is read. The bytes are those of the reader's caller: what is kept has to be copied or be nobody else's. */
export interface BodySink {
  bodyPart(bytes: Buffer, start: number, end: number): void;
  /** The whole body was there. `trailers`: rebuilt field lines, those that may go on; usually "". */
  bodyEnd(trailers: string): void;
}

/** One body, of a known length, in chunks, or until the connection ends (RFC 9112 §6). */
export class BodyReader {
  readonly #chunked: ChunkedReader | undefined;
  #leftBytes: number;
  isDone = false;

  private constructor(chunked: ChunkedReader | undefined, leftBytes: number) {
    this.#chunked = chunked;
    this.#leftBytes = leftBytes;
  }

  static chunked(): BodyReader {
    return new BodyReader(new ChunkedReader(), 0);
  }

  /** At least 1. */
  static ofLength(bytes: number): BodyReader {
    return new BodyReader(undefined, bytes);
  }

  static untilClose(): BodyReader {
    return new BodyReader(undefined, Number.POSITIVE_INFINITY);
  }

  /**
   * Reads from `at` what is of the body; answers the position after it.
   * @throws HttpProblem for bad chunks
   */
  read(bytes: Buffer, at: number, end: number, sink: BodySink): number {
    if (this.#chunked !== undefined) {
      const position = this.#chunked.read(bytes, at, end, sink);
      this.isDone = this.#chunked.isDone;
      return position;
    }
    const length = Math.min(this.#leftBytes, end - at);
    this.#leftBytes -= length;
    this.isDone = this.#leftBytes === 0;
    if (length > 0) sink.bodyPart(bytes, at, at + length);
    if (this.isDone) sink.bodyEnd("");
    return at + length;
  }
}
