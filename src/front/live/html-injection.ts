/**
 * Puts a piece of HTML before the `</body>` that ends a document, or at the document's end where there is none, while the document passes through. It is put in
 * exactly once, so a document grows by a length that is known beforehand; every other byte stays as it is.
 *
 * Only a `</body` with little after it is taken for the last: one in a script's string, where the piece would end that script, is followed by more. So up to
 * 1 KiB is held back after each; nothing else waits, but for the up to six bytes that might begin one. The document's encoding has to contain ASCII.
 */
export class HtmlInjection {
  readonly #piece: Buffer;
  /** Not passed on yet: empty, or what begins with `</body`, whole or as much of it as has come. */
  #held: Buffer = NOTHING;

  constructor(piece: Buffer) {
    this.#piece = piece;
  }

  /** What may go on now; may be empty. The chunk is not copied where that can be avoided. */
  push(chunk: Buffer): Buffer {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const at = keepFrom(bytes);
    // A copy: who gave the chunk may use its memory again.
    this.#held = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
    return bytes.subarray(0, at);
  }

  /** The rest. */
  end(): Buffer {
    return isEndTag(this.#held, 0)
      ? Buffer.concat([this.#piece, this.#held])
      : Buffer.concat([this.#held, this.#piece]);
  }
}

const NOTHING = Buffer.alloc(0);
const HELD_BYTES_MAX = 1_024;
const OPENING = Buffer.from("</");
/** In lower case; what follows it is a space, `/` or `>` (HTML Standard, 13.2.5.8 Tag name state). */
const END_TAG = Buffer.from("</body");

/** From where on bytes have to wait: the last `</body` if it is near enough to the end, else what may become one. */
function keepFrom(bytes: Buffer): number {
  const nearest = Math.max(0, bytes.length - HELD_BYTES_MAX);
  for (let at = bytes.lastIndexOf(OPENING); at >= nearest; at = at === 0 ? -1 : bytes.lastIndexOf(OPENING, at - 1))
    if (isEndTag(bytes, at)) return at;
  for (let length = Math.min(END_TAG.length, bytes.length); length > 0; length--)
    if (startsLikeEndTag(bytes, bytes.length - length, length)) return bytes.length - length;
  return bytes.length;
}

function isEndTag(bytes: Buffer, at: number): boolean {
  if (bytes.length - at <= END_TAG.length || !startsLikeEndTag(bytes, at, END_TAG.length)) return false;
  const next = bytes[at + END_TAG.length]!;
  return next === 0x3e || next === 0x2f || next === 0x20 || (next >= 0x09 && next <= 0x0d && next !== 0x0b);
}

function startsLikeEndTag(bytes: Buffer, at: number, length: number): boolean {
  for (let index = 0; index < length; index++) {
    const byte = bytes[at + index]!;
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== END_TAG[index]) return false;
  }
  return true;
}
