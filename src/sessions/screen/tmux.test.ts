import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import type { Emulator } from "./emulator.ts";
import { isInstalled, RECORDED_SIZE, record, type Step, textFile } from "./testing/recordings.ts";
import { emulatorAfter } from "./testing/terminal-state.ts";
import { shownByTmux } from "./testing/tmux.ts";
import { BG, type Cell, COLOUR_MASK, FG } from "./xterm-core.ts";

/** After re-attach, the screen is that of an independent terminal for the same bytes: tmux. */

/** What both have: the character, its colours, and the attributes that everybody knows. */
function cellsOf(emulator: Emulator): string[] {
  const { core, nullCell } = emulator.internals;
  const cell = nullCell();
  const { active } = core.buffers;
  return Array.from({ length: core.rows }, (_, row) => {
    const line = active.lines.get(active.ybase + row)!;
    const cells = Array.from({ length: core.cols }, (_, column) => seen(line.loadCell(column, cell)));
    return cells.join("").replace(/(?: (?:\[0,\w+\])?\|)+$/, ""); // tmux does not say how a line was erased behind its text
  });
}

const KNOWN_FG = COLOUR_MASK | FG.bold | FG.inverse | FG.underline | FG.blink | FG.invisible | FG.strikethrough;
const KNOWN_BG = COLOUR_MASK | BG.dim | BG.italic | BG.overline;

function seen(cell: Cell): string {
  if (cell.getWidth() === 0) return "";
  const [fg, bg] = [(cell.fg & KNOWN_FG) >>> 0, (cell.bg & KNOWN_BG) >>> 0];
  return `${cell.getChars() || " "}${fg === 0 && bg === 0 ? "" : `[${fg.toString(16)},${bg.toString(16)}]`}|`;
}

async function assertSame(what: string, bytes: Uint8Array, { cols, rows } = RECORDED_SIZE): Promise<void> {
  const again = emulatorAfter(cols, rows, emulatorAfter(cols, rows, bytes).screen());
  const shown = await shownByTmux(bytes, { cols, rows });
  // tmux says in each line what changes after the line before.
  const painted = shown.lines.map((line, row) => `\x1b[${row + 1};1H${line}`).join("");
  const [ours, theirs] = [again, emulatorAfter(cols, rows, Buffer.from(`\x1b[?7l${painted}`))].map(cellsOf);
  for (const [row, line] of ours!.entries()) assert.equal(line, theirs![row], `${what}: row ${row}`);
  const [cursor, tmuxCursor] = [again.text().cursor, shown.cursor].map(({ x, y }) => ({ x: Math.min(x, cols - 1), y }));
  assert.deepEqual(cursor, tmuxCursor, `${what}: the cursor`);
  assert.equal(again.internals.modes.isAlternate, shown.isAlternate, `${what}: which screen`);
}

const needs = (...programs: string[]) => {
  const missing = programs.filter((program) => !isInstalled(program));
  return missing.length === 0 ? {} : { skip: `${missing.join(", ")} not installed` };
};

const SOURCE = Array.from(
  { length: 60 },
  (_, line) =>
    `int f${line}(void) { return "${"日本 é 🦊 ".repeat(line % 4)}"[${line}]; } /* ${"-".repeat((line * 7) % 90)} */\n`,
).join("");

/** Some places in it, and its end before it gives the terminal back. */
function placesIn(bytes: Buffer): number[] {
  const end = bytes.lastIndexOf("\x1b[?1049l");
  return [0.5, 1].map((part) => Math.round((end === -1 ? bytes.length : end) * part));
}

async function assertRecording(name: string, bytes: Buffer): Promise<void> {
  assert.ok(bytes.length > 500, "something was recorded");
  for (const place of placesIn(bytes)) await assertSame(`${name}, its first ${place} bytes`, bytes.subarray(0, place));
  await assertSame(`${name}, after its end`, bytes);
}

test("as in tmux: vim", needs("tmux", "vim"), async () => {
  using file = textFile(SOURCE);
  const commands = [
    "set nu cursorline hlsearch list ruler t_u7= t_RV= t_RB= t_RF= | syntax on",
    "/return",
    "split | normal 20Gzt",
    "vsplit | normal G",
    "redraw! | normal ggdd",
    "redraw! | qa!",
  ];
  const args = commands.flatMap((command) => ["-c", command]);
  await assertRecording("vim", await record(["vim", "-u", "NONE", "-i", "NONE", "-n", "-N", file.path, ...args]));
});

test("as in tmux: less", needs("tmux", "less"), async () => {
  using file = textFile(SOURCE);
  const steps: Step[] = [
    { sees: "example.c", types: " " },
    { sees: ":", types: "/f40\r" },
    { sees: "f40", types: "kkk" },
    { sees: "f3", types: "G" },
    { sees: "END", types: "g" },
    { sees: "f0", types: "q" },
  ];
  await assertRecording("less", await record(["less", "-R", file.path], steps));
});

test("as in tmux: htop", needs("tmux", "htop"), async () => {
  await assertRecording("htop", await record(["htop", "-d", "100"], [{ sees: "F10", types: "q" }]));
});

test("as in tmux: tmux itself", needs("tmux"), async () => {
  using file = textFile("");
  const inner = ["tmux", "-S", `${file.path}.socket`, "-f", "/dev/null"];
  const steps: Step[] = [
    { sees: "[0] 0:", types: "printf '\\033[3%sm%s\\033[m\\n' 1 red 2 green 4 bl''ue\r" },
    { sees: "blue", types: "tmux split-window -d -h 'printf \"ri%s \\n\" ght 日本; exec cat'\r" },
    { sees: "right", types: "tmux split-window -d 'printf \"be%s\\n\" low; exec cat'\r" },
    { sees: "below", types: "tmux kill-server\r" },
  ];
  try {
    await assertRecording("tmux", await record([...inner, "new-session", "sh"], steps));
  } finally {
    spawnSync(inner[0]!, [...inner.slice(1), "kill-server"]); // if it still runs, something went wrong
  }
});

test("as in tmux: a table of wide characters", needs("tmux"), async () => {
  const rows = [
    "日本語 中文 한국어 ﾊﾝｶｸ ｆｕｌｌ",
    "🦊🔥🧊🦉🐻 ☕ ⌚ ⏩ ✅ ❌ ➕ ⭐",
    "e\u0301 a\u0308\u0323 n\u0303 \u05d0\u05b8 \u0e01\u0e34\u0e48 \u0915\u093f",
    "┌─┬─┐ │▒│ ╔═╗ ▀▄█ ←→ ∀∃ ≤≥ €£¥",
    "ﷺ ꧅ 〈〉 《》 ①② ㈱",
    `${"a".repeat(79)}日本`,
    `${"日".repeat(39)}a🦊b`,
    "日本語\x1b[2D\x1b[2P\x1b[44m\x1b[K\x1b[m",
    "abc\x1b[2D日\x1b[10Gdef\x1b[9G本",
  ];
  await assertSame("wide characters", Buffer.from(rows.join("\r\n")));
});

test(
  "as in tmux: attributes, margins, tabs, insertion, the alternate screen and the saved cursor",
  needs("tmux"),
  async () => {
    const streams = [
      `\x1b[1mbold\x1b[2;3mdim\x1b[0;4mline\x1b[7mrev\x1b[27;9mout\x1b[0;38;5;99;48;2;1;2;3mrgb\x1b[m\x1b[41m\x1b[K\r\n\x1b[m\x1b[42m  \x1b[J`,
      `${"line\r\n".repeat(30)}\x1b[5;10r\x1b[5;1Hin the margins\r\n\x1b[3L\x1b[10;1H\n\n\x1b[2M\x1b[6;3H\x1bM\x1bM\x1bM\x1b[r\x1b[24;1Hend`,
      "\x1b[3g\x1b[5G\x1bH\x1b[12G\x1bH\r\ta\tb\tc\r\n\x1b[4hxyz\x1b[3Dinserted\x1b[4l\r\n123456\x1b[4D\x1b[2@\x1b[1P\x1b[2X!",
      "shell\x1b[3;4H\x1b7\x1b[31m\x1b(0lqqk\x1b(B\x1b8saved\x1b[?1049h\x1b[Halt \x1b[7mscreen\x1b[?1049lback",
      "\x1b[?1049hfull screen\x1b[10;10H\x1b[1;35mhere\x1b[?25l",
      "\x1b[?6h\x1b[3;8r\x1b[2;2Horigin\x1b[?6l\x1b[20;5Habsolute\x1b[?7lno wrap ".concat("x".repeat(90)),
      `${"w".repeat(80)}\x1b[32mgreen after the margin\x1b[m ${"v".repeat(60)}`,
    ];
    for (const [number, stream] of streams.entries()) await assertSame(`stream ${number}`, Buffer.from(stream));
  },
);
