import assert from "node:assert/strict";
import { test } from "node:test";
import { editDistance, suggest } from "./suggest.ts";

test("editDistance: insertion, deletion, replacement and a swap count one each", () => {
  for (const [a, b, distance] of [
    ["", "", 0],
    ["abc", "abc", 0],
    ["abc", "ab", 1],
    ["ab", "abc", 1],
    ["abc", "axc", 1],
    ["ready", "raedy", 1],
    ["", "abc", 3],
    ["kitten", "sitting", 3],
  ] as const) {
    assert.equal(editDistance(a, b), distance, `${a} → ${b}`);
    assert.equal(editDistance(b, a), distance, `${b} → ${a}`);
  }
});

test("suggest: the nearest, if it is near enough to have been meant", () => {
  const keys = ["command", "ready", "restart", "env", "env_file"];
  assert.equal(suggest("comand", keys), "command");
  assert.equal(suggest("Restart", keys), "restart");
  assert.equal(suggest("redy", keys), "ready");
  assert.equal(suggest("envfile", keys), "env_file");
  assert.equal(suggest("ports", keys), undefined);
  assert.equal(suggest("", keys), undefined);
  assert.equal(suggest("x", ["y", "z"]), undefined);
  assert.equal(suggest("a".repeat(10_000), keys), undefined);
});
