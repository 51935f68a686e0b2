import assert from "node:assert/strict";
import { test } from "node:test";
import { type ApartOptions, runManyApart } from "./harness/remote-sim/apart.ts";
import type { Plants } from "./harness/remote-sim/machine-actor.ts";
import { run, scheduleOf } from "./harness/remote-sim/schedule.ts";

/**
 * Device, hub and machine with their real code on virtual time and a virtual network, through schedules of lost, half-open and cut connections, partitions,
 * crashes in the middle of a write, clocks that jump, hubs that are put back to an old state and hubs that meddle (harness/remote-sim/judge.ts says what
 * may never happen). `WARREN_SEED=<seed>` runs one schedule and tells what happens in it; `npm run bench -- remote --only simulation` runs as many as are wanted.
 */
const SCHEDULES = 1_000;
const SCHEDULES_WITH_REAL_CRYPTO = 30;

async function holds(count: number, options: ApartOptions = {}): Promise<void> {
  const only = process.env.WARREN_SEED;
  if (only !== undefined) {
    assert.equal(await run(scheduleOf(Number(only)), { ...options, trace: console.log }), undefined);
    return;
  }
  const found = await runManyApart(1, count, options);
  assert.equal(found, undefined, `WARREN_SEED=${found?.seed} shows it`);
}

test("remote: after a thousand schedules nothing is lost, doubled, reordered or stuck, and who is revoked does nothing more", () =>
  holds(SCHEDULES));

test("remote: the same with real cryptography", () => holds(SCHEDULES_WITH_REAL_CRYPTO, { cipher: "real" }));

/** Each was a fault of the product. */
const ONCE_WRONG = [1_413, 2_072, 4_486, 9_598, 14_497, 507_354, 514_305, 646_018];

test("remote: schedules that went wrong once do so no more", async () => {
  for (const seed of ONCE_WRONG) assert.equal(await run(scheduleOf(seed)), undefined, `WARREN_SEED=${seed} shows it`);
});

test("a schedule is the same each time", async () => {
  const [first, second]: string[][] = [[], []];
  for (const lines of [first!, second!]) await run(scheduleOf(7), { trace: (line) => void lines.push(line) });
  assert.ok(first!.length > 10);
  assert.deepEqual(first, second);
});

/** Faults that are planted: what the judge has to say of them. */
const PLANTED: readonly [string, Plants, string][] = [
  ["a server that looks at no id does things twice", { noIdCheck: true }, "doubled"],
  ["a server that answers and forgets loses things", { forgets: true }, "lost"],
  ["a server that does things later than it says mixes them up", { late: true }, "reordered"],
  ["a machine that writes nothing down is not found any more", { noStore: true }, "stuck"],
  ["a server that leaves out what an agent has said is noticed", { mumbles: true }, "told"],
  ["a network that stays broken is noticed", { noHeal: true }, "stuck"],
  ["a machine that does not cut off whom it has revoked is noticed", { noCut: true }, "revoked"],
];

for (const [name, plants, verdict] of PLANTED)
  test(`judge: ${name}`, async () => {
    for (let seed = 1; seed <= 300; seed++) {
      const found = await run(scheduleOf(seed), { plants });
      if (found?.startsWith(`${verdict}:`)) return;
    }
    assert.fail(`none of 300 schedules was found to be ${verdict}`);
  });
