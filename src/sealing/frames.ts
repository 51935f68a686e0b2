import { KEY_BYTES } from "./crypto.ts";
import { formInvalid } from "./errors.ts";
import { decodeWith, encodeWith, type Field, fixed, flag, rest, str8, str16, struct, u32, u64 } from "./layout.ts";
import { FINGERPRINT_BYTES, loginField, NONCE_BYTES, type Role, welcomeField } from "./login.ts";

/**
 * Every frame between a hub and whoever is connected to it, as one table (docs/remote-design.md, Login to Pairing). A frame is one binary
 * WebSocket message; its first byte is its kind. Who may send which is the hub's to check: {@link HUB_TAKES} says it.
 */

/** Where a hub takes connections; `/key` below it says who the hub is. */
export const HUB_PATH = "/hub/v1";
/** A longer message ends its connection. */
export const FRAME_BYTES_MAX = 96 * 1024;
/** What one `data` carries. */
export const DATA_BYTES_MAX = 64 * 1024;
/** A whole record, its signature included; a longer one is RECORD_TOO_LARGE. */
export const RECORD_BYTES_MAX = 64 * 1024;

/**
 * Why a channel ended: `done` its other end closed it; `gone` there is no other end, or none any more; `refused` too many, or not for you;
 * `expelled` no member any more; `too_slow` more came than the credit allowed or was ever read; `hub_ends` the hub is being stopped.
 */
export type CloseReason = (typeof CLOSE_REASONS)[number];
const CLOSE_REASONS = ["done", "gone", "refused", "expelled", "too_slow", "hub_ends"] as const;

const closeReason: Field<CloseReason> = {
  write: (value, writer) => writer.integer(CLOSE_REASONS.indexOf(value), 1),
  read(reader) {
    const reason = CLOSE_REASONS[reader.integer(1)];
    if (reason === undefined) throw formInvalid(reader.what, "its reason is unknown");
    return reason;
  },
};

const loginKey = fixed(KEY_BYTES);
const refusal = { code: str8, sentence: str16, fix: str16 };
/** Of a rendezvous: the first half of the pairing key's SHA-256. */
const rendezvousId = fixed(FINGERPRINT_BYTES);

/** By name: the first byte, and what follows. */
const FRAMES = {
  /** hub →, at once. */
  hello: kind(1, struct({ nonce: fixed(NONCE_BYTES) })),
  login: kind(2, loginField),
  welcome: kind(3, welcomeField),
  /** hub →, and then it closes. `fix` may be empty. */
  refused: kind(4, struct(refusal)),
  /** hub →: what the request of that number asked for is so, and on its disk. */
  done: kind(5, struct({ request: u32 })),
  failed: kind(6, struct({ request: u32, ...refusal })),
  /** Both, after 4 s of silence; browsers cannot send WebSocket's own. The token comes back as it is. */
  ping: kind(7, struct({ token: u32 })),
  pong: kind(8, struct({ token: u32 })),
  /** machine → */
  admit: kind(16, struct({ request: u32, loginKey })),
  expel: kind(17, struct({ request: u32, loginKey })),
  /** hub → device: of each space that it is a member of, after the welcome, and whenever its machine comes or goes. */
  presence: kind(18, struct({ space: fixed(KEY_BYTES), isPresent: flag })),
  /** device →; the number is the opener's own. */
  open: kind(32, struct({ channel: u32, space: fixed(KEY_BYTES) })),
  /** hub → machine; the number is the hub's own for this connection. */
  opened: kind(33, struct({ channel: u32, loginKey })),
  data: kind(34, struct({ channel: u32, bytes: rest(DATA_BYTES_MAX) })),
  close: kind(35, struct({ channel: u32, reason: closeReason })),
  credit: kind(36, struct({ channel: u32, bytes: u32 })),
  /** The hub looks at the size of the record itself, so that one that is too large is answered by its request. */
  put: kind(48, struct({ request: u32, record: rest(FRAME_BYTES_MAX) })),
  record: kind(49, struct({ place: u64, record: rest(RECORD_BYTES_MAX) })),
  took: kind(50, struct({ place: u64 })),
  /** machine →: wait for a guest here until `expires` (seconds since 1970); 0 takes it back. */
  rendezvous: kind(64, struct({ request: u32, id: rendezvousId, expires: u32 })),
  /** guest → */
  meet: kind(65, struct({ channel: u32, id: rendezvousId })),
  /** hub → machine: the guest's channel is open. */
  met: kind(66, struct({ channel: u32, id: rendezvousId, loginKey })),
} as const;

type BodyOf<Kind> = Kind extends { body: Field<infer T> } ? T : never;
export type FrameKind = keyof typeof FRAMES;
export type FrameOf<Kind extends FrameKind> = { kind: Kind } & BodyOf<(typeof FRAMES)[Kind]>;
export type Frame = { [Kind in FrameKind]: FrameOf<Kind> }[FrameKind];

/** What a hub takes from whom, after the login. Another frame ends the connection. */
export const HUB_TAKES: Readonly<Record<Role, readonly FrameKind[]>> = {
  machine: ["ping", "pong", "admit", "expel", "data", "close", "credit", "put", "took", "rendezvous"],
  device: ["ping", "pong", "open", "data", "close", "credit", "put", "took", "rendezvous"],
  guest: ["ping", "pong", "meet", "data", "close", "credit"],
};

const names = Object.keys(FRAMES) as FrameKind[];
const BY_CODE: ReadonlyMap<number, FrameKind> = new Map(names.map((name) => [FRAMES[name].code, name]));

/** @throws FORM_INVALID: a value that does not fit its field. */
export function encodeFrame(frame: Frame): Uint8Array {
  const { code, body } = FRAMES[frame.kind];
  return encodeWith(`${frame.kind} frame`, (writer) => {
    writer.integer(code, 1);
    (body as Field<unknown>).write(frame, writer);
  });
}

/**
 * The frame that these bytes are. The byte arrays in it are views of `bytes`: copy what outlives them.
 * @throws FORM_INVALID, and nothing else, for all bytes that are no frame; no more is allocated than the bytes are long.
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length > FRAME_BYTES_MAX)
    throw formInvalid("frame", `it has ${bytes.length} bytes, over ${FRAME_BYTES_MAX}`);
  const name = BY_CODE.get(bytes[0] ?? -1);
  if (name === undefined)
    throw formInvalid("frame", bytes.length === 0 ? "it is empty" : `kind ${bytes[0]} is unknown`);
  const values = decodeWith(`${name} frame`, bytes, (reader) => {
    reader.integer(1);
    return FRAMES[name].body.read(reader);
  });
  return { kind: name, ...values } as Frame;
}

function kind<T>(code: number, body: Field<T>): { code: number; body: Field<T> } {
  return { code, body };
}
