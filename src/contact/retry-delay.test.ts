import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CONTACT_LIMITS } from "./limits.ts";
import { RetryDelay } from "./retry-delay.ts";

const boundOf = (failures: number, isRefused: boolean): number =>
  isRefused ? 300_000 : Math.min(30_000, 1_000 * 2 ** failures);

test("delay: any time up to a bound that doubles to 30 s, and to 5 min after a refusal", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ isRefused: fc.boolean(), random: fc.double({ min: 0, max: 0.999, noNaN: true }) })),
      (steps) => {
        let random = 0;
        const delay = new RetryDelay(CONTACT_LIMITS, () => random);
        for (const [failures, step] of steps.entries()) {
          random = step.random;
          assert.equal(delay.nextMs(step.isRefused), Math.round(boundOf(failures, step.isRefused) * (1 - step.random)));
        }
      },
    ),
  );
});

test("delay: full jitter spreads a herd over the whole time, and a welcome begins anew", () => {
  const first = Array.from({ length: 1_000 }, () => new RetryDelay(CONTACT_LIMITS, Math.random).nextMs(false));
  const inFirstHalf = first.filter((ms) => ms < 500).length;
  assert.ok(inFirstHalf > 400 && inFirstHalf < 600, String(inFirstHalf));
  const delay = new RetryDelay(CONTACT_LIMITS, () => 0.5);
  for (let count = 0; count < 20; count++) delay.nextMs(false);
  delay.reset();
  assert.equal(delay.nextMs(false), 500);
});
