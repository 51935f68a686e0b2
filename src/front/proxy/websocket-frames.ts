/** Follows the frames of one direction of a WebSocket (RFC 6455 §5.2) without looking at what they carry, to know where one ends and another may be put. */
export class FrameTracker {
  /** Of the header: what has come of it, and how much it takes as far as is known. */
  #headerBytes = 0;
  #headerLength = 2;
  #payloadLeft = 0;
  #lengthBytes = 0;
  #opcode = 0;
  /** A close frame has gone through whole: nothing may follow it (§5.5.1). */
  hasClosed = false;

  /** Between two frames. */
  get isAtBoundary(): boolean {
    return this.#headerBytes === 0 && this.#payloadLeft === 0;
  }

  /** Goes through `bytes` from `at`; answers how far: to the end, or only to the first end of a frame. */
  advance(bytes: Buffer, at: number, isToBoundary: boolean): number {
    let position = at;
    while (position < bytes.length) {
      if (this.#payloadLeft > 0) {
        const length = Math.min(this.#payloadLeft, bytes.length - position);
        this.#payloadLeft -= length;
        position += length;
      } else this.#readHeader(bytes[position++]!);
      if (this.#headerBytes > 0 || this.#payloadLeft > 0) continue;
      if (this.#opcode === CLOSE) this.hasClosed = true;
      if (isToBoundary) break;
    }
    return position;
  }

  #readHeader(byte: number): void {
    const index = this.#headerBytes++;
    if (index === 0) this.#opcode = byte & 0x0f;
    else if (index === 1) {
      const length = byte & 0x7f;
      this.#lengthBytes = length === 126 ? 2 : length === 127 ? 8 : 0;
      this.#payloadLeft = 0;
      this.#pending = this.#lengthBytes === 0 ? length : 0;
      this.#headerLength = 2 + this.#lengthBytes + ((byte & 0x80) === 0 ? 0 : 4);
    } else if (index < 2 + this.#lengthBytes) this.#pending = this.#pending * 256 + byte;
    if (this.#headerBytes < 2 || this.#headerBytes < this.#headerLength) return;
    this.#headerBytes = 0;
    this.#headerLength = 2;
    this.#payloadLeft = this.#pending;
  }

  /** The payload's length, while the header is read. */
  #pending = 0;
}

const CLOSE = 0x8;

/** RFC 6455 §5.5.1 and §7.4.1 (the registry has 1012: service restart). As a server sends it, or masked (with zeros) as a client does (§5.3). */
export function closeFrame(code: number, isMasked: boolean): Buffer {
  const frame = Buffer.from(isMasked ? [0x88, 0x82, 0, 0, 0, 0, 0, 0] : [0x88, 0x02, 0, 0]);
  frame.writeUInt16BE(code, frame.length - 2);
  return frame;
}
