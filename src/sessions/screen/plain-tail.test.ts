import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PlainTail } from "./plain-tail.ts";
import { runs, sizes, streams } from "./testing/streams.ts";
import { emulatorAfter, newEmulator, stateOf } from "./testing/terminal-state.ts";

const line = fc.oneof(
  { arbitrary: fc.stringMatching(/^[ -~]{0,30}$/), weight: 6 },
  { arbitrary: fc.constantFrom("", "overwritten\rin place", "x".repeat(300), "a line feed\nalone"), weight: 1 },
);
const floods = fc
  .tuple(fc.array(line, { maxLength: 120, size: "max" }), fc.boolean())
  .map(([lines, isEnded]) => Buffer.from(lines.join("\r\n") + (isEnded ? "\r\n" : "")));

test("skip-ahead: from any state that allows it, in any pieces, the end is what all of the text makes", () => {
  let skipCount = 0;
  fc.assert(
    fc.property(
      sizes,
      streams({ isNarrow: true, piecesMax: 20 }),
      floods,
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1 }),
      streams({ isNarrow: true, piecesMax: 10 }),
      ({ cols, rows }, before, flood, lengths, after) => {
        const whole = emulatorAfter(cols, rows, before);
        fc.pre(whole.scrollsPlainly);
        const skipped = emulatorAfter(cols, rows, before);
        whole.write(flood);
        const tail = new PlainTail(rows);
        for (let at = 0, piece = 0; at < flood.length; piece++) {
          const end = Math.min(flood.length, at + lengths[piece % lengths.length]!);
          assert.ok(tail.push(flood.subarray(at, end)));
          at = end;
        }
        if (flood.toString().split("\r\n").length > 2 * rows + 2) skipCount += 1;
        tail.flush(skipped);
        assert.deepEqual(stateOf(skipped), stateOf(whole));
        for (const emulator of [whole, skipped]) emulator.write(after);
        assert.deepEqual(stateOf(skipped), stateOf(whole), "what comes after it");
      },
    ),
    runs(400),
  );
  assert.ok(skipCount > 20, `${skipCount} were long enough to skip something`);
});

test("skip-ahead: what is no plain text is not taken", () => {
  for (const text of ["\x1b[m", "\t", "\x07", "é", "\x7f", "\x0e", "\b"])
    assert.equal(new PlainTail(24).push(Buffer.from(`plain\r\n${text}`)), false, JSON.stringify(text));
});

test("skip-ahead: what is held is a copy", () => {
  const tail = new PlainTail(24);
  const read = Buffer.from("a line\r\n");
  assert.ok(tail.push(read));
  read.fill("#");
  const emulator = newEmulator(20, 2);
  tail.flush(emulator);
  assert.deepEqual(emulator.text().lines, ["a line", ""]);
});

test("skip-ahead: a line that does not end is fed at last", () => {
  const tail = new PlainTail(24);
  const piece = Buffer.alloc(256 * 1024, "x");
  let taken = 0;
  while (tail.push(piece) && taken < 100) taken += 1;
  assert.equal(taken, 4);
});

test("skip-ahead: not on the alternate screen, within margins, or in the middle of a sequence", () => {
  assert.equal(emulatorAfter(20, 5, Buffer.from("text")).scrollsPlainly, true);
  for (const text of ["\x1b[?1049h", "\x1b[2;4r", "\x1b[1", "\x1b]0;t", "\xc3"])
    assert.equal(emulatorAfter(20, 5, Buffer.from(text, "latin1")).scrollsPlainly, false, JSON.stringify(text));
});
