import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Emulator } from "./emulator.ts";
import { runs, sizes, streams } from "./testing/streams.ts";
import { emulatorAfter, newEmulator, stateOf } from "./testing/terminal-state.ts";

/** What a terminal of that size shows of it, whatever it has shown before. */
function seenOf(text: string, session: [cols: number, rows: number], [cols, rows]: [number, number]) {
  const terminal = newEmulator(cols, rows);
  terminal.write(Buffer.from(`\x1b[?1049h\x1b[2;3r\x1b[?6;1000h\x1b[4h\x1b[41m${"old ".repeat(cols * rows)}`));
  terminal.write(emulatorAfter(...session, Buffer.from(text)).render(cols, rows));
  return terminal;
}

function textOf(terminal: Emulator) {
  const { lines, cursor } = terminal.text();
  return { lines: lines.map((line) => line.trimEnd()), cursor };
}

test("picture: on a larger terminal, all of it, with a line where it ends", () => {
  assert.deepEqual(textOf(seenOf("one\r\ntwo\r\nthree", [6, 3], [10, 6])), {
    lines: ["one   │", "two   │", "three │", "──────┘", "", ""],
    cursor: { x: 5, y: 2 },
  });
  assert.deepEqual(textOf(seenOf("one\r\ntwo", [6, 2], [6, 4])).lines, ["one", "two", "──────", ""]);
});

test("picture: on a smaller terminal, the part around the cursor", () => {
  const text = Array.from({ length: 9 }, (_, row) => `row ${row} abcdefghij`).join("\r\n");
  const seen = (place: string) => textOf(seenOf(`${text}\x1b[${place}H`, [16, 9], [6, 3]));
  assert.deepEqual(seen("1;1"), { lines: ["row 0", "row 1", "row 2"], cursor: { x: 0, y: 0 } });
  assert.deepEqual(seen("5;9"), { lines: [" abcde", " abcde", " abcde"], cursor: { x: 3, y: 1 } });
  assert.deepEqual(seen("9;16"), { lines: ["efghij", "efghij", "efghij"], cursor: { x: 5, y: 2 } });
});

test("picture: a wide character that is cut through is blank", () => {
  assert.deepEqual(textOf(seenOf("日本語\x1b[1;1H", [6, 1], [3, 1])).lines, ["日"]);
  assert.deepEqual(textOf(seenOf("日本語\x1b[1;4H", [6, 1], [2, 1])).lines, ["本"]);
  assert.deepEqual(textOf(seenOf("日本語\x1b[1;3H", [6, 1], [3, 1])).lines, [" 本"]);
});

test("picture: how keys are sent is set, how the mouse and the margins are is not", () => {
  const terminal = seenOf(
    "\x1b[?1;2004;1000;1006;6h\x1b=\x1b[>5u\x1b[>4;2m\x1b[2;3r\x1b[?25l\x1b]2;title\x07",
    [9, 5],
    [20, 9],
  );
  const { modes, mouse, keys, others, region, isCursorHidden, title } = stateOf(terminal);
  const { applicationCursorKeys, bracketedPasteMode, applicationKeypad, origin } = modes as Record<string, boolean>;
  assert.deepEqual([applicationCursorKeys, bracketedPasteMode, applicationKeypad, origin], [true, true, true, false]);
  assert.deepEqual([mouse, keys, others], ["NONE", ["\x1b[>5u", ""], "\x1b[>4;2m"]);
  assert.deepEqual([region, isCursorHidden, title], [[0, 8], true, "title"]);
});

test("picture: of any screen on a terminal of any size, it is the same cells, and nothing scrolls", () => {
  fc.assert(
    fc.property(sizes, streams(), sizes, (size, bytes, seenSize) => {
      const emulator = emulatorAfter(size.cols, size.rows, bytes);
      const picture = emulator.render(seenSize.cols, seenSize.rows);
      const terminal = emulatorAfter(seenSize.cols, seenSize.rows, picture);
      const again = emulatorAfter(seenSize.cols, seenSize.rows, picture, picture);
      assert.deepEqual(stateOf(again), stateOf(terminal), "painted twice, it is the same");
      if (size.cols > seenSize.cols || size.rows > seenSize.rows) return;
      const { lines, cursor } = terminal.text();
      const whole = emulator.text();
      const width = (line: string) => line.padEnd(size.cols).slice(0, size.cols);
      if (whole.lines.every((line) => /^[ -~]*$/.test(line)))
        assert.deepEqual(lines.slice(0, size.rows).map(width), whole.lines.map(width));
      assert.deepEqual(cursor, { x: Math.min(whole.cursor.x, size.cols - 1), y: whole.cursor.y });
    }),
    runs(200),
  );
});
