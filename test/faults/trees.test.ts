import assert from "node:assert/strict";
import type { TestOptions } from "node:test";
import type { Job } from "../../src/protocol/units.ts";
import type { TemporaryHome } from "../harness/home.ts";
import { waitUntil } from "../harness/wait-until.ts";
import { addReady, envOf, jobsOf, test, undisturbed } from "./undisturbed.ts";

/** Jobs that do not want to end, or to be found. `stop` answers when nothing of them is left, and touches nobody else's. */
const LIMIT: TestOptions = { timeout: 60_000 };
const GRACE_MS = 600;

test("trees: a job that ignores SIGTERM gets its grace, not less, and is then killed", LIMIT, async () => {
  await using house = await undisturbed();
  const deaf = "trap 'echo heard' TERM; echo ready; while :; do sleep 0.05; done";
  const job = await addReady(house, deaf);
  const startedMs = performance.now();
  const { status, stderr } = await house.warren(["stop", job.id, "--grace", `${GRACE_MS}ms`]);
  const tookMs = performance.now() - startedMs;
  assert.equal(status, 0, stderr);
  assert.ok(tookMs >= GRACE_MS, `${Math.round(tookMs)} ms are less than its grace`);
  assert.ok(tookMs < GRACE_MS + 3_000, `${Math.round(tookMs)} ms`);
  const [ended] = await jobsOf(house);
  assert.deepEqual(ended?.outcome, { kind: "signalled", signal: "SIGKILL", status: 137, by: "user" });
  assert.match((await house.warren(["stdout", job.id])).stdout, /heard/, "it was asked first");
  assert.deepEqual(house.tree(), []);
});

test("trees: one that uses its grace to end by itself is not killed", LIMIT, async () => {
  await using house = await undisturbed();
  const slow = `trap 'echo bye; exit 9' TERM; echo ready; while :; do sleep 0.05; done`;
  const job = await addReady(house, slow);
  assert.equal((await house.warren(["stop", job.id, "--grace", "20s"])).status, 0);
  const [ended] = await jobsOf(house);
  assert.deepEqual(ended?.outcome, { kind: "exited", status: 9 });
});

test("trees: who left the session, its parent and its environment is found", LIMIT, async () => {
  await using house = await undisturbed();
  // Twice forked, in a session of its own, with nothing in its environment, deaf, and with a name that says nothing.
  const fugitive = `env -i setsid sh -c '(trap "" TERM; exec /bin/sleep 1300) & exit 0' </dev/null >/dev/null 2>&1`;
  const job = await addReady(house, `${fugitive} & ${fugitive} & wait; echo ready; exec sleep 1301`);
  await waitUntil(() => house.tree().length === 3, { what: "three processes" });
  assert.equal(house.processes("other").length, 1, "two of them do not look like ours");
  assert.equal((await house.warren(["stop", job.id, "--grace", "200ms"])).status, 0);
  assert.deepEqual(house.tree(), []);
});

test("trees: a storm that forks while it is ended", LIMIT, async () => {
  await using house = await undisturbed();
  // 8 chains, each process of which starts the next and lives for a moment: about 200 at most, 4,000 in all, then it ends by itself.
  const storm = `chain() { [ $1 -ge 500 ] && return; (trap '' TERM; sleep 0.5) & (chain $(($1 + 1))) & }
    trap '' TERM; for lane in 1 2 3 4 5 6 7 8; do chain 0; sleep 0.02; done; echo ready; while :; do sleep 1; done`;
  const job = await addReady(house, storm);
  await waitUntil(() => house.tree().length > 40, { what: "a storm" });
  const { status, stderr } = await house.warren(["stop", job.id, "--grace", "100ms"]);
  assert.equal(status, 0, stderr);
  assert.deepEqual(house.tree(), []);
});

test("trees: what a job daemonised outlives it, and ends with `stop`", LIMIT, async () => {
  await using house = await undisturbed();
  const script = "setsid sh -c 'sleep 1400 & exec sleep 1401' </dev/null >/dev/null 2>&1 & exit 0";
  assert.equal((await house.warren(["run", "-q", "--name", "daemon", "--", "sh", "-c", script])).status, 0);
  await waitUntil(() => house.tree().length === 2, { what: "two processes without their leader" });
  const [job] = await jobsOf(house);
  assert.deepEqual([job?.status, job?.outcome], ["stopped", { kind: "exited", status: 0 }]);
  assert.equal((await house.warren(["stop", "daemon"])).status, 0);
  assert.deepEqual(house.tree(), []);
  const [after] = await jobsOf(house);
  assert.deepEqual(after?.outcome, { kind: "exited", status: 0 }, "how the run ended stays so");
});

test("trees: two homes with the same jobs: stop_all and nuke in one leave the other alone", LIMIT, async () => {
  await using one = await undisturbed({ killsServer: true });
  await using two = await undisturbed();
  const [mine, theirs] = [await thirty(one), await thirty(two)];
  await waitUntil(() => one.tree().length === 60 && two.tree().length === 60, { what: "both homes' trees" });
  const pids = two.tree().map(({ pid }) => pid);
  const theirJobs = await jobsOf(two);
  const there = async (): Promise<void> => {
    assert.deepEqual(
      two.tree().map(({ pid }) => pid),
      pids,
      "every process of the other home, escaped ones included",
    );
    assert.deepEqual((await jobsOf(two)).map(identity), theirJobs.map(identity));
  };
  assert.equal((await one.client().request("stop_all", {})).stopped, mine.length);
  assert.deepEqual(one.tree(), []);
  await there();
  for (const name of ["job-3", "job-4"]) assert.equal((await one.warren(["start", name])).status, 0);
  const nuked = await one.warren(["nuke", "--json"]);
  assert.equal(nuked.status, 0, nuked.stderr);
  assert.partialDeepStrictEqual(JSON.parse(nuked.stdout), { stopped: 2, removed: mine.length, survivors: [] });
  await there();
  assert.equal(theirs.length, 30);
});

/** Thirty jobs, each with a child that left its session. */
async function thirty(house: TemporaryHome): Promise<Job[]> {
  const client = house.client();
  const requests = Array.from({ length: 30 }, (_, n) =>
    client.request("add", {
      name: `job-${n}`,
      command: ["sh", "-c", "setsid sleep 1500 & exec sleep 1501", String(n)],
      workdir: house.dir,
      env: envOf(house),
    }),
  );
  return (await Promise.all(requests)).map(({ job }) => job);
}

const identity = ({ id, pid, status, run_count }: Job) => ({ id, pid, status, run_count });
