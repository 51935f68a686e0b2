import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LineSplitter, LineTooLong } from "./lines.ts";

test("lines: come whole and in order, at whatever borders the stream is cut, characters included", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 40 }).filter((line) => !/[\n\uFEFF]/.test(line));
  fc.assert(
    fc.property(fc.array(text), fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (sent, sizes) => {
      const stream = Buffer.from(sent.map((line) => `${line}\n`).join(""));
      const splitter = new LineSplitter();
      const got: string[] = [];
      for (let at = 0, cut = 0; at < stream.length; cut++) {
        const end = at + sizes[cut % sizes.length]!;
        got.push(...splitter.push(stream.subarray(at, end)));
        at = end;
      }
      assert.deepEqual(got, sent);
    }),
  );
});

test("lines: the limit holds for a line in one piece and in many, without its newline", () => {
  const whole = new LineSplitter(4);
  assert.deepEqual(whole.push(Buffer.from("abcd\nab")), ["abcd"]);
  assert.deepEqual(whole.push(Buffer.from("cd\n")), ["abcd"]);
  assert.throws(() => new LineSplitter(4).push(Buffer.from("abcde")), LineTooLong);
  assert.throws(() => new LineSplitter(4).push(Buffer.from("abcde\n")), LineTooLong);
  const pieces = new LineSplitter(4);
  pieces.push(Buffer.from("abc"));
  assert.throws(() => pieces.push(Buffer.from("de\n")), LineTooLong);
});

test("lines: bytes that are no UTF-8 do not end the stream", () => {
  assert.deepEqual(new LineSplitter().push(Buffer.from([0x61, 0xff, 0x0a, 0x62, 0x0a])), ["a\uFFFD", "b"]);
});
