/**
 * The keeper's wire (CONTRACT §6): `type u8 | channel u32 | offset u64 | length u32 | payload`, big endian. This contract is frozen: types are added,
 * never changed, and golden frames of every released form stay in the tests.
 *
 * - `call` (client → keeper): its id in `offset`, JSON in the payload; `answer` repeats the id.
 * - `write` (server → keeper): input for the program of `channel`. The payload is `epoch u32 | source u64 | bytes`; `offset` counts the bytes that this
 *   source has written to the channel before. Writing the same bytes again does nothing, so a server that does not know whether they arrived sends
 *   them again. The keeper answers with `ack`, or with `refused` (an old epoch, an ended program, a gap before `offset`), and then none of it is written.
 * - `ack` (keeper → server): `offset` counts what this source has written; payload `source u64`. Sent when the program's side has taken the bytes.
 * - `refused`: as `ack`, with `source u64 | JSON {code, error}`.
 * - `output` (the doorbell, keeper → server): the journal of `channel` has grown. `offset` counts the bytes of output; the payload is
 *   `segment u32 | bytes u32`: where the journal ends. At most one for each turn of the keeper's event loop.
 * - `exit`: the program has ended and all of its output is in the journal; the payload is JSON of `ChannelExit`.
 */
export const FRAME = { call: 1, answer: 2, write: 3, output: 4, exit: 5, ack: 6, refused: 7 } as const;

export interface Frame {
  type: number;
  channel: number;
  offset: bigint;
  payload: Uint8Array;
}

const FRAME_HEADER_BYTES = 17;
/** A longer payload closes the connection: nobody sends one by intent. */
export const FRAME_PAYLOAD_BYTES_MAX = 4 * 1024 * 1024;

export function encodeFrame({ type, channel, offset, payload }: Frame): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, type);
  view.setUint32(1, channel);
  view.setBigUint64(5, offset);
  view.setUint32(13, payload.length);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

/** The payload of `write`. */
export interface Input {
  epoch: number;
  /** 16 hex digits. */
  source: string;
  bytes: Uint8Array;
}

const INPUT_HEADER_BYTES = 12;

export function encodeInput({ epoch, source, bytes }: Input): Buffer {
  const head = Buffer.alloc(INPUT_HEADER_BYTES);
  head.writeUInt32BE(epoch, 0);
  head.write(source.padStart(16, "0"), 4, "hex");
  return Buffer.concat([head, bytes]);
}

/** @throws RangeError when it is too short to be one */
export function decodeInput(payload: Uint8Array): Input {
  const bytes = asBuffer(payload);
  const epoch = bytes.readUInt32BE(0);
  const source = bytes.readBigUInt64BE(4).toString(16).padStart(16, "0");
  return { epoch, source, bytes: bytes.subarray(INPUT_HEADER_BYTES) };
}

/** The payload of `ack`, and with a reason that of `refused`. */
export const encodeReply = (source: string, refusal?: { code: string; error: string }): Buffer =>
  Buffer.concat([Buffer.from(source, "hex"), Buffer.from(refusal ? JSON.stringify(refusal) : "")]);

/** @throws RangeError or SyntaxError when it is none */
export function decodeReply(payload: Uint8Array): { source: string; refusal?: { code: string; error: string } } {
  const bytes = asBuffer(payload);
  const source = bytes.readBigUInt64BE(0).toString(16).padStart(16, "0");
  return bytes.length === 8 ? { source } : { source, refusal: JSON.parse(bytes.toString("utf8", 8)) };
}

/** The payload of `output`. */
export function encodeJournalEnd(segment: number, segmentBytes: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(segment, 0);
  bytes.writeUInt32BE(segmentBytes, 4);
  return bytes;
}

/** What follows the eight bytes is for later. @throws RangeError when it is too short to be one */
export function decodeJournalEnd(payload: Uint8Array): { segment: number; segmentBytes: number } {
  const bytes = asBuffer(payload);
  return { segment: bytes.readUInt32BE(0), segmentBytes: bytes.readUInt32BE(4) };
}

const asBuffer = ({ buffer, byteOffset, length }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, length);

export class FrameTooLong extends Error {}

/** Cuts a byte stream into frames; holds at most one unfinished frame. */
export class FrameSplitter {
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  /** With fewer there is no further frame: they are not looked at, or copied, before. */
  #neededBytes = FRAME_HEADER_BYTES;

  push(chunk: Uint8Array): Frame[] {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    if (this.#pendingBytes < this.#neededBytes) return [];
    const bytes = this.#pending.length === 1 ? chunk : Buffer.concat(this.#pending);
    this.#neededBytes = FRAME_HEADER_BYTES;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const frames: Frame[] = [];
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const length = view.getUint32(at + 13);
      if (length > FRAME_PAYLOAD_BYTES_MAX) throw new FrameTooLong();
      const end = at + FRAME_HEADER_BYTES + length;
      if (bytes.length < end) {
        this.#neededBytes = end - at;
        break;
      }
      frames.push({
        type: view.getUint8(at),
        channel: view.getUint32(at + 1),
        offset: view.getBigUint64(at + 5),
        payload: bytes.subarray(at + FRAME_HEADER_BYTES, end),
      });
      at = end;
    }
    this.#pending = [new Uint8Array(bytes.subarray(at))];
    this.#pendingBytes = bytes.length - at;
    return frames;
  }
}
