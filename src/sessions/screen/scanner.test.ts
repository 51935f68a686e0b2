import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CutScanner } from "./scanner.ts";
import { runs, streams } from "./testing/streams.ts";
import { newEmulator } from "./testing/terminal-state.ts";

/** Where the stream may be cut, by asking after every byte. */
function cutsOf(bytes: Uint8Array): number[] {
  const scanner = new CutScanner();
  return [...bytes].flatMap((byte, at) => (scanner.push(Uint8Array.of(byte)) === 1 ? [at + 1] : []));
}

const cases: readonly (readonly [what: string, text: string, cuts: number[]])[] = [
  ["plain text", "ab\r\n", [1, 2, 3, 4]],
  ["a character of two bytes", "aéb", [1, 3, 4]],
  ["a character of four bytes", "🦊", [4]],
  ["CSI", "\x1b[1;2H!", [6, 7]],
  ["a control character within CSI", "\x1b[1\nH", [5]],
  ["a sequence that another begins in", "\x1b[1\x1b[m", [6]],
  ["a sequence that is cancelled", "\x1b[1\x18a", [4, 5]],
  ["a designation", "\x1b(0a", [3, 4]],
  ["a designation of a set whose name begins like a sequence", "\x1b([a", [3, 4]],
  ["a control character within an escape", "\x1b\n[A", [4]],
  ["OSC, ended by BEL", "\x1b]0;é\x07a", [7, 8]],
  ["OSC, ended by ST", "\x1b]0;t\x1b\\a", [7, 8]],
  ["DCS, in which BEL is a byte like others", "\x1bPq\x07#\x1b\\", [7]],
  ["APC, broken off by another sequence", "\x1b_G\x1b[m", [6]],
  ["C1 controls in UTF-8: CSI, OSC and ST", "\u009b1m\u009dt\u009c.", [4, 9, 10]],
  ["a character with the byte of ST in it", "\x1b]0;\u201c\x07", [8]],
];
for (const [what, text, cuts] of cases)
  test(`scanner: ${what}`, () => assert.deepEqual(cutsOf(Buffer.from(text)), cuts));

test("scanner: bytes that are no UTF-8 hold nothing up", () => {
  assert.deepEqual(cutsOf(Buffer.from([0xff, 0x80, 0xe2, 0x82, 0x61, 0xe2, 0xc3, 0xa9])), [1, 2, 5, 8]);
});

test("scanner: in any pieces, the last cut is the same", () => {
  fc.assert(
    fc.property(streams(), fc.array(fc.nat({ max: 9 })), (bytes, lengths) => {
      const scanner = new CutScanner();
      let last = -1;
      for (let at = 0, piece = 0; at < bytes.length; piece++) {
        const end = Math.min(bytes.length, at + (lengths[piece] ?? 50));
        const cut = scanner.push(bytes.subarray(at, end));
        if (cut >= 0) last = at + cut;
        at = end;
      }
      assert.equal(last, new CutScanner().push(bytes));
    }),
    runs(200),
  );
});

test("scanner: wherever it cuts, the emulator's parser is between two sequences", () => {
  fc.assert(
    fc.property(streams({ rubbishWeight: 6 }), (bytes) => {
      for (const cut of cutsOf(bytes)) {
        const { core } = newEmulator(10, 3).internals;
        core.writeSync(bytes.subarray(0, cut));
        assert.equal(core._inputHandler._parser.currentState, 0, `after ${cut} bytes`);
      }
    }),
    runs(40),
  );
});
