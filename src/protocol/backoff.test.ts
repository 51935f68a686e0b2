import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "./backoff.ts";

test("backoff: doubles to its cap, and begins anew after a success", () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1_000, random: () => 0 });
  assert.deepEqual(
    Array.from({ length: 6 }, () => backoff.nextMs()),
    [100, 200, 400, 800, 1_000, 1_000],
  );
  assert.equal(backoff.attempt, 6);
  backoff.reset();
  assert.deepEqual([backoff.attempt, backoff.nextMs()], [0, 100]);
});

test("backoff: jitter shortens by at most a quarter, also after very many attempts", () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1_000, random: () => 0.999 });
  for (let count = 0; count < 5_000; count++) {
    const delayMs = backoff.nextMs();
    assert.ok(delayMs >= 75 && delayMs <= 1_000, String(delayMs));
  }
});
