import assert from "node:assert/strict";
import { test } from "node:test";
import { run, runMany, scheduleOf } from "./testing/simulation.ts";

/** `WARREN_SEED` runs that schedule alone, and shows it. */
const SEED = process.env.WARREN_SEED;
const SCHEDULE_COUNT = 10_000;

test("decide: 10,000 schedules of faults, kills and saves break no invariant, and each worker comes to rest", () => {
  if (SEED !== undefined) return assert.equal(run(scheduleOf(Number(SEED)), console.log), undefined);
  const found = runMany(1, SCHEDULE_COUNT);
  if (found === undefined) return;
  assert.fail(`${found.broken}\n  WARREN_SEED=${found.seed}\n  the fewest steps: ${JSON.stringify(found.shrunk)}`);
});

test("simulation: the same seed is the same schedule, event by event", () => {
  const tracesOf = (seed: number): string[] => {
    const lines: string[] = [];
    run(scheduleOf(seed), (line) => lines.push(line));
    return lines;
  };
  for (const seed of [7, 77, 777]) assert.deepEqual(tracesOf(seed), tracesOf(seed));
});
