import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeJson,
  decodePosition,
  decodeTerminalSize,
  encodeJson,
  encodePosition,
  encodeTerminalFrame,
  encodeTerminalSize,
  TERMINAL_FRAME,
  type TerminalFrame,
  TerminalFrameSplitter,
  TerminalFrameTooLong,
} from "./terminal-frames.ts";

/** As they were released, in hex: an older client talks to a newer server. They are added to, never changed. */
const GOLDEN: Record<keyof typeof TERMINAL_FRAME, [frame: Uint8Array, hex: string]> = {
  output: [
    encodeTerminalFrame(TERMINAL_FRAME.output, encodePosition(258), Buffer.from("hi")),
    "010000000a00000000000001026869",
  ],
  input: [
    encodeTerminalFrame(TERMINAL_FRAME.input, encodePosition(1), Buffer.from("\r")),
    "020000000900000000000000010d",
  ],
  resize: [
    encodeTerminalFrame(TERMINAL_FRAME.resize, encodeTerminalSize({ cols: 132, rows: 43 })),
    "03000000040084002b",
  ],
  screen: [encodeTerminalFrame(TERMINAL_FRAME.screen, encodePosition(0)), "04000000080000000000000000"],
  end: [
    encodeTerminalFrame(TERMINAL_FRAME.end, encodeJson({ kind: "exited", status: 0 })),
    "050000001c7b226b696e64223a22657869746564222c22737461747573223a307d",
  ],
  control: [
    encodeTerminalFrame(TERMINAL_FRAME.control, encodeJson({ take: true })),
    "060000000d7b2274616b65223a747275657d",
  ],
  ack: [encodeTerminalFrame(TERMINAL_FRAME.ack, encodePosition(2 ** 40)), "07000000080000010000000000"],
};

test("terminal frames: the bytes of every type are those that were released", () => {
  for (const [name, [frame, hex]] of Object.entries(GOLDEN))
    assert.equal(Buffer.from(frame).toString("hex"), hex, name);
});

test("terminal frames: however the stream is cut, the same frames come out", () => {
  const frame = fc.record({ type: fc.integer({ min: 1, max: 9 }), payload: fc.uint8Array({ maxLength: 40 }) });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 30 })), (frames, cuts) => {
      const stream = Buffer.concat(frames.map(({ type, payload }) => encodeTerminalFrame(type, payload)));
      const splitter = new TerminalFrameSplitter();
      const got: TerminalFrame[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const length = cuts[turn % Math.max(1, cuts.length)] ?? 7;
        got.push(...splitter.push(stream.subarray(at, at + length)));
        at += length;
      }
      assert.deepEqual(
        got.map(({ type, payload }) => [type, [...payload]]),
        frames.map(({ type, payload }) => [type, [...payload]]),
      );
    }),
  );
});

test("terminal frames: one that is too long is refused before it is there", () => {
  const header = encodeTerminalFrame(1, new Uint8Array(2_000)).subarray(0, 5);
  assert.throws(() => new TerminalFrameSplitter(1_000).push(header), TerminalFrameTooLong);
});

test("terminal frames: positions, sizes and JSON come back as they were", () => {
  const { position, bytes } = decodePosition(Buffer.concat([encodePosition(2 ** 50), Buffer.from("x")]));
  assert.deepEqual([position, Buffer.from(bytes).toString()], [2 ** 50, "x"]);
  assert.deepEqual(decodeTerminalSize(encodeTerminalSize({ cols: 1000, rows: 1 })), { cols: 1000, rows: 1 });
  assert.deepEqual(decodeJson(encodeJson({ ü: "日本" })), { ü: "日本" });
});
