import assert from "node:assert/strict";
import { test } from "node:test";
import { isHung } from "./hung.ts";

test("hung: nobody is before 300 ms; then who is stopped or traced; whoever else after 2 s", () => {
  const states = ["R", "S", "D", "T", "t"];
  const hungAt = (silentMs: number): string => states.filter((state) => isHung(silentMs, { state })).join("");
  assert.equal(hungAt(299), "");
  assert.equal(hungAt(300), "Tt");
  assert.equal(hungAt(1_999), "Tt");
  assert.equal(hungAt(2_000), "RSDTt");
});

test("hung: a process that is gone is not", () => {
  assert.equal(isHung(60_000, undefined), false);
});
