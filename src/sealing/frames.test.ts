import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isWarrenError } from "../protocol/errors.ts";
import { DATA_BYTES_MAX, decodeFrame, encodeFrame, FRAME_BYTES_MAX, type Frame, RECORD_BYTES_MAX } from "./frames.ts";
import { decodeHeads } from "./heads.ts";
import { decodeLive, encodeLive, type LiveFrame } from "./live.ts";
import { INTRODUCTION } from "./pairing.ts";
import { copiesOf } from "./period.ts";
import { decodeRecord } from "./record.ts";
import { throwsWith } from "./testing/checks.ts";
import { counting, hexOf } from "./testing/fixed.ts";

const n = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const u32 = fc.nat({ max: 0xffffffff });
const u64 = fc.maxSafeNat();
const some = fc.uint8Array({ maxLength: 300 });
const short = fc.string({ maxLength: 60, unit: "grapheme" });
const long = fc.string({ maxLength: 300, unit: "grapheme" });
const role = fc.constantFrom("machine" as const, "device" as const, "guest" as const);
const refusal = { code: short, sentence: long, fix: long };
/** fast-check's records have no prototype; ours have. */
function plain<T>(...kinds: fc.Arbitrary<T>[]): fc.Arbitrary<T> {
  return fc.oneof(...kinds).map((value) => structuredClone(value));
}
const is = <const Kind extends string>(kind: Kind) => fc.constant(kind);

const frames: fc.Arbitrary<Frame> = plain<Frame>(
  fc.record({ kind: is("hello"), nonce: n(16) }),
  fc.record(
    {
      kind: is("login"),
      role,
      key: fc.oneof(n(16), n(32)),
      nonce: n(16),
      signature: n(64),
      cursor: u64,
      invitation: n(16),
    },
    { requiredKeys: ["kind", "role", "key", "nonce", "signature", "cursor"] },
  ),
  fc.record(
    { kind: is("welcome"), signature: n(64), missed: fc.record({ head: u64, floor: u64 }) },
    { requiredKeys: ["kind", "signature"] },
  ),
  fc.record({ kind: is("refused"), ...refusal }),
  fc.record({ kind: is("done"), request: u32 }),
  fc.record({ kind: is("failed"), request: u32, ...refusal }),
  fc.record({ kind: fc.constantFrom("ping" as const, "pong" as const), token: u32 }),
  fc.record({ kind: fc.constantFrom("admit" as const, "expel" as const), request: u32, loginKey: n(32) }),
  fc.record({ kind: is("presence"), space: n(32), isPresent: fc.boolean() }),
  fc.record({ kind: is("open"), channel: u32, space: n(32) }),
  fc.record({ kind: is("opened"), channel: u32, loginKey: n(32) }),
  fc.record({ kind: is("data"), channel: u32, bytes: some }),
  fc.record({
    kind: is("close"),
    channel: u32,
    reason: fc.constantFrom("done" as const, "gone", "refused", "expelled", "too_slow", "hub_ends"),
  }),
  fc.record({ kind: is("credit"), channel: u32, bytes: u32 }),
  fc.record({ kind: is("put"), request: u32, record: some }),
  fc.record({ kind: is("record"), place: u64, record: some }),
  fc.record({ kind: is("took"), place: u64 }),
  fc.record({ kind: is("rendezvous"), request: u32, id: n(16), expires: u32 }),
  fc.record({ kind: is("meet"), channel: u32, id: n(16) }),
  fc.record({ kind: is("met"), channel: u32, id: n(16), loginKey: n(32) }),
);

const liveFrames: fc.Arbitrary<LiveFrame> = plain<LiveFrame>(
  fc.record({ kind: is("open"), stream: u32, target: short }),
  fc.record({ kind: is("data"), stream: u32, bytes: some }),
  fc.record({ kind: is("close"), stream: u32, code: short, sentence: long }),
  fc.record({ kind: is("credit"), stream: u32, bytes: u32 }),
  fc.record({ kind: fc.constantFrom("ping" as const, "pong" as const), token: u64 }),
);

test("frames: each one reads back as it was written, and no byte more or less is taken", () => {
  fc.assert(
    fc.property(frames, (frame) => {
      const bytes = encodeFrame(frame);
      assert.deepEqual(decodeFrame(bytes), frame);
      assert.deepEqual(decodeFrame(Buffer.from(bytes)), frame, "of a Buffer as well");
    }),
    { numRuns: 2_000 },
  );
});

test("frames of a session: each one reads back as it was written", () => {
  fc.assert(
    fc.property(liveFrames, (frame) => assert.deepEqual(decodeLive(encodeLive(frame)), frame)),
    { numRuns: 1_000 },
  );
});

test("frames: one that is cut, or longer than itself, is refused unless it ends in open bytes", () => {
  const open = new Set(["data", "put", "record"]);
  fc.assert(
    fc.property(frames, (frame) => {
      const bytes = encodeFrame(frame);
      for (const wrong of [bytes.subarray(0, -1), new Uint8Array([...bytes, 0])])
        if (!open.has(frame.kind) || wrong.length < 13) refusedOrFrame(wrong, !open.has(frame.kind));
    }),
    { numRuns: 1_000 },
  );
});

test("decoders: 100,000 inputs, made up and spoilt, give a value or FORM_INVALID and its like, never another error", () => {
  const decoders = [decodeFrame, decodeLive, decodeRecord, decodeHeads, copiesOf, INTRODUCTION.decode];
  const random = fc.sample(fc.uint8Array({ maxLength: 400 }), { numRuns: 4_000, seed: 11 });
  const spoilt = fc.sample(frames, { numRuns: 4_000, seed: 12 }).flatMap((frame, index) => {
    const bytes = encodeFrame(frame);
    const flipped = bytes.map((byte, at) => (at === index % bytes.length ? byte ^ (1 << (index % 8)) : byte));
    return [flipped, bytes.subarray(0, index % (bytes.length + 1)), new Uint8Array([...bytes, ...flipped])];
  });
  let count = 0;
  for (const bytes of [...random, ...spoilt, ...random.map((one) => new Uint8Array([(one[0] ?? 0) % 70, ...one]))])
    for (const decode of decoders) {
      count++;
      try {
        decode(bytes);
      } catch (error) {
        if (!isWarrenError(error)) assert.fail(`${decode.name} of ${hexOf(bytes)}: ${error}`);
      }
    }
  assert.ok(count >= 100_000, `${count}`);
});

test("frames: what is too long is refused, the longest passes", () => {
  const data = (length: number): Frame => ({ kind: "data", channel: 1, bytes: new Uint8Array(length) });
  assert.equal((decodeFrame(encodeFrame(data(DATA_BYTES_MAX))) as { bytes: Uint8Array }).bytes.length, DATA_BYTES_MAX);
  throwsWith("FORM_INVALID", () => encodeFrame(data(DATA_BYTES_MAX + 1)));
  const forged = new Uint8Array(DATA_BYTES_MAX + 6);
  forged[0] = 34;
  throwsWith("FORM_INVALID", () => decodeFrame(forged));
  throwsWith("FORM_INVALID", () =>
    encodeFrame({ kind: "record", place: 1, record: new Uint8Array(RECORD_BYTES_MAX + 1) }),
  );
  throwsWith("FORM_INVALID", () => decodeFrame(new Uint8Array(FRAME_BYTES_MAX + 1)));
});

test("frames: texts that are not UTF-8, numbers past 2^53, unknown flags, reasons and kinds are refused", () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);
  for (const wrong of [
    bytes(),
    bytes(0),
    bytes(4, 1, 0xff, 0, 0, 0, 0),
    bytes(50, 0xff, 0, 0, 0, 0, 0, 0, 0),
    bytes(35, 0, 0, 0, 1, 6),
    bytes(18, ...counting(32), 2),
    bytes(2, 0, ...counting(104)),
    bytes(2, 17, ...counting(104)),
    bytes(2, 0x11, ...counting(104)),
    bytes(200, 1),
  ])
    throwsWith("FORM_INVALID", () => decodeFrame(wrong));
  throwsWith("FORM_INVALID", () => encodeFrame({ kind: "took", place: 2 ** 53 }));
  throwsWith("FORM_INVALID", () => encodeFrame({ kind: "took", place: -1 }));
  throwsWith("FORM_INVALID", () => encodeFrame({ kind: "refused", code: "x".repeat(256), sentence: "", fix: "" }));
});

test("frames: a login that missed nothing costs 188 bytes there and back", () => {
  const sizes = [
    encodeFrame({ kind: "hello", nonce: counting(16) }),
    encodeFrame({
      kind: "login",
      role: "device",
      key: counting(16),
      nonce: counting(16),
      signature: counting(64),
      cursor: 9,
    }),
    encodeFrame({ kind: "welcome", signature: counting(64) }),
  ].map((one) => one.length);
  assert.deepEqual(sizes, [17, 106, 65]);
});

function refusedOrFrame(bytes: Uint8Array, mustRefuse: boolean): void {
  try {
    const frame = decodeFrame(bytes);
    // A login without its invitation, or a welcome that is cut at its signature, cannot come of one byte.
    assert.ok(!mustRefuse, `${frame.kind} was taken: ${hexOf(bytes)}`);
  } catch (error) {
    assert.ok(isWarrenError(error), String(error));
  }
}
