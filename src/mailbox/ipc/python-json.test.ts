import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { pythonDumps, pythonJsonError, pythonTypeOf } from "./python-json.ts";

/** Written by Python 3.11's own json module. */
const golden = <T>(name: string): T[] =>
  JSON.parse(readFileSync(new URL(`golden/${name}`, import.meta.url), "utf8")) as T[];

test("python json: dumps writes what json.dumps writes", () => {
  const cases = golden<{ value: unknown; text: string }>("python-dumps.json");
  assert.ok(cases.length > 10);
  for (const { value, text } of cases) assert.equal(pythonDumps(value), text);
});

test("python json: each bad text has the reason that json.loads gives", () => {
  const cases = golden<{ text: string; error: string | null }>("python-json-errors.json");
  assert.ok(cases.length > 30);
  for (const { text, error } of cases) assert.equal(pythonJsonError(text) ?? null, error, JSON.stringify(text));
});

test("python json: absent keys are left out, and types have Python's names", () => {
  assert.equal(pythonDumps({ a: undefined, b: 1 }), '{"b": 1}');
  assert.deepEqual([null, [], 1, 1.5, "", true, {}].map(pythonTypeOf), [
    "NoneType",
    "list",
    "int",
    "float",
    "str",
    "bool",
    "dict",
  ]);
});
