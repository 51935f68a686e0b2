import type { Duplex } from "node:stream";

/** Frames of one length only, masked with zeros, so that an echo is the same bytes without the mask (RFC 6455 §5.2). */
export const PAYLOAD_BYTES = 64;
const HEAD_BYTES = 2;
const MASK_BYTES = 4;
export const SENT_BYTES = HEAD_BYTES + MASK_BYTES + PAYLOAD_BYTES;
export const ECHOED_BYTES = HEAD_BYTES + PAYLOAD_BYTES;
const FINAL_BINARY = 0x82;
const MASKED = 0x80;

export function sentFrame(): Buffer {
  const frame = Buffer.alloc(SENT_BYTES, "w");
  frame.set([FINAL_BINARY, MASKED | PAYLOAD_BYTES, 0, 0, 0, 0]);
  return frame;
}

/** Counts bytes and answers a frame for each that has come whole. Anything but such frames ends in nonsense: only the benchmark speaks to it. */
export class FrameEcho {
  readonly #echoed: Buffer = Buffer.concat([
    Buffer.from([FINAL_BINARY, PAYLOAD_BYTES]),
    Buffer.alloc(PAYLOAD_BYTES, "w"),
  ]);
  #pendingBytes = 0;

  answer(chunk: Buffer): Buffer {
    this.#pendingBytes += chunk.length;
    const frameCount = Math.floor(this.#pendingBytes / SENT_BYTES);
    this.#pendingBytes %= SENT_BYTES;
    return frameCount === 1 ? this.#echoed : Buffer.concat(Array.from({ length: frameCount }, () => this.#echoed));
  }
}

export function closeOnDisconnect(socket: Duplex): void {
  socket.on("error", () => socket.destroy());
  socket.on("end", () => socket.destroy());
}
