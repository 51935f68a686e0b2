import fc from "fast-check";

/** Streams of terminal bytes as programs write them, in pieces that shrink. */
const small = fc.nat({ max: 12 });
const wide = fc.nat({ max: 40 });

const narrow = fc.oneof(
  fc.constantFrom(
    "a",
    "hello",
    " ",
    "the quick brown fox jumps",
    "\t",
    "x".repeat(30),
    "lqqk",
    "~",
    "é",
    "│",
    "e\u0301",
  ),
  fc.stringMatching(/^[ -~]{1,20}$/),
);
const text = fc.oneof(
  narrow,
  fc.constantFrom("日本語", "ー", "🦊", "👩‍💻", "❤️", "ﷺ", "한", "\u0301", "a\u0300\u0301", "🇩🇪"),
);

const move = fc.oneof(
  fc.constantFrom("\r", "\n", "\r\n", "\b", "\x1bM", "\x1bD", "\x1bE", "\x1b[H", "\x1b7", "\x1b8", "\x1b[s", "\x1b[u"),
  fc.tuple(small, wide).map(([row, column]) => `\x1b[${row};${column}H`),
  fc.tuple(small, fc.constantFrom(..."ABCDEFGIZad`e")).map(([count, final]) => `\x1b[${count}${final}`),
  wide.map((column) => `\x1b[${column}G`),
);

const edit = fc.oneof(
  fc.tuple(small, fc.constantFrom(..."@PXLMSTb")).map(([count, final]) => `\x1b[${count}${final}`),
  fc
    .tuple(fc.constantFrom("", "0", "1", "2"), fc.constantFrom("J", "K", "?J", "?K"))
    .map(([what, final]) => (final.startsWith("?") ? `\x1b[?${what}${final[1]}` : `\x1b[${what}${final}`)),
  fc.tuple(small, small).map(([top, bottom]) => `\x1b[${top};${bottom}r`),
  fc.constantFrom("\x1b[r", "\x1b#8", "\x1bH", "\x1b[g", "\x1b[3g", '\x1b[1"q', '\x1b[0"q', "\x1b[4h", "\x1b[4l"),
);

const attributes = fc.oneof(
  fc.constantFrom("\x1b[m", "\x1b[1m", "\x1b[2;3m", "\x1b[4m", "\x1b[4:3m", "\x1b[21m", "\x1b[24m", "\x1b[5;7;8;9;53m"),
  fc.constantFrom("\x1b[31m", "\x1b[97;44m", "\x1b[38;5;200m", "\x1b[48;5;3m", "\x1b[38;2;1;2;3m", "\x1b[48:2::9:8:7m"),
  fc.constantFrom("\x1b[58:2::255:0:9m", "\x1b[58;5;4m", "\x1b[59m", "\x1b[39;49m", "\x1b[22;23;25;27;28;29;55m"),
  fc.constantFrom("\x1b]8;;http://one.example\x1b\\", "\x1b]8;id=x;http://two.example\x07", "\x1b]8;;\x1b\\"),
);

const modes = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(1, 5, 6, 12, 25, 45, 66, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 2004, 2026, 2031),
      fc.constantFrom("h", "l"),
    )
    .map(([mode, final]) => `\x1b[?${mode}${final}`),
  fc.constantFrom("\x1b[?1049h", "\x1b[?1049l", "\x1b[?47h", "\x1b[?47l", "\x1b[?1047h", "\x1b[?1047l", "\x1b[?1048h"),
  fc.constantFrom("\x1b=", "\x1b>", "\x1b[20h", "\x1b[20l", "\x1b[3 q", "\x1b[6 q", "\x1b[0 q", "\x1b[!p", "\x1bc"),
  fc.constantFrom("\x1b(0", "\x1b(B", "\x1b)0", "\x1b)A", "\x1b*0", "\x0e", "\x0f", "\x1bn", "\x1bo"),
  fc.constantFrom(
    "\x1b[>5u",
    "\x1b[<u",
    "\x1b[=3;2u",
    "\x1b[>4;2m",
    "\x1b[>4m",
    "\x1b]0;a title\x07",
    "\x1b]2;ü\x1b\\",
  ),
  fc.constantFrom(
    "\x1b]4;1;#ff0000\x07",
    "\x1b]104;1\x07",
    "\x1b]11;rgb:00/00/ff\x1b\\",
    "\x1b]111\x07",
    "\x1bP+q544e\x1b\\",
  ),
);

const rubbish = fc.oneof(
  fc.constantFrom("\x1b", "\x1b[", "\x1b[1;", "\x1b]0;", "\x18", "\x1b(", "\x1bP", "\x1b\\", "\x07", "\x7f", "\x00"),
  fc.constantFrom(
    "\x1b_Gf=1;AAAA\x1b\\",
    "\x9b31m",
    "\x9dt\x9c",
    "\x1b[?25\x01h",
    "\x1b[999999999C",
    "\x1b[1;2;3;4;5m",
  ),
);

/** Without it, the emulator goes its own way with a wide character in the last column, so only narrow ones are written then. */
const autowrap = fc.constantFrom("\x1b[?7l", "\x1b[?7l", "\x1b[?7h");

const frequent = ({ rubbishWeight, isNarrow }: Required<Omit<StreamOptions, "piecesMax">>) =>
  fc.oneof(
    { arbitrary: isNarrow ? narrow : text, weight: 8 },
    { arbitrary: autowrap, weight: isNarrow ? 1 : 0 },
    { arbitrary: move, weight: 4 },
    { arbitrary: edit, weight: 3 },
    { arbitrary: attributes, weight: 3 },
    { arbitrary: modes, weight: 2 },
    { arbitrary: rubbish, weight: rubbishWeight },
  );

/** Bytes, some of which are no UTF-8. */
const invalid = fc.constantFrom(
  [0xff],
  [0xc3],
  [0xe2, 0x82],
  [0xf0, 0x9f, 0xa6],
  [0x80],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
);

export interface StreamOptions {
  /** How often something is malformed; 0: never. */
  rubbishWeight?: number;
  /** No wide characters; instead, the margin is switched. */
  isNarrow?: boolean;
  piecesMax?: number;
}

export function streams({
  rubbishWeight = 1,
  isNarrow = false,
  piecesMax = 60,
}: StreamOptions = {}): fc.Arbitrary<Buffer> {
  const piece = fc.oneof(
    { arbitrary: frequent({ rubbishWeight, isNarrow }).map((part) => [...Buffer.from(part)]), weight: 30 },
    ...(rubbishWeight > 0 ? [{ arbitrary: invalid, weight: rubbishWeight }] : []),
  );
  return fc.array(piece, { maxLength: piecesMax, minLength: 1, size: "max" }).map((parts) => Buffer.from(parts.flat()));
}

export interface Size {
  cols: number;
  rows: number;
}

export const sizes: fc.Arbitrary<Size> = fc.oneof(
  fc.constantFrom({ cols: 20, rows: 6 }, { cols: 80, rows: 24 }, { cols: 2, rows: 1 }, { cols: 7, rows: 3 }),
  fc.record({ cols: fc.integer({ min: 2, max: 30 }), rows: fc.integer({ min: 1, max: 10 }) }),
);

/** Where in a stream, as a part of it. */
export const places = fc.double({ min: 0, max: 1, noNaN: true });

/** `WARREN_SEED` makes the same streams again; a failure prints it as its seed. */
export const runs = (count: number, env = process.env): fc.Parameters<unknown> => ({
  numRuns: Number(env.WARREN_RUNS ?? count),
  ...(env.WARREN_SEED ? { seed: Number(env.WARREN_SEED) } : {}),
});
