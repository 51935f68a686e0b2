import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "./hand-clock.ts";

/** What each task saw of time when it was called, and one that is set on the way. */
function timed() {
  const clock = new HandClock({ wallMs: 0 });
  const startMs = clock.monotonicMs();
  const called: string[] = [];
  const note = (name: string) => (): void => void called.push(`${name} ${clock.monotonicMs() - startMs}`);
  clock.timer(20, note("late"));
  clock.timer(10, () => {
    note("early")();
    clock.timer(5, note("set on the way"));
  });
  clock.timer(15, note("cancelled"))();
  return { clock, called };
}

test("hand clock: passing calls each task at its own moment, and what is set on the way", async () => {
  const stepped = timed();
  stepped.clock.pass(30);
  assert.deepEqual(stepped.called, ["early 10", "set on the way 15", "late 20"]);
  assert.equal(stepped.clock.wallMs(), 30);
  const slow = timed();
  await slow.clock.passSlowly(30);
  assert.deepEqual(slow.called, stepped.called);
});

test("hand clock: a leap calls what has fallen due once, at its end; a jump of wall time calls nothing", () => {
  const { clock, called } = timed();
  clock.jumpWall(3_600_000);
  assert.deepEqual(called, []);
  clock.leap(30);
  assert.deepEqual(called, ["early 30", "late 30"]);
  assert.deepEqual([clock.delays, clock.wallMs()], [[5], 3_600_030]);
});
