import assert from "node:assert/strict";
import { test } from "node:test";
import { ordered } from "./order.ts";
import type { Row } from "./rows.ts";

const row = (key: string, name: string, sinceMs: number, needsYou = false): Row =>
  ({ key, name, sinceMs, needsYou }) as Row;
const rows = [row("job/1", "b", 1), row("job/2", "a", Number.NaN), row("job/3", "c", 3), row("job/4", "z", 0, true)];

test("order: by name or by time, those that need somebody first, and as it comes by project", () => {
  const names = (order: "project" | "name" | "recent"): string =>
    ordered(rows, order)
      .map(({ name }) => name)
      .join("");
  assert.equal(names("project"), "bacz");
  assert.equal(names("name"), "zabc");
  assert.equal(names("recent"), "zcba");
});
