import { concat, utf8 } from "./bytes.ts";
import { formInvalid } from "./errors.ts";
import {
  decodeWith,
  encodeWith,
  type Field,
  fixed,
  type Layout,
  layout,
  rest,
  str8,
  str16,
  struct,
  u32,
  u64,
} from "./layout.ts";
import { NOISE_TEXT_BYTES_MAX } from "./noise/transport.ts";
import { HASH_BYTES } from "./record.ts";

/**
 * Live sessions (docs/remote-design.md, Channels): the prologue and the answer of their Noise IK handshake, and the frames inside, each of which is
 * the text of one Noise message. Streams are numbered by the device, which alone opens them.
 */

/** What one `data` carries. */
export const STREAM_DATA_BYTES_MAX = NOISE_TEXT_BYTES_MAX - 5;
/** Of a stream, in each direction, that may be on the way; the sender waits then. */
export const STREAM_CREDIT_BYTES = 256 * 1024;

/**
 * The machine's answer to a handshake that it does not take, for whatever reason: one byte, then it closes the channel. A handshake message is never
 * so short.
 */
export const SESSION_REFUSED: Uint8Array = Uint8Array.of(0);
export const isSessionRefused = (message: Uint8Array): boolean => message.length === 1;

/** What both ends of a session agree on before it: a session of one hub, machine or device fits no other. */
export const livePrologue = (context: { hub: Uint8Array; space: Uint8Array; loginKey: Uint8Array }): Uint8Array =>
  concat(utf8("warren live 1\0"), context.hub, context.space, context.loginKey);

/** The payload of the machine's answer. The device's first payload is empty: there is nothing in it to replay. */
export const LIVE_ANSWER: Layout<{ wallMs: number; heads: Uint8Array }> = layout("session's answer", {
  /** The machine's clock. */
  wallMs: u64,
  /** {@link headsDigest} of its streams at this hub. */
  heads: fixed(HASH_BYTES),
});

const LIVE_FRAMES = {
  /** `primary`, or a unit's id. */
  open: [1, struct({ stream: u32, target: str8 })],
  data: [2, struct({ stream: u32, bytes: rest(STREAM_DATA_BYTES_MAX) })],
  /** An empty code: it was done. */
  close: [3, struct({ stream: u32, code: str8, sentence: str16 })],
  credit: [4, struct({ stream: u32, bytes: u32 })],
  ping: [5, struct({ token: u64 })],
  pong: [6, struct({ token: u64 })],
} as const satisfies Record<string, readonly [number, Field<unknown>]>;

type BodyOf<Entry> = Entry extends readonly [number, Field<infer T>] ? T : never;
export type LiveKind = keyof typeof LIVE_FRAMES;
export type LiveFrame = { [Kind in LiveKind]: { kind: Kind } & BodyOf<(typeof LIVE_FRAMES)[Kind]> }[LiveKind];

const kinds = Object.keys(LIVE_FRAMES) as LiveKind[];

/** @throws FORM_INVALID: a value that does not fit its field */
export function encodeLive(frame: LiveFrame): Uint8Array {
  const [code, body] = LIVE_FRAMES[frame.kind];
  return encodeWith(`${frame.kind} of a session`, (writer) => {
    writer.integer(code, 1);
    (body as Field<unknown>).write(frame, writer);
  });
}

/** Byte arrays in the frame are views of `text`. @throws FORM_INVALID, and nothing else for any bytes */
export function decodeLive(text: Uint8Array): LiveFrame {
  const kind = kinds.find((one) => LIVE_FRAMES[one][0] === text[0]);
  if (kind === undefined) throw formInvalid("frame of a session", `its kind is ${text[0] ?? "missing"}`);
  const values = decodeWith(`${kind} of a session`, text, (reader) => {
    reader.integer(1);
    return LIVE_FRAMES[kind][1].read(reader);
  });
  return { kind, ...values } as LiveFrame;
}
