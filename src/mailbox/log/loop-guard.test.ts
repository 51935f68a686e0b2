import assert from "node:assert/strict";
import { test } from "node:test";
import { LoopGuard } from "./loop-guard.ts";

const write = (guard: LoopGuard, from: string, to: string, nowMs: number) => {
  const hold = guard.look(from, to, nowMs);
  guard.count(from, to, hold, nowMs);
  return hold;
};

/** How many messages went through before the first was held. */
function politeness(guard: LoopGuard, startMs: number, everyMs: number): { count: number; untilMs: number } {
  for (let count = 0; count < 1_000; count++) {
    const nowMs = startMs + count * everyMs;
    const hold = count % 2 === 0 ? write(guard, "a", "b", nowMs) : write(guard, "b", "a", nowMs);
    if (hold) return { count, untilMs: hold.untilMs };
  }
  return { count: 1_000, untilMs: 0 };
}

test("loop guard: two that answer each other are held after 30 exchanges", () => {
  const { count, untilMs } = politeness(new LoopGuard(), 1_000_000, 100);
  assert.equal(count, 29);
  assert.equal(untilMs, 1_000_000 + 29 * 100 + 60_000);
});

test("loop guard: an exchange that takes its time is never held", () => {
  assert.equal(politeness(new LoopGuard(), 0, 2_500).count, 1_000);
});

test("loop guard: a thousand messages one way are one exchange", () => {
  const guard = new LoopGuard();
  for (let at = 0; at < 1_000; at++) assert.equal(write(guard, "a", "b", at), undefined);
});

test("loop guard: the hold is told once, and doubles when they go on", () => {
  const guard = new LoopGuard();
  const first = politeness(guard, 0, 100);
  assert.deepEqual(write(guard, "a", "b", 3_000), { untilMs: first.untilMs, isNew: false });
  const second = politeness(guard, first.untilMs, 100);
  assert.equal(second.untilMs - first.untilMs - second.count * 100, 120_000);
});

test("loop guard: a person sets both free", () => {
  const guard = new LoopGuard();
  politeness(guard, 0, 100);
  guard.personWrote("a");
  assert.equal(write(guard, "a", "b", 3_000), undefined);
});

test("loop guard: a clock that is set back holds nobody for longer than was said", () => {
  const guard = new LoopGuard();
  for (let at = 0; at < 20; at++) write(guard, at % 2 ? "b" : "a", at % 2 ? "a" : "b", 1_000_000);
  for (let at = 0; at < 20; at++) assert.equal(write(guard, at % 2 ? "b" : "a", at % 2 ? "a" : "b", 10), undefined);
});
