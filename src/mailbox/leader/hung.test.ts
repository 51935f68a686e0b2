import assert from "node:assert/strict";
import { test } from "node:test";
import { isHung, isStopped } from "./hung.ts";

test("hung: who is stopped or traced for 200 ms; whoever else does not answer for 3 s", () => {
  assert.equal(isHung({ silentMs: 299, stoppedMs: 199 }), false);
  assert.equal(isHung({ silentMs: 0, stoppedMs: 200 }), true);
  assert.equal(isHung({ silentMs: 2_999, stoppedMs: 0 }), false);
  assert.equal(isHung({ silentMs: 3_000, stoppedMs: 0 }), true);
});

test("hung: stopped by a signal, or by a debugger; not who waits for a disk", () => {
  assert.deepEqual(
    ["R", "S", "D", "T", "t", "Z"].filter((state) => isStopped({ state })),
    ["T", "t"],
  );
});
