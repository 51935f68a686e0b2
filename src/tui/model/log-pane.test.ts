import assert from "node:assert/strict";
import { test } from "node:test";
import { job, logLines, Played } from "../../../test/tui/played.ts";
import { LINE_BYTES_MAX, READ_BYTES } from "../logs/window.ts";
import { WINDOW_LINES_MAX } from "./log-pane.ts";
import { viewSize, visibleRows } from "./log-scroll.ts";
import type { LogRange, LogWindow, Model } from "./model.ts";

/** A log of `total` lines of which the last `shown` are in the window. */
const opened = (shown: number, total = shown): Played =>
  new Played()
    .show(job("1aa"))
    .log(total - shown, total, total)
    .keys("4");

const shownNumbers = (model: Model): number[] =>
  visibleRows(model.panes.stdout, viewSize(model, "stdout")).map(({ line }) => line.startByte / 10);
const rowsOf = (model: Model): number => viewSize(model, "stdout").rows;

const grow = (played: Played): Played =>
  played.do({ type: "log-grew", panel: "stdout", source: played.model.panes.stdout.source! });

test("follow: shows the last lines, and reads on from the last line when the file grows", () => {
  const played = opened(100);
  assert.equal(shownNumbers(played.model).at(-1), 99);
  grow(played);
  assert.deepEqual(played.effect("read-log")?.range, { kind: "latest", byte: 990 });
  played.log(99, 103, 103, { kind: "latest", byte: 990 });
  assert.equal(shownNumbers(played.model).at(-1), 102);
  assert.equal(played.model.panes.stdout.lines.length, 103, "the last line, read again, is not doubled");
});

test("follow: a flood that one read cannot hold begins the window anew", () => {
  const played = grow(opened(100)).log(5000, 5100, 5100, { kind: "latest", byte: 990 });
  assert.equal(played.model.panes.stdout.lines.length, 100);
  assert.equal(shownNumbers(played.model).at(-1), 5099);
  assert.equal(played.model.panes.stdout.atStart, false);
});

test("one read at a time: growth meanwhile is read after (invariant 1)", () => {
  const played = grow(opened(100));
  assert.equal(played.effects.length, 1);
  grow(played);
  grow(played);
  assert.equal(played.effects.length, 0);
  played.log(99, 101, 101, { kind: "latest", byte: 990 });
  assert.deepEqual(played.effect("read-log")?.range, { kind: "latest", byte: 1000 });
  played.log(100, 101, 101, { kind: "latest", byte: 1000 });
  assert.equal(played.effects.length, 0);
});

test("scrolling up leaves following; what is written then moves nothing on the screen", () => {
  const played = opened(100).keys("k", "k", "k");
  const before = shownNumbers(played.model);
  assert.equal(played.model.panes.stdout.follow, false);
  assert.equal(before.at(-1), 96);
  grow(played).log(99, 120, 120, { kind: "after", byte: 990 });
  assert.deepEqual(shownNumbers(played.model), before);
});

test("scrolling down to the last row takes following up again", () => {
  const played = opened(100).keys("k", "k", "j");
  assert.equal(played.model.panes.stdout.follow, false);
  played.keys("j");
  assert.equal(played.model.panes.stdout.follow, true);
});

test("near the window's start older lines are read, and the rows stay where they are (invariant 3)", () => {
  const played = opened(100, 1000).keys("k");
  assert.deepEqual(played.effect("read-log")?.range, { kind: "before", byte: 9000 });
  const before = shownNumbers(played.model);
  played.log(700, 900, 1000, { kind: "before", byte: 9000 });
  assert.deepEqual(shownNumbers(played.model), before);
  assert.equal(played.model.panes.stdout.lines.length, 300);
});

test("g goes to the first line of the file, also while a read is under way; G to the last, following", () => {
  const played = opened(100, 1000).keys("k").keys("g");
  assert.equal(played.effect("read-log"), undefined, "one read at a time");
  played.log(700, 900, 1000, { kind: "before", byte: 9000 });
  assert.deepEqual(played.effect("read-log")?.range, { kind: "head" });
  played.log(0, 300, 1000, { kind: "head" });
  assert.equal(shownNumbers(played.model)[0], 0);
  assert.equal(played.model.panes.stdout.atEnd, false);
  played.log(299, 400, 1000, { kind: "after", byte: 2990 });
  played.keys("G");
  assert.deepEqual(played.effect("read-log")?.range, { kind: "tail" });
  played.log(900, 1000, 1000);
  assert.equal(shownNumbers(played.model).at(-1), 999);
});

test("the window stays bounded, and what goes is far from the view (invariant 4)", () => {
  const played = opened(WINDOW_LINES_MAX, 20_000).keys("k");
  const top = shownNumbers(played.model)[0];
  // Up to the window's start, then older lines come.
  played.keys(...Array.from({ length: 400 }, () => "pgup"));
  played.log(14_000, 15_000, 20_000, { kind: "before", byte: 150_000 });
  const { lines, atEnd } = played.model.panes.stdout;
  assert.equal(lines.length, WINDOW_LINES_MAX);
  assert.equal(lines[0]?.startByte, 140_000);
  assert.equal(atEnd, false);
  assert.notEqual(shownNumbers(played.model)[0], top);
});

/** What a read gives of a log of 1,000 lines that are as long as any is shown. */
function longLines(range: LogRange): LogWindow {
  const [lineBytes, endBytes] = [LINE_BYTES_MAX, LINE_BYTES_MAX * 1_000];
  const to = range.kind === "before" ? range.byte : "byte" in range ? range.byte + READ_BYTES : endBytes;
  const [first, last] = [Math.max(0, to - READ_BYTES) / lineBytes, Math.min(to, endBytes) / lineBytes];
  const lines = Array.from({ length: last - first }, (_, at) => (first + at) * lineBytes).map((startByte) => ({
    startByte,
    endByte: startByte + lineBytes,
    text: `${startByte}`,
  }));
  return { lines, startBytes: 0, endBytes };
}

test("around the view a window of the longest lines holds what is to be there, so that reading comes to its end", () => {
  const played = opened(1);
  played.model = { ...played.model, rows: 200 };
  const source = played.model.panes.stdout.source!;
  const read = (range: LogRange): Played =>
    played.do({ type: "log-read", panel: "stdout", source, range, window: longLines(range) });
  read({ kind: "tail" });
  for (let page = 0; page < 20; page += 1) {
    let next = played.keys("pgup").effect("read-log");
    for (let readCount = 0; next; readCount += 1) {
      assert.ok(readCount < 100, "it reads the same again and again");
      next = read(next.range).effect("read-log");
    }
  }
  assert.equal(played.model.panes.stdout.atEnd, false, "what is far from the view has gone");
});

test("wrap: a long line takes rows, and scrolling goes by rows", () => {
  const played = opened(3);
  const { columns } = viewSize(played.model, "stdout");
  const long = { startByte: 30, endByte: 40, text: "x".repeat(columns * 40) };
  const window = { lines: [...logLines(0, 3), long], startBytes: 0, endBytes: 40 };
  const source = played.model.panes.stdout.source!;
  played.do({ type: "log-read", panel: "stdout", source, range: { kind: "tail" }, window });
  assert.equal(shownNumbers(played.model).length, 4);
  played.keys("w");
  assert.deepEqual(shownNumbers(played.model), Array(rowsOf(played.model)).fill(3));
  played.keys("k");
  assert.equal(played.model.panes.stdout.top.row, 40 - rowsOf(played.model) - 1);
  played.keys("w");
  assert.equal(played.model.panes.stdout.wrap, false);
});

test("columns: h and l move by four, not below zero, and not while lines are wrapped", () => {
  const played = opened(3).keys("l", "l", "h");
  assert.equal(played.model.panes.stdout.column, 4);
  played.keys("h", "h");
  assert.equal(played.model.panes.stdout.column, 0);
  played.keys("w", "l");
  assert.equal(played.model.panes.stdout.column, 0);
});

test("J and K scroll stdout from the units", () => {
  const played = opened(100).keys("1", "K", "K");
  assert.equal(played.model.focus, "units");
  assert.equal(shownNumbers(played.model).at(-1), 97);
  played.keys("J", "J");
  assert.equal(played.model.panes.stdout.follow, true);
});

test("a read for a run that is no longer shown changes nothing", () => {
  const played = new Played().show(job("1aa"), job("1bb"));
  const source = played.model.panes.stdout.source!;
  played.keys("j");
  const { model } = played;
  const window = { lines: logLines(0, 5), startBytes: 0, endBytes: 50 };
  played.do({ type: "log-read", panel: "stdout", source, range: { kind: "tail" }, window });
  assert.equal(played.model, model);
});

test("a resize keeps rows inside the log", () => {
  const played = opened(100).keys("g");
  for (const [columns, rows] of [
    [60, 15],
    [300, 90],
    [10, 3],
    [120, 36],
  ] as const) {
    played.do({ type: "resize", columns, rows });
    assert.ok(shownNumbers(played.model).length <= rows);
  }
  assert.equal(shownNumbers(played.model)[0], 0);
});
