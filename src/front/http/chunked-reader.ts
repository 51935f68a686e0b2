import type { BodySink } from "./body-reader.ts";
import { CR, HEX, LF, SEMICOLON, VALUE } from "./characters.ts";
import { CHUNK_EXTENSION_BYTES_MAX, CHUNK_SIZE_DIGITS_MAX, TRAILER_BYTES_MAX } from "./limits.ts";
import { refuse } from "./problem.ts";
import { allowedTrailers } from "./trailers.ts";

/** What is expected next. */
const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILER_START = 6;
const TRAILER = 7;
const TRAILER_LF = 8;
const END_LF = 9;
const DONE = 10;

/**
 * A body in chunks (RFC 9112 §7.1), read at any pieces it comes in. Sizes are hexadecimal digits and nothing else; lines end in CRLF; extensions are looked
 * through, bounded and dropped (§7.1.1); trailers (§7.1.2) are read like fields, and those that may go on do.
 */
export class ChunkedReader {
  #state = SIZE;
  #leftBytes = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailers = "";

  get isDone(): boolean {
    return this.#state === DONE;
  }

  /**
   * Reads from `at` what is of the body; answers the position after it.
   * @throws HttpProblem
   */
  read(bytes: Buffer, at: number, end: number, sink: BodySink): number {
    let position = at;
    while (position < end && this.#state !== DONE) {
      if (this.#state === DATA) position = this.#readData(bytes, position, end, sink);
      else if (this.#state >= TRAILER_START) position = this.#readTrailers(bytes, position, end, sink);
      else this.#readFrame(bytes[position++]!);
    }
    return position;
  }

  #readData(bytes: Buffer, at: number, end: number, sink: BodySink): number {
    const length = Math.min(this.#leftBytes, end - at);
    this.#leftBytes -= length;
    if (this.#leftBytes === 0) this.#state = DATA_CR;
    sink.bodyPart(bytes, at, at + length);
    return at + length;
  }

  #readFrame(byte: number): void {
    switch (this.#state) {
      case SIZE:
        this.#readSize(byte);
        break;
      case EXTENSION:
        if (byte === CR) this.#state = SIZE_LF;
        else if (VALUE[byte] !== 1 || ++this.#extensionBytes > CHUNK_EXTENSION_BYTES_MAX)
          refuse(400, "a chunk's extension");
        break;
      case SIZE_LF:
        if (byte !== LF) refuse(400, "a chunk's size");
        this.#state = this.#leftBytes > 0 ? DATA : TRAILER_START;
        this.#digits = 0;
        this.#extensionBytes = 0;
        break;
      case DATA_CR:
        if (byte !== CR) refuse(400, "a chunk's end");
        this.#state = DATA_LF;
        break;
      case DATA_LF:
        if (byte !== LF) refuse(400, "a chunk's end");
        this.#state = SIZE;
        break;
    }
  }

  #readSize(byte: number): void {
    const digit = HEX[byte]!;
    if (digit >= 0) {
      if (++this.#digits > CHUNK_SIZE_DIGITS_MAX) refuse(400, "a chunk's size");
      this.#leftBytes = this.#leftBytes * 16 + digit;
    } else if (this.#digits === 0) refuse(400, "a chunk's size");
    else if (byte === CR) this.#state = SIZE_LF;
    else if (byte === SEMICOLON) this.#state = EXTENSION;
    else refuse(400, "a chunk's size");
  }

  #readTrailers(bytes: Buffer, at: number, end: number, sink: BodySink): number {
    let position = at;
    while (position < end) {
      const byte = bytes[position++]!;
      switch (this.#state) {
        case TRAILER_START:
          if (byte === CR) {
            this.#state = END_LF;
            break;
          }
          this.#state = TRAILER;
          this.#addToTrailers(byte);
          break;
        case TRAILER:
          if (byte === CR) this.#state = TRAILER_LF;
          else this.#addToTrailers(byte);
          break;
        case TRAILER_LF:
          if (byte !== LF) refuse(400, "a trailer");
          this.#trailers += "\r\n";
          this.#state = TRAILER_START;
          break;
        case END_LF:
          if (byte !== LF) refuse(400, "the last chunk's end");
          this.#state = DONE;
          sink.bodyEnd(this.#trailers === "" ? "" : allowedTrailers(this.#trailers));
          return position;
      }
    }
    return position;
  }

  #addToTrailers(byte: number): void {
    if (VALUE[byte] !== 1) refuse(400, "a trailer");
    if (this.#trailers.length >= TRAILER_BYTES_MAX) refuse(400, "too many trailers");
    this.#trailers += String.fromCharCode(byte);
  }
}
