import assert from "node:assert/strict";
import { test } from "node:test";
import { type Frame, Painter } from "./painter.ts";

const frame = (...rows: string[][]): Frame => ({
  columns: 4,
  rows: rows.length,
  lines: rows.map((texts) => texts.map((text, at) => ({ x: at * 2, text }))),
});

test("the first frame is written whole; the same frame again writes nothing", () => {
  const written: string[] = [];
  const painter = new Painter((text) => written.push(text));
  painter.paint(frame(["ab", "cd"], ["ef", "gh"]));
  assert.match(written[0]!, /\x1b\[2J.*\x1b\[1;1Hab\x1b\[1;3Hcd\x1b\[2;1Hef\x1b\[2;3Hgh/s);
  painter.paint(frame(["ab", "cd"], ["ef", "gh"]));
  assert.equal(written.length, 1);
});

test("only the segment that changed is written, in its place", () => {
  const written: string[] = [];
  const painter = new Painter((text) => written.push(text));
  painter.paint(frame(["ab", "cd"], ["ef", "gh"]));
  painter.paint(frame(["ab", "cd"], ["ef", "XY"]));
  assert.equal(written[1], "\x1b[?2026h\x1b[2;3HXY\x1b[?2026l");
});

test("another size clears and writes all; another shape of a row writes the row", () => {
  const written: string[] = [];
  const painter = new Painter((text) => written.push(text));
  painter.paint(frame(["ab", "cd"]));
  painter.paint(frame(["abcd"]));
  assert.match(written[1]!, /h\x1b\[1;1Habcd/);
  assert.doesNotMatch(written[1]!, /2J/);
  painter.paint({ ...frame(["abcd"]), columns: 5 });
  assert.match(written[2]!, /2J/);
});
