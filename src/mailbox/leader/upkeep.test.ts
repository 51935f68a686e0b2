import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../platform/log.ts";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import type { LeaderLog } from "./leader-log.ts";
import { LOOK_MS } from "./limits.ts";
import type { LockWatch } from "./lock-watch.ts";
import { Roll } from "./roll.ts";
import { Upkeep } from "./upkeep.ts";

test("upkeep: goes on when the leader that nobody needs does not end after all", async () => {
  const clock = new HandClock();
  let endCount = 0;
  const upkeep = new Upkeep({
    leaderLog: { perform: async () => ({}) } as unknown as LeaderLog,
    lock: { check: () => {} } as unknown as LockWatch,
    roll: new Roll(),
    clock,
    log: silentLog,
    isWatched: () => false,
    onPresence: () => {},
    isIdle: () => true,
    idleMs: 0,
    onIdle: () => {
      endCount += 1;
    },
  });
  upkeep.start();
  await clock.passSlowly(3 * LOOK_MS);
  assert.equal(endCount, 3);
  upkeep.close();
  assert.deepEqual(clock.delays, []);
});
