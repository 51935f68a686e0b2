import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { systemClock, TIMER_MS_MAX } from "./clock.ts";

const DAY_MS = 86_400_000;

test("timer: one of months comes when it is due, and not before", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    let calls = 0;
    systemClock.timer(60 * DAY_MS, () => (calls += 1));
    for (const stepMs of [TIMER_MS_MAX, TIMER_MS_MAX, 60 * DAY_MS - 2 * TIMER_MS_MAX - 1]) mock.timers.tick(stepMs);
    assert.equal(calls, 0);
    mock.timers.tick(1);
    assert.equal(calls, 1);
  } finally {
    mock.timers.reset();
  }
});

test("timer: it is cancelled also in its second month", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    let calls = 0;
    const cancel = systemClock.timer(60 * DAY_MS, () => (calls += 1));
    for (let day = 0; day < 30; day++) mock.timers.tick(DAY_MS);
    cancel();
    for (let day = 0; day < 40; day++) mock.timers.tick(DAY_MS);
    assert.equal(calls, 0);
  } finally {
    mock.timers.reset();
  }
});
