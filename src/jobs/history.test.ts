import assert from "node:assert/strict";
import { test } from "node:test";
import type { Outcome } from "../protocol/outcome.ts";
import {
  addOutcome,
  avgFailureMs,
  avgSuccessMs,
  expected,
  isStuck,
  NO_RUNS,
  progressPercent,
  RECENT_SUCCESSES_MAX,
  type RunStats,
  stuckAfterMs,
  successRate,
} from "./history.ts";

const success: Outcome = { kind: "exited", status: 0 };
const failure: Outcome = { kind: "exited", status: 3 };
const killed: Outcome = { kind: "signalled", signal: "SIGTERM", status: 143, by: "user" };
const lost: Outcome = { kind: "lost", reason: "shim killed" };
const after = (...runs: [Outcome, number][]): RunStats =>
  runs.reduce((stats, [outcome, ms]) => addOutcome(stats, outcome, ms), NO_RUNS);

test("history: averages are kept apart, the rate is of successes and failures", () => {
  const stats = after([success, 1_000], [success, 2_000], [failure, 100], [success, 3_000]);
  assert.equal(avgSuccessMs(stats), 2_000);
  assert.equal(avgFailureMs(stats), 100);
  assert.equal(successRate(stats), 75);
  assert.deepEqual([stats.minMs, stats.maxMs, stats.runCount], [100, 3_000, 4]);
});

test("history: a killed or lost run is counted and changes nothing else", () => {
  const before = after([success, 1_000], [failure, 500]);
  const stats = addOutcome(addOutcome(before, killed, 1), lost, 999_999);
  assert.deepEqual(stats, { ...before, runCount: 4 });
  assert.deepEqual(after([killed, 1], [success, 50]).minMs, 50);
});

test("history: without a run nothing is divided by zero", () => {
  assert.deepEqual([avgSuccessMs(NO_RUNS), avgFailureMs(NO_RUNS), successRate(NO_RUNS)], [0, 0, 0]);
  assert.deepEqual(expected(NO_RUNS), {
    successMs: undefined,
    failureMs: undefined,
    p50Ms: undefined,
    p90Ms: undefined,
  });
});

test("history: percentiles are of the last hundred successes, by nearest rank", () => {
  let stats = NO_RUNS;
  for (let ms = 1; ms <= 150; ms++) stats = addOutcome(stats, success, ms);
  assert.equal(stats.recentSuccessesMs.length, RECENT_SUCCESSES_MAX);
  assert.deepEqual([expected(stats).p50Ms, expected(stats).p90Ms], [100, 140]);
  assert.equal(expected(after([success, 9], [success, 1])).p50Ms, undefined);
  assert.equal(expected(after([success, 9], [success, 1], [success, 5])).p50Ms, 5);
});

test("progress: of the median, whole, at most 100, unknown before three successes", () => {
  assert.equal(progressPercent(733, 1_000), 73);
  assert.equal(progressPercent(5_000, 1_000), 100);
  assert.equal(progressPercent(-1, 1_000), 0);
  assert.equal(progressPercent(10, undefined), undefined);
  assert.equal(progressPercent(10, 0), undefined);
});

test("stuck: past the threshold and silent for more than a minute, both", () => {
  const stats = after([success, 10_000], [success, 20_000], [success, 30_000]);
  assert.equal(stuckAfterMs(stats), 80_000);
  assert.equal(isStuck({ elapsedMs: 80_001, silentMs: 60_001, stats }), true);
  assert.equal(isStuck({ elapsedMs: 80_000, silentMs: 60_001, stats }), false);
  assert.equal(isStuck({ elapsedMs: 80_001, silentMs: 60_000, stats }), false);
});

test("stuck: five minutes while fewer than three successes are known, whatever failed", () => {
  const stats = after([success, 10], [success, 10], [failure, 10], [failure, 10]);
  assert.equal(isStuck({ elapsedMs: 300_000, silentMs: 300_000, stats }), false);
  assert.equal(isStuck({ elapsedMs: 300_001, silentMs: 60_001, stats }), true);
});
