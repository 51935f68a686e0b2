import assert from "node:assert/strict";
import { test } from "node:test";
import { fileSays, isThere, RunFixture, until } from "./run-fixture.ts";
import { stopTree } from "./stop.ts";
import { findMembers } from "./tree.ts";

const NO_SHIM = { bootId: "", pid: 0, startTicks: 0 };

test("tree: the limit is a mark of those that have a shim to set it; for others only the environment is read", async () => {
  await using runs = await RunFixture.make();
  const { marks, job, stdoutPath } = await runs.start([
    "sh",
    "-c",
    "(env -i setsid sh -c 'echo $$; exec sleep 60' &)\n(setsid sh -c 'echo $$; exec sleep 60' &)",
  ]);
  const text = await fileSays(stdoutPath, (said) => said.split("\n").length === 3);
  await until(() => !isThere(job), "the leader to end");
  const both = text.trim().split("\n").map(Number);
  const found = findMembers(marks).map(({ pid }) => pid);
  assert.deepEqual(found.toSorted(), both.toSorted());
  assert.equal(findMembers({ ...marks, shim: NO_SHIM }).length, 1, "the one with the run's environment");
  await stopTree(marks, { force: true });
});
