import assert from "node:assert/strict";
import { test } from "node:test";
import { checkYaml } from "./check.ts";
import type { RecordField } from "./field.ts";

const TABLE = {
  kind: "record",
  fields: {
    list: {
      kind: "list",
      item: { kind: "list", item: { kind: "list", item: { kind: "list", item: { kind: "scalar" } } } },
    },
    map: {
      kind: "map",
      keyPattern: ".",
      keyExpected: "a key",
      value: { kind: "record", fields: { a: { kind: "scalar" } } },
    },
    any: { kind: "any" },
    any2: { kind: "any" },
  },
} as const satisfies RecordField;

const problemsOf = (text: string): string[] => checkYaml(text, "x", TABLE).problems.map(({ message }) => message);

test("check: an alias stands for the last anchor of its name before it", () => {
  const { value, problems } = checkYaml(
    "any: { x: &a 1, y: [&a 2] }\nmap: { k: { a: *a }, l: { a: &a 3 }, m: { a: *a } }\n",
    "x",
    TABLE,
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(
    [...(value?.map ?? [])].map(([, { a }]) => a),
    ["2", "3", "3"],
  );
});

test("check: an alias without an anchor before it is a problem, though one follows", () => {
  assert.deepEqual(problemsOf("map: { k: { a: *a }, l: { a: &a 3 } }"), ["*a names no anchor above it"]);
});

test("check: aliases that stand for billions of values are one problem, and cost little", () => {
  const ten = (item: string): string => `[${Array(10).fill(item).join(", ")}]`;
  const words = `[${Array(2_000).fill("x").join(", ")}]`;
  const problems = problemsOf(`any: &a ${words}\nany2: &b ${ten("*a")}\nlist: [&c ${ten("*b")}, *c, *c]\n`);
  assert.deepEqual(problems, ["its aliases stand for more than 20000 values"]);
});

test("check: unknown keys behind aliases are bounded too", () => {
  const keys = Array.from({ length: 5_000 }, (_, at) => `k${at}: 1`).join(", ");
  const uses = Array.from({ length: 2_000 }, (_, at) => `u${at}: *m`).join(", ");
  const problems = problemsOf(`any: &m { ${keys} }\nmap: { ${uses} }\n`);
  assert.ok(problems.length <= 20_001, String(problems.length));
  assert.ok(problems.some((message) => message.includes("aliases stand for more than")));
});

test("check: a text that is nested deeper than can be read is not YAML", () => {
  const problems = problemsOf(`any: ${"[".repeat(100_000)}`);
  assert.match(problems[0]!, /is not YAML/);
});

test("check: what may be anything is not looked at, but its key is known", () => {
  const { value, problems } = checkYaml("any: { deep: [1, { x: y }], unknown: *none }\n", "x", TABLE);
  assert.deepEqual([problems, value !== undefined && "any" in value], [[], true]);
});
