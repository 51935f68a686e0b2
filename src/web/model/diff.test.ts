import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type DiffLine, diffLines } from "./diff.ts";

const side = (lines: readonly DiffLine[], without: DiffLine["kind"]): string =>
  lines
    .filter(({ kind }) => kind !== without)
    .map(({ parts }) => parts.map(({ text }) => text).join(""))
    .join("\n");

test("diff: whoever leaves out what was added has the text before, and the other way round", () => {
  const text = fc
    .array(fc.constantFrom("a", "b b", "", "one two", "x"), { maxLength: 12 })
    .map((lines) => lines.join("\n"));
  const plain = (value: string): string => value.replace(/\n$/, "");
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = diffLines(before, after);
      assert.equal(side(lines, "added"), plain(before));
      assert.equal(side(lines, "removed"), plain(after));
    }),
    { numRuns: 500 },
  );
});

test("diff: in lines that stand for each other the words that differ are marked", () => {
  const lines = diffLines("a\none bug here\nz\n", "a\none fix here\nz\n");
  assert.deepEqual(
    lines.map(
      ({ kind, parts }) => `${kind} ${parts.map(({ text, isChanged }) => (isChanged ? `[${text}]` : text)).join("")}`,
    ),
    ["same a", "removed one [bug] here", "added one [fix] here", "same z"],
  );
});

test("diff: texts too large to be compared are shown whole", () => {
  const many = (word: string): string => Array.from({ length: 2_000 }, (_, at) => `${word} ${at}`).join("\n");
  const lines = diffLines(many("a"), many("b"));
  assert.equal(lines.length, 4_000);
});
