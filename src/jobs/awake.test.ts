import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { Awake } from "./awake.ts";

test("awake: since the end of a sleep, and not since a small correction or a clock that was set back", () => {
  const clock = new HandClock();
  const awake = new Awake(clock);
  assert.equal(awake.sinceMs(), Number.NEGATIVE_INFINITY);
  clock.pass(3_600_000);
  clock.jumpWall(900);
  assert.equal(awake.sinceMs(), Number.NEGATIVE_INFINITY, "no time was slept");
  clock.jumpWall(600_000);
  const wokenMs = clock.wallMs();
  assert.equal(awake.sinceMs(), wokenMs);
  clock.pass(60_000);
  assert.equal(awake.sinceMs(), wokenMs);
  clock.jumpWall(-3_600_000);
  assert.equal(awake.sinceMs(), clock.wallMs(), "never later than now");
  clock.pass(10_000);
  assert.equal(awake.sinceMs(), clock.wallMs() - 10_000);
});
