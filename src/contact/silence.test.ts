import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { CONTACT_LIMITS } from "./limits.ts";
import { SilenceWatch } from "./silence.ts";

function watched() {
  const clock = new HandClock();
  const told: string[] = [];
  const at = (what: string): void => void told.push(`${what} ${clock.wallMs() - startMs}`);
  const startMs = clock.wallMs();
  const watch = new SilenceWatch({
    clock,
    limits: CONTACT_LIMITS,
    ping: () => at("ping"),
    onSilent: () => at("silent"),
  });
  return { clock, told, watch };
}

test("silence: after 4 s a ping, once; after 4 s more it is over, once", async () => {
  const { clock, told } = watched();
  for (let second = 0; second < 30; second++) await clock.passSlowly(1_000);
  assert.deepEqual(told, ["ping 4000", "silent 8000"]);
});

test("silence: whatever comes begins it anew; closed, it says nothing more", async () => {
  const { clock, told, watch } = watched();
  await clock.passSlowly(3_900);
  watch.heard();
  await clock.passSlowly(3_900);
  assert.deepEqual(told, []);
  await clock.passSlowly(3_000);
  watch.heard(); // the answer to the ping
  await clock.passSlowly(4_100);
  assert.deepEqual(told, ["ping 7900", "ping 14800"]);
  watch.close();
  await clock.passSlowly(60_000);
  assert.equal(told.length, 2);
});
