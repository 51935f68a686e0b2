import type { FrameKind } from "../../../src/sealing/frames.ts";
import type { RecordKindName } from "../../../src/sealing/record.ts";

/** What each thing that lies open to a hub is, in words for people. What is not here and is seen fails the test of the threat model. */
const request = "a number of the asker's";
const channel = "the channel's number";
const space = "the space: the machine's login key here";
const refusal = { code: "a code of the hub's", sentence: "its sentence", fix: "what to do" };
const place = "a number of the hub's";

export const FRAME_FIELDS: Readonly<Record<FrameKind, Readonly<Record<string, string>>>> = {
  hello: { nonce: "random bytes" },
  login: {
    role: "the role",
    key: "the login key, or its fingerprint",
    nonce: "random bytes",
    signature: "a signature of the login key",
    cursor: "how far it has read",
    invitation: "a proof of the invitation",
  },
  welcome: { signature: "the hub's signature", missed: "how far there is to read" },
  refused: refusal,
  done: { request },
  failed: { request, ...refusal },
  ping: { token: "a number" },
  pong: { token: "the same number" },
  admit: { request, loginKey: "the device's login key here" },
  expel: { request, loginKey: "the device's login key here" },
  presence: { space, isPresent: "whether the machine is there" },
  open: { channel, space },
  opened: { channel, loginKey: "the device's login key here" },
  data: { channel },
  close: { channel, reason: "why, one of six" },
  credit: { channel, bytes: "how much was read" },
  put: { request },
  record: { place },
  took: { place },
  rendezvous: { request, id: "the hash of a pairing's key", expires: "when the code ends" },
  meet: { channel, id: "the hash of a pairing's key" },
  met: { channel, id: "the hash of a pairing's key", loginKey: "the guest's login key here" },
};

export const HUB_SAYS: readonly FrameKind[] = [
  ...(["hello", "welcome", "refused", "done", "failed", "ping", "pong", "presence"] as const),
  ...(["opened", "data", "close", "credit", "record", "met"] as const),
];

export const RECORD_FIELDS: Readonly<Record<string, string>> = {
  kind: "which of the seven kinds",
  space,
  stream: "8 bytes that name a stream, others in each period",
  sender: "the sender's login key here",
  period: "the period's number: a time in seconds",
  seq: "the record's number in its stream",
  prev: "the hash of the one before",
  atMs: "the sender's time",
  salt: "random bytes",
  signature: "a signature that it cannot check",
};

/** By kind: what is seen of a record's text, and what is not. */
export const RECORD_TEXTS: Readonly<Record<RecordKindName, { seen: readonly string[]; sealed: string }>> = {
  state: { seen: [], sealed: "the unit's row, padded" },
  item: { seen: [], sealed: "the item, padded" },
  request: { seen: [], sealed: "the request, padded" },
  result: { seen: [], sealed: "the result, padded" },
  period: { seen: ["the devices' login keys here"], sealed: "the period's key, a copy for each device; padded" },
  members: { seen: [], sealed: "the list of devices, padded" },
  head: { seen: [], sealed: "the list of streams, padded" },
};

/** In parentheses: what is not a header. A browser says more than the two clients of the test. */
export const HEADERS: Readonly<Record<string, string>> = {
  "(address)": "the client's address and port, or what the proxy before the hub says of it",
  "(time)": "when, how long, how often, and how much",
  "(browsers)": "besides: `User-Agent`, the languages, and in `Origin` from where the app was loaded",
  "`GET /hub/v1`": "a WebSocket is wanted",
  "`GET /hub/v1/key`": "somebody asks which hub this is",
  host: "the address under which the hub was called",
  connection: "of the protocol",
  upgrade: "of the protocol",
  "sec-websocket-version": "of the protocol",
  "sec-websocket-key": "random bytes",
  accept: "of the protocol",
  "accept-encoding": "of the protocol",
  "accept-language": "any",
  "sec-fetch-mode": "of the protocol",
  "user-agent": "`node`",
};

export const COLUMNS: Readonly<Record<string, string>> = {
  "generations.base": "the first place of a start of the hub",
  "generations.head": "the last place of the start before",
  "invitations.hash": "the hash of an invitation that waits",
  "invitations.label": "what the hub's owner called it",
  "invitations.expires_ms": "when it ends",
  "members.space": "the row of the space",
  "members.login_key": "the member's login key here",
  "members.fingerprint": "its fingerprint",
  "members.is_machine": "machine or device",
  "members.admitted_ms": "since when",
  "members.seen_ms": "when it was here last",
  "members.head": "the last place that is for it",
  "members.took": "how far it has read",
  "meta.key": "nothing: the table is empty",
  "meta.value": "nothing",
  "records.place": "the hub's number of the record",
  "records.space": "the row of the space",
  "records.kind": "which of the seven kinds",
  "records.stream": "the 8 bytes that name its stream",
  "records.sender": "the sender's login key here",
  "records.seq": "its number in its stream",
  "records.hash": "the hash of its bytes",
  "records.at_ms": "when it came",
  "records.bytes": "the record as it was on the wire",
  "spaces.id": "the row of the space",
  "spaces.machine": "the machine's login key here",
  "spaces.fingerprint": "its fingerprint",
  "spaces.label": "what the hub's owner called the invitation; on the machine's own hub, its host name",
  "spaces.admitted_ms": "since when",
  "spaces.seen_ms": "when it was here last",
  "spaces.head": "the last place in it",
  "spaces.floor": "the last place of what was forgotten",
  "spaces.bytes": "how much is in it",
  "spaces.records": "how many records",
};

export const LOG_FIELDS: Readonly<Record<string, string>> = {
  at: "when",
  level: "the level",
  port: "the hub's port",
  fingerprint: "the hub's fingerprint",
  code: "a code of the hub's",
  role: "the role",
  error: "the hub's own sentence",
};
