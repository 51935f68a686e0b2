import assert from "node:assert/strict";
import { test } from "node:test";
import { compareBuilds } from "./build.ts";

const order = (a: [string, number], b: [string, number]): number =>
  Math.sign(compareBuilds({ version: a[0], builtAtMs: a[1] }, { version: b[0], builtAtMs: b[1] }));

test("builds: the newer by version, as numbers, then by the time it was built", () => {
  assert.equal(order(["0.10.0", 1], ["0.9.9", 2]), 1);
  assert.equal(order(["1.0.0", 1], ["0.99.0", 2]), 1);
  assert.equal(order(["0.1.0", 1], ["0.1.1", 2]), -1);
  assert.equal(order(["0.1.0", 2], ["0.1.0", 1]), 1);
  assert.equal(order(["0.1.0", 1], ["0.1.0", 1]), 0);
});
