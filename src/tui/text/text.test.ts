import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatAge } from "./age.ts";
import { ansiWidth, cleanLine, sliceColumns, withoutSgr } from "./ansi.ts";
import { cutEnd, cutMiddle, cutStart, takeEnd, takeStart, tildePath, widthOf } from "./width.ts";

test("widthOf: wide characters take two columns, marks none", () => {
  assert.equal(widthOf("abc"), 3);
  assert.equal(widthOf("日本"), 4);
  assert.equal(widthOf("e\u0301"), 1);
  assert.equal(widthOf("🦊"), 2);
  assert.equal(widthOf("◉✗"), 2, "the glyphs of states take one");
});

test("cutting: end, middle and start keep what matters and never exceed the width", () => {
  assert.equal(cutEnd("abcdef", 4), "abc…");
  assert.equal(cutStart("/home/me/project", 8), "…project");
  assert.equal(cutMiddle("npm run dev --port 3000", 12), "npm run …000");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(30), (text, columns) => {
      for (const cut of [cutEnd, cutMiddle, cutStart, takeStart, takeEnd]) {
        assert.ok(widthOf(cut(text, columns)) <= columns, cut.name);
      }
    }),
  );
});

test("tildePath: the home directory and what is below, not what begins alike", () => {
  assert.equal(tildePath("/home/me", "/home/me"), "~");
  assert.equal(tildePath("/home/me/x", "/home/me"), "~/x");
  assert.equal(tildePath("/home/meow", "/home/me"), "/home/meow");
});

test("cleanLine: colours stay, all else that acts on a terminal goes", () => {
  assert.equal(cleanLine("\x1b[31mred\x1b[0m"), "\x1b[31mred\x1b[0m");
  assert.equal(cleanLine("\x1b[2Ja\x1b[1;1Hb\x1b]0;title\x07c\x1b]52;c;eA==\x1b\\d\x07e\x1b(Bf\x1bcg"), "abcdefg");
  assert.equal(cleanLine("10%\r20%\r30%\r"), "30%");
  assert.equal(cleanLine("a\tb\x1b[1m\tc"), "a       b\x1b[1m       c");
  assert.equal(cleanLine("safe\u202etxt.exe"), "safetxt.exe");
});

test("cleanLine: whatever bytes come, what is left holds no control but SGR", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const cleaned = cleanLine(Buffer.from(bytes).toString("utf8"));
      assert.doesNotMatch(cleaned.replace(/\x1b\[[0-9;:]*m/g, ""), /[\x00-\x1f\x7f-\x9f]/);
    }),
  );
});

test("sliceColumns: takes columns with the colours that hold there", () => {
  assert.equal(sliceColumns("abcdef", 2, 3), "cde");
  assert.equal(sliceColumns("\x1b[31mabc\x1b[0mdef", 1, 3), "\x1b[31mbc\x1b[0md\x1b[0m");
  assert.equal(sliceColumns("日本語", 1, 4), " 本 ");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(20), fc.nat(20), (raw, from, columns) => {
      const text = cleanLine(raw);
      const slice = sliceColumns(text, from, columns);
      assert.ok(ansiWidth(slice) <= columns);
      assert.equal(withoutSgr(sliceColumns(text, 0, 1_000)), withoutSgr(text));
    }),
  );
});

test("formatAge: the largest whole unit, seconds by ten", () => {
  const table = [
    [0, "now"],
    [9_999, "now"],
    [25_000, "20s"],
    [60_000, "1m"],
    [3_599_000, "59m"],
    [7_200_000, "2h"],
    [200_000_000, "2d"],
  ] as const;
  for (const [ageMs, text] of table) assert.equal(formatAge(ageMs), text);
});
