import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Histogram } from "./histogram.ts";

test("histogram: a percentile is never too low, and at most an eighth (or a microsecond) too high", () => {
  const duration = fc.oneof(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 60_000, noNaN: true }),
  );
  fc.assert(
    fc.property(
      fc.array(duration, { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0.5, 0.9, 0.99, 1),
      (all, share) => {
        const histogram = new Histogram();
        for (const ms of all) histogram.record(ms);
        const exact = [...all].sort((one, other) => one - other)[Math.ceil(all.length * share) - 1]!;
        const told = histogram.percentileMs(share);
        assert.ok(told >= exact, `${told} is under ${exact}`);
        assert.ok(told <= exact * 1.125 + 0.001_001, `${told} is far over ${exact}`);
      },
    ),
  );
});

test("histogram: what lies below each power of two is counted exactly, and nothing is lost above the top", () => {
  const histogram = new Histogram();
  for (const us of [0, 7, 8, 127, 128, 129, 1_023, 1_024, 2 ** 27, 1e12]) histogram.record(us / 1_000);
  assert.deepEqual(
    [3, 7, 8, 10, 11, 27].map((bit) => histogram.countBelow(bit)),
    [2, 4, 6, 7, 8, 10],
  );
  assert.equal(histogram.count, 10);
});

test("histogram: nothing recorded is 0", () => {
  assert.equal(new Histogram().percentileMs(0.99), 0);
});
