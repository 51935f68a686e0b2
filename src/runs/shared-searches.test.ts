import assert from "node:assert/strict";
import { test } from "node:test";
import { wakefulClock as clock, isThere, RunFixture, until } from "./run-fixture.ts";
import { SharedSearches } from "./shared-searches.ts";
import { stopTree } from "./stop.ts";
import { findMembers, ProcessView } from "./tree.ts";

test("searches: those of one turn look once, each finds its own", async () => {
  await using runs = await RunFixture.make();
  const all = await Promise.all(Array.from({ length: 8 }, () => runs.start(["sh", "-c", "sleep 60 & wait"])));
  const pidsOf = (members: readonly { pid: number }[]): number[] => members.map(({ pid }) => pid);
  for (const { marks } of all) await until(() => findMembers(marks).length === 2, "a shell and its sleep");
  let lookCount = 0;
  const searches = new SharedSearches(() => {
    lookCount += 1;
    return new ProcessView();
  });
  const found = await Promise.all(all.map(({ marks }) => searches.find(marks)));
  assert.equal(lookCount, 1);
  for (const [at, members] of found.entries()) assert.deepEqual(pidsOf(members), pidsOf(findMembers(all[at]!.marks)));

  const stopped = await Promise.all(all.map(({ marks }) => stopTree(marks, { clock, find: searches.find })));
  assert.deepEqual(
    stopped,
    all.map(() => ({ survivors: [], escalated: false })),
  );
  assert.ok(all.every(({ job }) => !isThere(job)));
  assert.ok(lookCount < 2 * all.length, `${lookCount} looks`);
});

test("searches: one that fails tells all who asked, and the next is a new one", async () => {
  await using runs = await RunFixture.make();
  const { marks } = await runs.start(["sleep", "60"]);
  let isBroken = true;
  const searches = new SharedSearches(() => {
    if (isBroken) throw new Error("no /proc");
    return new ProcessView();
  });
  const both = [searches.find(marks), searches.find(marks)];
  for (const one of both) await assert.rejects(one, /no \/proc/);
  isBroken = false;
  assert.equal((await searches.find(marks)).length, 1);
});
