import assert from "node:assert/strict";
import { test } from "node:test";
import { median, percentile, runSeries, slope } from "./series.ts";

test("series: candidates take turns, and warm-up rounds do not count", async () => {
  const order: string[] = [];
  const candidate = (name: string) => ({
    name,
    sample: async (round: number) => {
      order.push(`${name}${round}`);
      return round;
    },
  });
  const options = { roundCountMin: 2, roundCountMax: 2, warmUpCount: 1 };
  const samples = await runSeries([candidate("a"), candidate("b")], options);
  assert.deepEqual(order, ["a-1", "b-1", "a0", "b0", "a1", "b1"]);
  assert.deepEqual(samples.get("b"), [0, 1]);
});

test("series: goes on until the median has settled, and no longer than it may", async () => {
  const settled = { name: "settled", sample: async () => 10 };
  const drifting = { name: "drifting", sample: async (round: number) => 2 ** round };
  const options = { roundCountMin: 4, roundCountMax: 9, warmUpCount: 0 };
  assert.equal((await runSeries([settled], options)).get("settled")?.length, 4);
  assert.equal((await runSeries([settled, drifting], options)).get("settled")?.length, 9);
});

test("median and percentile: whatever the order; percentile by nearest rank", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);
  assert.equal(percentile(hundred, 90), 90);
  assert.equal(percentile(hundred, 99), 99);
  assert.equal(percentile([7], 50), 7);
});

test("slope: of a straight line, and of noise around a level", () => {
  assert.equal(slope([0, 1, 2].map((x) => ({ x, y: 5 + 3 * x }))), 3);
  assert.equal(
    slope([
      { x: 0, y: 1 },
      { x: 1, y: 2 },
      { x: 2, y: 1 },
    ]),
    0,
  );
  assert.equal(slope([{ x: 1, y: 1 }]), 0);
});
