import assert from "node:assert/strict";
import { test } from "node:test";
import { LookPace, QUIET_LOOK_MS } from "./look-pace.ts";

const SAMPLE_MS = 5_000;

/** At which of the moments, one every five seconds, it looks. */
function looks(usedMs: (atMs: number) => number, pids: (atMs: number) => number[] = () => [7, 8]): number[] {
  const pace = new LookPace();
  const looked: number[] = [];
  for (let atMs = 0; atMs <= 60_000; atMs += SAMPLE_MS) {
    if (!pace.isDue(atMs)) continue;
    looked.push(atMs / 1_000);
    pace.note({ atMs, usedMs: usedMs(atMs), pids: pids(atMs) });
  }
  return looked;
}

test("look pace: every time while trees are at work; rarely while they sleep", () => {
  assert.equal(looks(() => 100).length, 13);
  assert.deepEqual(
    looks(() => 0),
    [0, 5, 25, 45],
  );
  assert.deepEqual(
    looks((atMs) => (atMs === 25_000 ? 1_000 : 0)),
    [0, 5, 25, 30, 50],
    "what has woken up is looked at again",
  );
});

test("look pace: who asks meanwhile and sees another process makes the next look due", () => {
  const pace = new LookPace();
  pace.note({ atMs: 0, usedMs: 0, pids: [7] });
  pace.note({ atMs: 5_000, usedMs: 0, pids: [7] });
  assert.equal(pace.isDue(10_000), false);
  pace.note({ atMs: 10_000, usedMs: 0, pids: [7, 9] });
  assert.equal(pace.isDue(15_000), true);
  pace.note({ atMs: 15_000, usedMs: 0, pids: [7, 9] });
  assert.equal(pace.isDue(20_000), false);
  assert.equal(pace.isDue(15_000 + QUIET_LOOK_MS), true);
});
