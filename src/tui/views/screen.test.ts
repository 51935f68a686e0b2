import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ended, job, Played, server, session } from "../../../test/tui/played.ts";
import { ansiWidth, withoutSgr } from "../text/ansi.ts";
import { screenOf } from "./screen.ts";
import { themeOf } from "./theme.ts";

const COLOR = themeOf({ TERM: "xterm-256color" });
/** What no row has but in the sequences of its colours. */
const CONTROL_CHARACTER = /[\x00-\x1f\x7f]/;
const shown = (played: Played, theme = COLOR): string[] =>
  screenOf(theme, played.model).lines.map((line) => withoutSgr(line.map(({ text }) => text).join("")));

const busy = (columns: number, rows: number): Played =>
  new Played(columns, rows)
    .show(
      job("1aa", {
        name: "web",
        ports: [{ port: 3000, protocol: "tcp", pid: 7, address: "127.0.0.1" }],
        description: "the site\n\x1b[2Jof all",
      }),
      job("1bb", { stuck: true, command: ["日本語", "🦊\n\x1b[2J", "x".repeat(300)] }),
      ended("1cc", 3),
      ended("1dd", 0, { outcome: { kind: "lost", reason: "shim killed" } }),
    )
    .log(0, 100, 100);

const withSessions = (columns: number, rows: number): Played =>
  busy(columns, rows)
    .servers(
      server("frozen", [], { icon: "🧊" }),
      server(
        "blazing",
        [
          session("fox", {
            state: "needs_you",
            attention: "deploy 日本語?\x1b[2J",
            client_count: 2,
            unread: 12,
            title: "x".repeat(300),
          }),
          session("owl", { state: "working", workdir: `/${"d".repeat(200)}`, viewer_count: 1, unread: 3 }),
          session("bear", { command: ["日本語", "🦊"], title: "\x1b]0;t\x07a\tb\n" }),
        ],
        { isSilent: true, isOld: true },
      ),
    )
    .do({ type: "previewed", id: "fox", lines: ["日本語\x1b[31m".repeat(50), "", "$ "], cursorRow: 2 });

test("every row is exactly as wide as the terminal, at every size and in every state", () => {
  const keys = [
    "j",
    "k",
    "4",
    "5",
    "2",
    "3",
    "w",
    "/",
    "x",
    "enter",
    "n",
    "esc",
    "?",
    ":",
    "G",
    "g",
    "l",
    "L",
    "a",
    "d",
    "tab",
    "f",
    "s",
    "R",
    ".",
    "J",
  ];
  fc.assert(
    fc.property(
      fc.integer({ min: 60, max: 200 }),
      fc.integer({ min: 15, max: 70 }),
      fc.array(fc.constantFrom(...keys)),
      fc.constantFrom(busy, withSessions),
      (columns, rows, pressed, start) => {
        const played = start(columns, rows).keys(...pressed);
        const { lines } = screenOf(COLOR, played.model);
        assert.equal(lines.length, rows);
        for (const line of lines) {
          assert.equal(
            line.reduce((sum, { text }) => sum + ansiWidth(text), 0),
            columns,
          );
          let x = 0;
          for (const segment of line) {
            assert.equal(segment.x, x);
            assert.doesNotMatch(withoutSgr(segment.text), CONTROL_CHARACTER);
            x += ansiWidth(segment.text);
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("what a server says, and a directory's name, stand in a row without what acts on a terminal", () => {
  const said = "it ended. It wrote to stderr:\n\x1b[2Jpanic: no\tport\nfix: npm ci";
  const played = new Played()
    .show(job("1aa", { name: "web", workdir: "/q/odd\n\x1b[2Jone" }))
    .keys("a")
    .do({ type: "failed", text: said });
  for (const { text } of screenOf(COLOR, played.model).lines.flat())
    assert.doesNotMatch(withoutSgr(text), CONTROL_CHARACTER);
  const text = shown(played).join("\n");
  assert.match(text, /It wrote to stderr: panic: no port fix: npm ci/);
  assert.match(text, /odd one\//);
});

test("states carry a glyph and a word", () => {
  const text = shown(busy(120, 36).keys("j")).join("\n");
  for (const piece of ["◆", "stuck", "◉ web", ":3000", "✗", "failed (3)", "◼", "lost", "the site"]) {
    assert.ok(text.includes(piece), piece);
  }
});

test("NO_COLOR writes no colour; WARREN_NO_EMOJI writes nothing but ASCII of its own", () => {
  const plain = screenOf(themeOf({ NO_COLOR: "1" }), busy(120, 36).model);
  const codes = plain.lines
    .flat()
    .flatMap(({ text }) => [...text.matchAll(/\x1b\[([0-9;]*)m/g)].map((match) => match[1]));
  assert.deepEqual([...new Set(codes)].sort(), ["0", "1", "7"]);
  const ascii = shown(new Played().show(job("1aa", { name: "web" })), themeOf({ WARREN_NO_EMOJI: "1" }));
  assert.match(ascii.join(""), /^[\x20-\x7e…·]*$/);
});

test("nothing here: one sentence and the command", () => {
  const text = shown(new Played().show()).join("\n");
  assert.match(text, /Nothing runs here yet\./);
  assert.match(text, /warren add npm run dev/);
  assert.match(shown(new Played().show(job("1aa", { workdir: "/q" }))).join("\n"), /1 in other directories: a/);
});

test("a terminal that is too small says how large it must be", () => {
  assert.match(shown(new Played(50, 10).show(job("1aa"))).join(" "), /50×10\. +Warren needs 60×15/);
});

test("a lost server is said, and what was shown stays", () => {
  const played = busy(120, 36).do({ type: "connection", state: "reconnecting" });
  const text = shown(played).join("\n");
  assert.match(text, /reconnecting; what runs goes on/);
  assert.match(text, /◉ web/);
});

test("sessions: glyph, word and question; servers say what is wrong with them; what programs write moves nothing", () => {
  const text = shown(withSessions(120, 36).keys("g", "j")).join("\n");
  for (const piece of ["◆ 🦊 fox", "needs you", '"deploy 日本語?"', "2 attached", "🧊 frozen", "(none)", "◌ no answer"])
    assert.ok(text.includes(piece), `${piece}\n${text}`);
  assert.match(text, /[◉] 🦊 owl .*3 unread 1 attached working +1m/);
  assert.doesNotMatch(text, /\x1b/);
});

test("what units use stands in columns where the list is wide, else beside what is selected", () => {
  const usage = new Map([
    ["1aa", { cpu: "12%", memory: "125 MB" }],
    ["fox", { cpu: "3%", memory: "81 MB" }],
    ["owl", { cpu: "7%", memory: "64 MB" }],
  ]);
  const at = (columns: number, ...keys: string[]): string =>
    shown(
      withSessions(columns, 50)
        .do({ type: "usage", usage })
        .keys(...keys),
    ).join("\n");
  const wide = at(200, "g");
  assert.match(wide, /◉ web .*:3000 +12% +125 MB +1m│/);
  assert.match(wide, /◉ 🦊 owl .*working +7% +64 MB +1m│/);
  assert.match(wide, /○ 🦊 bear .*idle {21} 1m│/, "what was not measured is left empty");
  assert.match(wide, /◆ 🦊 fox .*needs you +1m│/, "what it asks takes the room");
  assert.doesNotMatch(at(120, "g"), /125 MB/);
  assert.match(at(120, "g", "j"), /2 attached · 3% cpu · 81 MB/);
  const job = withSessions(120, 50).do({ type: "usage", usage });
  while (job.model.selectedId !== "1aa") job.keys("j");
  assert.match(shown(job).join("\n"), /ports: web─+12% cpu · 125 MB─/);
});

test("what units use: the same once more draws nothing", () => {
  const usage = (): Map<string, { cpu: string; memory: string }> => new Map([["1aa", { cpu: "0%", memory: "46 MB" }]]);
  const played = busy(120, 36).do({ type: "usage", usage: usage() });
  const before = played.model;
  assert.equal(played.do({ type: "usage", usage: usage() }).model, before);
  assert.notEqual(played.do({ type: "usage", usage: new Map() }).model, before);
});

test("sessions: without glyphs nothing but ASCII of our own, at 60×15 too", () => {
  const theme = themeOf({ WARREN_NO_EMOJI: "1" });
  for (const [columns, rows] of [
    [120, 36],
    [60, 15],
  ] as const) {
    const played = new Played(columns, rows).servers(server("blazing", [session("fox", { state: "needs_you" })]));
    const text = shown(played.keys("g", "j"), theme).join("");
    assert.match(text, /^[\x20-\x7e…·]*$/);
    assert.match(text, /! fox .*needs you/);
  }
});
