import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../platform/log.ts";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import type { MailLog } from "../log/mail-log.ts";
import type { Effect } from "../log/operations.ts";
import { LeaderLog } from "./leader-log.ts";

/** A log that says when something is due, and counts its sweeps. */
function swept(due: () => number | undefined) {
  const clock = new HandClock({ wallMs: 1_000_000 });
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
  await clock.passSlowly(5);
  due = undefined;
  await clock.passSlowly(5_000);
  assert.deepEqual(sweptAtMs, [1_000_005, 1_000_700]);
  leaderLog.close();
});

test("sweeps: a wall clock that jumps ahead delays none by more than half a minute; one that jumps back makes no storm", async () => {
  let due: number | undefined = 1_000_000 + 3_600_000;
  const { clock, sweptAtMs, leaderLog } = swept(() => due);
  leaderLog.start();
  await clock.passSlowly(1_000);
  clock.jumpWall(24 * 3_600_000); // now it is due
  due = undefined;
  await clock.passSlowly(30_000);
  assert.equal(sweptAtMs.length, 2);
  clock.jumpWall(-48 * 3_600_000);
  due = 1_000_000;
  await clock.passSlowly(60_000);
  assert.equal(sweptAtMs.length, 4);
  leaderLog.close();
  await clock.passSlowly(120_000);
  assert.equal(sweptAtMs.length, 4);
});
