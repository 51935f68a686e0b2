import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Emulator } from "./emulator.ts";
import { places, runs, sizes, streams } from "./testing/streams.ts";
import { emulatorAfter, NO_EVENTS, newEmulator, stateOf } from "./testing/terminal-state.ts";

for (const isNarrow of [false, true])
  test(`screen: at any cut, it and the rest make what the whole stream makes${isNarrow ? ", without autowrap too" : ""}`, () => {
    fc.assert(
      fc.property(sizes, streams({ isNarrow }), places, ({ cols, rows }, bytes, place) => {
        const cut = Math.round(place * bytes.length);
        const emulator = emulatorAfter(cols, rows, bytes.subarray(0, cut));
        const again = emulatorAfter(cols, rows, emulator.screen());
        assert.deepEqual(stateOf(again), stateOf(emulator), "what is shown again");
        emulator.write(bytes.subarray(cut));
        again.write(bytes.subarray(cut));
        assert.deepEqual(stateOf(again), stateOf(emulator), "what comes of it");
      }),
      runs(300),
    );
  });

test("screen: it can be painted over whatever another program has left behind", () => {
  fc.assert(
    fc.property(sizes, streams(), streams({ rubbishWeight: 3 }), ({ cols, rows }, bytes, left) => {
      const emulator = emulatorAfter(cols, rows, bytes);
      const used = newEmulator(cols, rows);
      const { core } = used.internals;
      core.writeSync(left); // cut anywhere, as a connection is
      core.writeSync(Buffer.from("\x1b\\\x1b[?5l\x1b[>m\x1b]2;\x1b\\")); // what a picture leaves as it is: what may be the user's own
      used.restore(emulator.screen());
      const { others: _, title: __, ...painted } = stateOf(used);
      const { others: ___, title: ____, ...wanted } = stateOf(emulator);
      assert.deepEqual(painted, wanted);
    }),
    runs(200),
  );
});

test("screen: neither resets the terminal nor touches its scrollback", () => {
  const bytes = emulatorAfter(80, 24, Buffer.from("text\x1b[?1049h\x1b[31mmore")).screen().toString();
  assert.doesNotMatch(bytes, /\x1bc|\x1b\[[23]J/);
});

test("screen: a sequence that has begun goes on in the terminal that gets it", () => {
  for (const [begun, rest, title] of [
    ["\x1b]2;a lo", "ng title\x07", "a long title"],
    [`\x1b]2;${"x".repeat(70_000)}`, "y\x1b\\", undefined],
    [`\x1bPq${"#0~".repeat(30_000)}`, "-\x1b\\", ""],
  ] as const) {
    const emulator = emulatorAfter(20, 4, Buffer.from("text"), Buffer.from(begun));
    const again = emulatorAfter(20, 4, emulator.screen(), Buffer.from(rest), Buffer.from("!"));
    assert.deepEqual(again.text().lines, ["text!", "", "", ""], begun.slice(0, 10));
    if (title !== undefined) assert.equal(again.title, title);
  }
});

test("screen: what has begun is kept, and not the buffer that it came in", () => {
  const emulator = newEmulator(20, 1);
  const read = Buffer.alloc(16); // one for all sessions
  for (const [text, from] of [
    ["a\x1b[3", 5],
    ["1mb\xc3", 5],
    ["\xa9c", 0],
  ] as const) {
    const piece = read.subarray(from, from + text.length);
    piece.write(text, "latin1");
    emulator.write(piece);
    read.fill("#");
  }
  assert.deepEqual(emulator.text().lines, ["abéc"]);
});

test("screen: half a character is not lost", () => {
  const emulator = emulatorAfter(20, 1, Buffer.from([0x61, 0xf0, 0x9f]));
  const again = emulatorAfter(20, 1, emulator.screen(), Buffer.from([0xa6, 0x8a]));
  assert.deepEqual(again.text().lines, ["a🦊"]);
});

for (const size of [
  { cols: 1, rows: 1 },
  { cols: 1000, rows: 500 },
])
  test(`screen: a terminal of ${size.cols} × ${size.rows}`, () => {
    const text = Buffer.from("\x1b[1;7mone 日本\x1b[m two\r\nthree".repeat(size.rows));
    const emulator = new Emulator(size, NO_EVENTS);
    emulator.write(text);
    const again = emulatorAfter(size.cols, size.rows, emulator.screen());
    assert.deepEqual(again.text(), emulator.text());
    assert.equal(again.text().lines.length, size.rows);
    if (size.cols > 1) assert.deepEqual(stateOf(again), stateOf(emulator));
    for (const [cols, rows] of [
      [1, 1],
      [80, 24],
      [1000, 1000],
    ] as const)
      assert.ok(emulator.render(cols, rows).length > 0);
  });

test("resize: the text moves, and a screen after it is whole", () => {
  fc.assert(
    fc.property(sizes, streams({ piecesMax: 30 }), sizes, streams({ piecesMax: 10 }), (size, before, next, after) => {
      const emulator = emulatorAfter(size.cols, size.rows, before);
      emulator.resize(next.cols, next.rows);
      const again = emulatorAfter(next.cols, next.rows, emulator.screen());
      assert.deepEqual(stateOf(again), stateOf(emulator));
      for (const one of [emulator, again]) one.write(after);
      assert.deepEqual(stateOf(again), stateOf(emulator));
    }),
    runs(200),
  );
});

test("resize: characters of several code points stay what they are where a line moves within itself", () => {
  const text = "👩‍💻à́";
  const emulator = emulatorAfter(20, 6, Buffer.from(`\x1b[20G${text}\r\n`));
  for (const cols of [15, 11, 7, 30]) {
    emulator.resize(cols, 6);
    assert.equal(emulator.text().lines.join("").trim(), text, `${cols} columns`);
  }
});

test("resize: an alternate screen that is entered afterwards has the new size, and keeps nothing that scrolls off it", () => {
  const emulator = emulatorAfter(2, 6);
  emulator.resize(2, 1);
  emulator.write(Buffer.from("\x1b[?1049h1\r\n2\r\n3"));
  assert.equal(emulator.internals.core.buffers.alt.lines.length, 1);
  emulator.write(Buffer.from("\x1b[1;1Hab\x1b[1J\x1b[1;1Hc")); // to the last cell
  assert.deepEqual(emulator.text().lines, ["c"]);
});

test("next program: what was on the screen stays, what was set does not", () => {
  const emulator = newEmulator(20, 4);
  emulator.write(
    Buffer.from("shell $\x1b[?1049h\x1b[?1000;1006;2004h\x1b[>5u\x1b[2;3r\x1b(0\x1b[31meditor\x1b]2;unfinished"),
  );
  emulator.startProgram();
  emulator.write(Buffer.from("next"));
  assert.deepEqual(emulator.text(), { lines: ["shell $", "next", "", ""], cursor: { x: 4, y: 1 } });
  const { mouse, keys, region, charsets, attributes } = stateOf(emulator);
  assert.deepEqual([mouse, keys, region, charsets, attributes], ["NONE", ["", ""], [0, 3], ["B", "B", "B", "B"], ""]);
});

test("next program: it goes on below what a shell has left, wherever a cursor was saved", () => {
  for (const saved of ["", "\x1b[1;3H\x1b7\x1b[1;1H"]) {
    const emulator = emulatorAfter(20, 5, Buffer.from(`${saved}$ ls\r\na  b\r\n$ exit\r\n`));
    emulator.startProgram();
    emulator.write(Buffer.from("$ pwd"));
    assert.deepEqual(emulator.text().lines, ["$ ls", "a  b", "$ exit", "$ pwd", ""]);
  }
});

test("events: title, bell, notifications and marks, each once; none of a screen that is restored", () => {
  const seen: unknown[] = [];
  const events = {
    onTitle: (title: string) => seen.push(["title", title]),
    onBell: () => seen.push(["bell"]),
    onNotification: (text: string) => seen.push(["notification", text]),
    onMark: (letter: string, status: number | undefined) => seen.push(["mark", letter, status]),
  };
  const emulator = new Emulator({ cols: 20, rows: 4 }, events as never);
  const parts = [
    "\x1b]0;one\x07\x1b]2;one\x07\x07\x1b]2;two\x1b\\",
    "\x1b]9;done; really\x07\x1b]9;4;1;50\x07\x1b]777;notify;Title;the; body\x07\x1b]777;other\x07",
    "\x1b]133;A\x07\x1b]133;C;cmdline=x\x07\x1b]133;D;12\x07\x1b]133;D\x07",
  ];
  for (const byte of Buffer.from(parts.join(""))) emulator.write(Uint8Array.of(byte));
  assert.deepEqual(seen, [
    ["title", "one"],
    ["bell"],
    ["title", "two"],
    ["notification", "done; really"],
    ["notification", "the; body"],
    ["mark", "A", undefined],
    ["mark", "C", undefined],
    ["mark", "D", 12],
    ["mark", "D", undefined],
  ]);
  seen.length = 0;
  emulator.restore(Buffer.from("\x1b]2;three\x07\x07\x1b]9;x\x07"));
  assert.deepEqual([seen, emulator.title], [[], "three"]);
  emulator.write(Buffer.from(`\x1b]2;${"t".repeat(5000)}\x07`));
  assert.equal((seen[0] as string[])[1]!.length, 1024);
});

test("links: many are followed, and the oldest are text again", () => {
  const emulator = newEmulator(40, 3);
  emulator.write(Buffer.from("\x1b]8;;http://first.example\x07first\x1b]8;;\x07\r\n"));
  for (let count = 0; count < 4095; count++)
    emulator.write(Buffer.from(`\x1b]8;;http://${count}.example\x07.\x1b]8;;\x07\r`));
  assert.match(emulator.screen().toString(), /\x1b\]8;;http:\/\/first\.example\x1b\\first/);
  emulator.write(Buffer.from("\x1b]8;;http://more.example\x07more\x1b]8;;\x07"));
  const screen = emulator.screen().toString();
  assert.doesNotMatch(screen, /first\.example/);
  assert.match(screen, /more\.example/);
});

test("resize: narrower, the cursor's line stays, and what is above it moves up", () => {
  const emulator = emulatorAfter(40, 5, Buffer.from(`${"a".repeat(40)}\r\n${"b".repeat(25)}\r\n$ prompt`));
  emulator.resize(10, 5);
  assert.deepEqual(emulator.text(), {
    lines: ["aaaaaaaaaa", "bbbbbbbbbb", "bbbbbbbbbb", "bbbbb", "$ prompt"],
    cursor: { x: 8, y: 4 },
  });
  emulator.write(Buffer.from("!\r\n"));
  assert.deepEqual(emulator.text().lines, ["bbbbbbbbbb", "bbbbbbbbbb", "bbbbb", "$ prompt!", ""]);
});

test("saved cursor: brings back its place, how text is written, and all character sets with the one in use", () => {
  const saved = "\x1b[2;3H\x1b)0\x0e\x1b[4:3;58:5:9m\x1b7";
  const emulator = emulatorAfter(20, 4, Buffer.from(`${saved}\x0f\x1b)B\x1b[0;7m\x1b[4;9H\x1b8q\x0fq\x0eq`));
  assert.deepEqual(emulator.text().lines, ["", "  ─q─", "", ""]);
  const { attributes, charsets, shift } = stateOf(emulator);
  assert.deepEqual([attributes, charsets, shift], ["[10000000,0,e000009,]", ["B", "0", "B", "B"], 1]);
});

test("saved cursor: each screen has its own, that of the alternate one begins anew with it", () => {
  const bytes = "\x1b[2;5H\x1b7\x1b[?1047h\x1b[4;9H\x1b7\x1b[?1047l\x1b8p\x1b[?1047h\x1b8a";
  const emulator = emulatorAfter(20, 4, Buffer.from(bytes));
  assert.deepEqual(emulator.text().lines, ["a", "", "", ""]);
  emulator.write(Buffer.from("\x1b[?1047l"));
  assert.deepEqual(emulator.text().lines, ["", "    p", "", ""]);
});

test("text: styled, each line has its colours and ends plain", () => {
  const emulator = emulatorAfter(
    12,
    3,
    Buffer.from("a \x1b[1;31mred\x1b[m日 \x1b[4m\r\nnext\x1b[m\r\n\x1b[42m \x1b[m  "),
  );
  assert.deepEqual(emulator.text({ isStyled: true }).lines, [
    "a \x1b[0;1;31mred\x1b[m日",
    "\x1b[0;4mnext\x1b[m",
    "\x1b[0;42m \x1b[m",
  ]);
  const plain = emulator.text().lines.map((line) => line.trimEnd());
  assert.deepEqual(plain, ["a red日", "next", ""]);
});
