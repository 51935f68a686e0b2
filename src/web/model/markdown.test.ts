import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Block, markdownBlocks, runsOf } from "./markdown.ts";

const shown = (blocks: readonly Block[]): string[] =>
  blocks.map((block) => {
    if (block.kind === "code") return `code ${block.language}: ${block.text}`;
    if (block.kind === "rule") return "rule";
    if (block.kind === "list")
      return `list ${block.items.map((runs) => runs.map(({ text }) => text).join("")).join("|")}`;
    return `${block.kind} ${block.runs.map(({ text }) => text).join("")}`;
  });

test("markdown: the blocks that agents write", () => {
  const text =
    "# Done\nI did\nthis:\n\n- one\n- two\n1. first\n> said\n---\n```ts\nconst a = 1;\n\n# no heading\n```\nend";
  assert.deepEqual(shown(markdownBlocks(text)), [
    "heading Done",
    "paragraph I did\nthis:",
    "list one|two",
    "list first",
    "quote said",
    "rule",
    "code ts: const a = 1;\n\n# no heading",
    "paragraph end",
  ]);
});

test("markdown: a fence that is still open is code already", () => {
  assert.deepEqual(shown(markdownBlocks("see\n```\nhalf a li")), ["paragraph see", "code : half a li"]);
});

test("markdown: runs of text, and links to the web alone", () => {
  assert.deepEqual(
    runsOf("a **b** *c* `d **e**` [f](https://g.example/h) https://i.example/j. 2*3*4").map(
      ({ kind, text }) => `${kind} ${text}`,
    ),
    [
      "text a ",
      "strong b",
      "text  ",
      "emphasis c",
      "text  ",
      "code d **e**",
      "text  ",
      "link f",
      "text  ",
      "link https://i.example/j",
      "text . 2*3*4",
    ],
  );
  for (const text of ["[x](javascript:alert(1))", "[x](data:text/html,y)", "[x](//host/y)"])
    assert.deepEqual(runsOf(text), [{ kind: "text", text }], text);
});

test("markdown: no text throws or hangs, and no letter is lost", () => {
  const pieces = ["a", " ", "\n", "*", "**", "`", "- ", "#", ">", "_"];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 60 }), (parts) => {
      const text = parts.join("");
      const letters = (value: string): number => value.split("a").length;
      const kept = markdownBlocks(text).map((block) => shown([block])[0]!.replace(/^\w+/, ""));
      assert.equal(letters(kept.join("")), letters(text), text);
    }),
    { numRuns: 500 },
  );
  for (const text of ["*a ", "`", "**a", "[a](", "https://"]) {
    const startedMs = performance.now();
    markdownBlocks(text.repeat(10_000));
    assert.ok(performance.now() - startedMs < 5_000, text);
  }
});
