import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import * as fc from "fast-check";
import { quoteWord } from "./quote-word.ts";

test("quoteWord: in a shell it is that very word, and nothing of it is carried out", () => {
  const words = ["", "$(exit 1)", "`exit 1`", "it's", "a b", '"', "\\", "!!", "~", "*", "-n", "Pixel 9", "a;b", "a\nb"];
  const random = fc.sample(fc.string({ unit: "binary" }), 100).map((word) => word.replaceAll("\0", ""));
  const all = [...words, ...random];
  const said = execFileSync("sh", ["-c", `printf '%s\\0' ${all.map(quoteWord).join(" ")}`]).toString();
  assert.deepEqual(
    said.split("\0").slice(0, -1),
    all.map((word) => word.toWellFormed()),
  );
});

test("quoteWord: what no shell would take for anything else stands as it is", () => {
  for (const word of ["web", "user@host", "https://home.example:7117/", "a=b", "1.5%"])
    assert.equal(quoteWord(word), word);
});
