import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../platform/clock.ts";
import { silentLog } from "../../platform/log.ts";
import { keepTime } from "./keep-time.ts";
import type { LeaderLog } from "./leader-log.ts";
import { Pruning } from "./pruning.ts";

const DAY_MS = 24 * 3_600_000;

/** A log that has three parts to look at, and remembers what it was asked; and a clock that rings its one timer when it is told to. */
function pruned(keepMs: number | undefined) {
  const asked: { after?: number | undefined; older_than_ms: number }[] = [];
  const timers: { delayMs: number; task: () => void }[] = [];
  let refuses = false;
  const clock: Clock = {
    wallMs: () => 1_000,
    monotonicMs: () => 0,
    timer(delayMs, task) {
      const timer = { delayMs, task };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  };
  const leaderLog = {
    async perform({ payload }: { payload: (typeof asked)[number] }) {
      asked.push(payload);
      if (refuses) throw new Error("the disk is gone");
      const after = payload.after ?? 0;
      return { answer: { messages: 1, bytes: 10, ...(after < 200 ? { next: after + 100 } : {}) }, effects: [] };
    },
  } as unknown as LeaderLog;
  return {
    asked,
    pruning: new Pruning({ leaderLog, clock, log: silentLog, keepMs }),
    refuse: () => {
      refuses = true;
    },
    /** How long it has waited for. */
    async ring(): Promise<number | undefined> {
      const timer = timers.shift();
      timer?.task();
      await new Promise(setImmediate);
      return timer?.delayMs;
    },
  };
}

test("pruning: part by part with pauses, then again in an hour; an error ends nothing", async () => {
  const { asked, pruning, ring, refuse } = pruned(30 * DAY_MS);
  pruning.start();
  assert.deepEqual([await ring(), await ring(), await ring()], [60_000, 100, 100]);
  assert.deepEqual(
    asked.map(({ after, older_than_ms }) => [after, older_than_ms]),
    [0, 100, 200].map((after) => [after, 30 * DAY_MS]),
  );
  refuse();
  assert.equal(await ring(), 3_600_000);
  assert.equal(asked.at(-1)?.after, 0);
  assert.equal(await ring(), 3_600_000);
  pruning.close();
  assert.equal(await ring(), undefined);
});

test("pruning: without a time to keep, never", async () => {
  const { pruning, ring } = pruned(undefined);
  pruning.start();
  assert.equal(await ring(), undefined);
});

test("WARREN_MAIL_KEEP: a duration of a day or more, or never; what is neither removes nothing, and is said", () => {
  assert.deepEqual(keepTime("90d"), { keepMs: 90 * DAY_MS });
  for (const text of [undefined, "", "never"]) assert.deepEqual(keepTime(text), { keepMs: undefined });
  for (const text of ["1h", "0", "-1d", "soon", "90 days", "23h59m"]) {
    const { keepMs, problem } = keepTime(text);
    assert.equal(keepMs, undefined, text);
    assert.match(problem ?? "", /everything is kept/, text);
  }
});
