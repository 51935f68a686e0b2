import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  encodeFrame,
  FRAME,
  FRAME_PAYLOAD_BYTES_MAX,
  type Frame,
  FrameSplitter,
  FrameTooLong,
} from "./keeper-frames.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const plain = (frames: Frame[]) => frames.map((frame) => ({ ...frame, payload: hex(frame.payload) }));

/** As released; these bytes do not change. */
const GOLDEN: readonly (readonly [Frame, string])[] = [
  [
    { type: FRAME.call, channel: 0, offset: 1n, payload: Buffer.from('{"call":"hello"}') },
    "01000000000000000000000001000000107b2263616c6c223a2268656c6c6f227d",
  ],
  [
    { type: FRAME.answer, channel: 0, offset: 1n, payload: Buffer.from("{}") },
    "02000000000000000000000001000000027b7d",
  ],
  [
    { type: FRAME.output, channel: 0xdeadbeef, offset: 0x0123456789abcdefn, payload: Buffer.of(0, 255) },
    "04deadbeef0123456789abcdef0000000200ff",
  ],
  [
    { type: FRAME.exit, channel: 0xffffffff, offset: 0xffffffffffffffffn, payload: Buffer.of() },
    "05ffffffffffffffffffffffff00000000",
  ],
];

test("frames: the golden bytes, out and in", () => {
  for (const [frame, bytes] of GOLDEN) {
    assert.equal(hex(encodeFrame(frame)), bytes);
    assert.deepEqual(plain(new FrameSplitter().push(Buffer.from(bytes, "hex"))), plain([frame]));
  }
});

const frames = fc.array(
  fc.record({
    type: fc.nat(255),
    channel: fc.nat(2 ** 32 - 1),
    offset: fc.bigInt(0n, 2n ** 64n - 1n),
    payload: fc.uint8Array({ maxLength: 300 }),
  }),
  { maxLength: 12 },
);

test("frames: come whole and in order, at whatever borders the stream is cut", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1 }), (sent, sizes) => {
      const stream = Buffer.concat(sent.map(encodeFrame));
      const splitter = new FrameSplitter();
      const got: Frame[] = [];
      for (let at = 0, cut = 0; at < stream.length; cut++) {
        const end = at + sizes[cut % sizes.length]!;
        got.push(...splitter.push(stream.subarray(at, end)));
        at = end;
      }
      assert.deepEqual(plain(got), plain(sent));
    }),
  );
});

test("frames: a payload over the limit is refused by its header, before it is held", () => {
  const header = encodeFrame({ type: 1, channel: 0, offset: 0n, payload: Buffer.of() });
  new DataView(header.buffer).setUint32(13, 4 * 1024 * 1024 + 1);
  assert.throws(() => new FrameSplitter().push(header), FrameTooLong);
  new DataView(header.buffer).setUint32(13, 4 * 1024 * 1024);
  assert.deepEqual(new FrameSplitter().push(header), []);
});

test("frames: one of 4 MB that comes in pieces of 1 KB is copied a few times, not once for each piece", () => {
  const frame = encodeFrame({ type: 4, channel: 7, offset: 9n, payload: Buffer.alloc(FRAME_PAYLOAD_BYTES_MAX, "x") });
  const splitter = new FrameSplitter();
  const startedMs = process.cpuUsage().user / 1000;
  const got: Frame[] = [];
  for (let at = 0; at < frame.length; at += 1024) got.push(...splitter.push(frame.subarray(at, at + 1024)));
  assert.deepEqual(
    got.map(({ payload }) => payload.length),
    [FRAME_PAYLOAD_BYTES_MAX],
  );
  // Copied for each piece it is 8 GB.
  assert.ok(process.cpuUsage().user / 1000 - startedMs < 500);
});
