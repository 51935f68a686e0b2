import assert from "node:assert/strict";
import { test } from "node:test";
import { prefixedLine, rawLine } from "./format.ts";
import { parseGrep } from "./grep.ts";

const line = (text: string) => Buffer.from(text);

test("grep: text is looked for as it stands, in the whole line", () => {
  const test = parseGrep("a.b/");
  assert.ok(test(line("xa.b/y")));
  assert.ok(!test(line("xacb/y")));
  assert.ok(test(Buffer.concat([Buffer.alloc(300_000, "x"), line("a.b/")])));
  assert.ok(parseGrep("/")(line("a/b")));
});

test("grep: /…/ is a regular expression with flags, tried on the first 64 kB", () => {
  assert.ok(parseGrep("/fail(ed)?\\b/i")(line("it FAILED")));
  assert.ok(!parseGrep("/^fail/")(line("it failed")));
  assert.ok(!parseGrep("/late/")(Buffer.concat([Buffer.alloc(65_536, "x"), line("late")])));
  // A test that keeps a position between lines would miss every second one.
  const twice = parseGrep("/x/");
  assert.ok(twice(line("x")) && twice(line("x")));
});

test("grep: a pattern that is not valid is refused", () => {
  assert.throws(() => parseGrep("/(/"), { code: "PATTERN_INVALID" });
  assert.throws(() => parseGrep("/x/g"), { code: "PATTERN_INVALID" });
});

test("format: bytes pass as they are behind the tag, which is yellow for stderr in colour", () => {
  const bytes = Buffer.from([0xff, 0x0d, 0x41]);
  const out = prefixedLine({ stream: "stdout", bytes }, { tag: "4xc", colour: true });
  assert.ok(out.equals(Buffer.concat([line("[4xc] "), bytes, line("\n")])));
  const error = { stream: "stderr", bytes } as const;
  assert.ok(prefixedLine(error, { tag: "4xc", colour: false }).equals(out));
  assert.ok(prefixedLine(error, { tag: "4xc", colour: true }).toString("latin1").startsWith("\x1b[33m[4xc]\x1b[39m "));
  assert.deepEqual(
    [rawLine({ bytes, complete: true }).at(-1), rawLine({ bytes, complete: false }).at(-1)],
    [0x0a, 0x41],
  );
});
