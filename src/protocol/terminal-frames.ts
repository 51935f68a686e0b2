/**
 * What a connection speaks in both directions after `session.attach` was answered (CONTRACT §5): `type u8 | length u32 BE | payload`.
 *
 *  1 output   → client   `offset u64 | bytes`: the program's bytes from that offset of its output on
 *  2 input    → server   `seq u64 | bytes`: what is typed; seq counts the bytes that this client has typed before
 *  3 resize   → server   `cols u16 | rows u16`
 *  4 screen   → client   `offset u64 | bytes`: the whole screen as it is at that offset, as bytes for a terminal; output goes on from there
 *  5 end      → client   JSON: how the program ended. The last frame
 *  6 control  both       JSON: `TerminalControl`
 *  7 ack      → client   `seq u64`: input up to here has been taken, and need not be sent again after a reconnect
 *
 * Types are added, never changed; a type that is not known is ignored.
 */
export const TERMINAL_FRAME = { output: 1, input: 2, resize: 3, screen: 4, end: 5, control: 6, ack: 7 } as const;

export interface TerminalFrame {
  type: number;
  payload: Uint8Array;
}

/** Who steers a session: told to every client when it changes. */
export interface TerminalControl {
  /** The client that typed last: the size is its size. Absent: nobody has typed yet. */
  controller?: string;
  /** Whether that is the receiver. */
  yours: boolean;
  cols: number;
  rows: number;
  clients: number;
  viewers: number;
  title?: string;
  /** From a client: take control without typing. */
  take?: boolean;
}

export const TERMINAL_HEADER_BYTES = 5;
/** A longer payload closes the connection. The largest is the screen of a terminal with a thousand columns and rows. */
export const TERMINAL_PAYLOAD_BYTES_MAX = 32 * 1024 * 1024;
/** What a client may send in one frame. */
export const INPUT_FRAME_BYTES_MAX = 1024 * 1024;

export function encodeTerminalFrame(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(TERMINAL_HEADER_BYTES + length);
  bytes[0] = type;
  new DataView(bytes.buffer).setUint32(1, length);
  let at = TERMINAL_HEADER_BYTES;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** `offset u64` or `seq u64` before the bytes of a frame. */
export function encodePosition(position: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(position));
  return bytes;
}

export function decodePosition(payload: Uint8Array): { position: number; bytes: Uint8Array } {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  return { position: Number(view.getBigUint64(0)), bytes: payload.subarray(8) };
}

export function encodeTerminalSize({ cols, rows }: { cols: number; rows: number }): Uint8Array {
  const bytes = new Uint8Array(4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, cols);
  view.setUint16(2, rows);
  return bytes;
}

export function decodeTerminalSize(payload: Uint8Array): { cols: number; rows: number } {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  return { cols: view.getUint16(0), rows: view.getUint16(2) };
}

export const encodeJson = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
export const decodeJson = <T>(payload: Uint8Array): T => JSON.parse(new TextDecoder().decode(payload)) as T;

export class TerminalFrameTooLong extends Error {}

/** Cuts a byte stream into frames; holds at most one unfinished frame, whose pieces are joined once it is whole. */
export class TerminalFrameSplitter {
  readonly #payloadBytesMax: number;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  /** Bytes until something can be cut off: a header, or the frame that it announces. */
  #needed = TERMINAL_HEADER_BYTES;

  constructor(payloadBytesMax = TERMINAL_PAYLOAD_BYTES_MAX) {
    this.#payloadBytesMax = payloadBytesMax;
  }

  /** @throws TerminalFrameTooLong */
  push(chunk: Uint8Array): TerminalFrame[] {
    this.#pieces.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#needed) return [];
    const bytes = this.#pieces.length === 1 ? chunk : joined(this.#pieces, this.#bytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const frames: TerminalFrame[] = [];
    let at = 0;
    this.#needed = TERMINAL_HEADER_BYTES;
    while (bytes.length - at >= TERMINAL_HEADER_BYTES) {
      const length = view.getUint32(at + 1);
      if (length > this.#payloadBytesMax) throw new TerminalFrameTooLong();
      const end = at + TERMINAL_HEADER_BYTES + length;
      if (bytes.length < end) {
        this.#needed = end - at;
        break;
      }
      frames.push({ type: bytes[at]!, payload: bytes.subarray(at + TERMINAL_HEADER_BYTES, end) });
      at = end;
    }
    const rest = new Uint8Array(bytes.subarray(at));
    this.#pieces = rest.length > 0 ? [rest] : [];
    this.#bytes = rest.length;
    return frames;
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
