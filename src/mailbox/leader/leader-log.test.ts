import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../platform/clock.ts";
import { silentLog } from "../../platform/log.ts";
import type { MailLog } from "../log/mail-log.ts";
import type { Effect } from "../log/operations.ts";
import { LeaderLog } from "./leader-log.ts";

/** Two clocks that go as they are told: one of them may jump. */
class HandClock implements Clock {
  wall = 1_000_000;
  monotonic = 0;
  #timers: { atMs: number; task: () => void }[] = [];

  wallMs = (): number => this.wall;
  monotonicMs = (): number => this.monotonic;

  timer(delayMs: number, task: () => void): () => void {
    const timer = { atMs: this.monotonic + delayMs, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.monotonic + ms;
    for (;;) {
      const next = this.#timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.wall += next.atMs - this.monotonic;
      this.monotonic = next.atMs;
      next.task();
      await new Promise(setImmediate);
    }
    this.wall += untilMs - this.monotonic;
    this.monotonic = untilMs;
  }
}

/** A log that says when something is due, and counts its sweeps. */
function swept(due: () => number | undefined) {
  const clock = new HandClock();
  const sweptAtMs: number[] = [];
  const mailLog = {
    async sweep(nowMs: number): Promise<Effect[]> {
      sweptAtMs.push(nowMs);
      const atMs = due();
      return atMs === undefined ? [] : [{ kind: "due", atMs }];
    },
  } as unknown as MailLog;
  const leaderLog = new LeaderLog({ mailLog, clock, log: silentLog, onEffects: () => {} });
  return { clock, sweptAtMs, leaderLog };
}

test("sweeps: one at the start, then when something is due", async () => {
  let due: number | undefined = 1_000_700;
  const { clock, sweptAtMs, leaderLog } = swept(() => due);
  leaderLog.start();
  await clock.pass(5);
  due = undefined;
  await clock.pass(5_000);
  assert.deepEqual(sweptAtMs, [1_000_005, 1_000_700]);
  leaderLog.close();
});

test("sweeps: a wall clock that jumps ahead delays none by more than half a minute; one that jumps back makes no storm", async () => {
  let due: number | undefined = 1_000_000 + 3_600_000;
  const { clock, sweptAtMs, leaderLog } = swept(() => due);
  leaderLog.start();
  await clock.pass(1_000);
  clock.wall += 24 * 3_600_000; // now it is due
  due = undefined;
  await clock.pass(30_000);
  assert.equal(sweptAtMs.length, 2);
  clock.wall -= 48 * 3_600_000;
  due = 1_000_000;
  await clock.pass(60_000);
  assert.equal(sweptAtMs.length, 4);
  leaderLog.close();
  await clock.pass(120_000);
  assert.equal(sweptAtMs.length, 4);
});
