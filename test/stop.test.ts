import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job } from "../src/protocol/units.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** `stop` ends the whole tree, whatever it does, and says so only when it is gone. */
const TIMEOUT_MS = 60_000;

/** Trees that are hard to end; `pids` is how many processes are there when it says "ready". */
const TREES: { name: string; script: string; pids: number; escalates: boolean }[] = [
  { name: "ends at SIGTERM", script: "echo ready; exec sleep 1000", pids: 1, escalates: false },
  {
    name: "ignores SIGTERM",
    script: "trap '' TERM; echo ready; while :; do sleep 0.2; done",
    pids: 1,
    escalates: true,
  },
  {
    name: "has children that ignore it",
    script: "(trap '' TERM; while :; do sleep 0.2; done) & echo ready; wait",
    pids: 2,
    escalates: true,
  },
  {
    name: "daemonises twice",
    script:
      "(setsid sh -c 'setsid sleep 1000 & exec setsid sleep 1000' </dev/null >/dev/null 2>&1 &) ; echo ready; exec sleep 1000",
    pids: 3,
    escalates: false,
  },
  {
    name: "clears its environment and escapes",
    script:
      "(env -i setsid sleep 1000 &); (env -i setsid sh -c '(setsid sleep 1000 &); exec sleep 1000' &); echo ready; exec sleep 1000",
    pids: 4,
    escalates: false,
  },
  { name: "is stopped by SIGSTOP", script: "sleep 1000 & echo ready; kill -STOP $$; wait", pids: 2, escalates: false },
  { name: "closes its output", script: "echo ready; exec >&- 2>&- <&-; exec sleep 1000", pids: 1, escalates: false },
];

for (const { name, script, pids, escalates } of TREES) {
  test(`stop: a job that ${name}`, { timeout: TIMEOUT_MS }, async () => {
    await using house = temporaryHome();
    const { job } = await ready(house, script);
    await waitUntil(() => treeOf(house).length >= pids, { what: `${pids} processes` });
    const { status, stdout, stderr } = await house.warren([
      "stop",
      job.id,
      "--grace",
      escalates ? "300ms" : "10s",
      "--json",
    ]);
    assert.equal(status, 0, stderr);
    assert.deepEqual(treeOf(house), [], `nothing of it lives when stop has answered: ${stdout}`);
    const [ended] = await list(house);
    assert.equal(ended?.status, "stopped");
    assert.equal((ended?.outcome as { by?: string } | null)?.by ?? "user", "user");
  });
}

test("stop: a fork storm (bounded) is ended whole", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  // Each generation starts the next and ends: there is always somebody new. Bounded by a counter, so that a failure does not take the machine along.
  const storm = `storm() { n=$1; [ $n -gt 400 ] && exec sleep 1000; (storm $((n+1))) & (storm 401) & }; trap '' TERM; echo ready; storm 0; while :; do sleep 1; done`;
  const { job } = await ready(house, storm);
  await waitUntil(() => treeOf(house).length > 30, { what: "the storm" });
  const { status, stderr } = await house.warren(["stop", job.id, "--grace", "100ms"]);
  assert.equal(status, 0, stderr);
  assert.deepEqual(treeOf(house), []);
});

test(
  "stop: while it starts, the start and the stop are both answered and nothing is left",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const [starter, stopper] = [house.client(), house.client()];
    const { job } = await starter.request("create", { command: ["sleep", "3000"], workdir: house.dir, name: "web" });
    for (let round = 0; round < 10; round += 1) {
      const starting = starter.request("start", {
        job_id: job.id,
        env: [`PATH=${house.env.PATH}`, `WARREN_HOME=${house.home}`],
      });
      const [started, stopped] = await Promise.allSettled([starting, stopper.request("stop", { job_id: job.id })]);
      assert.equal(started.status, "fulfilled", String((started as PromiseRejectedResult).reason));
      assert.equal(stopped.status, "fulfilled", String((stopped as PromiseRejectedResult).reason));
      await stopper.request("stop", { job_id: job.id });
      assert.deepEqual(treeOf(house), []);
    }
    const { runs } = await starter.request("runs", { job_id: job.id });
    assert.ok(
      runs.every(({ outcome }) => outcome?.kind === "signalled"),
      JSON.stringify(runs.map(({ outcome }) => outcome)),
    );
  },
);

test("stop: again, from two sides and of what has ended, is no error", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const { job } = await ready(house, "trap '' TERM; echo ready; while :; do sleep 0.2; done");
  const both = await Promise.all([
    house.warren(["stop", job.id, "--grace", "500ms"]),
    house.warren(["stop", job.id, "--grace", "500ms"]),
  ]);
  assert.deepEqual(
    both.map(({ status }) => status),
    [0, 0],
  );
  assert.equal((await house.warren(["stop", job.id])).status, 0);
});

test("stop --force joins a stop that waits, and kills at once", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const { job } = await ready(house, "trap '' TERM; echo ready; while :; do sleep 0.2; done");
  const waiting = house.client().request("stop", { job_id: job.id, grace_ms: 600_000 });
  await waitUntil(async () => (await list(house))[0]?.state === "stopping", { what: "the first stop" });
  assert.equal((await house.warren(["stop", "--force", job.id])).status, 0);
  assert.equal((await waiting).stopped, true);
  assert.deepEqual(treeOf(house), []);
});

test("stop: a job of a job's own command line leaves the server alone", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  // The first command of the home is given inside a job of another: the keeper and the server start in that job's tree.
  await using inner = temporaryHome();
  const { thisInstallation } = await import("./harness/build-copy.ts");
  const env = Object.entries(inner.env)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
  const { job } = await ready(
    house,
    `env ${env} ${thisInstallation().bin} add -- sleep 1000 >/dev/null; echo ready; exec sleep 1000`,
  );
  const [server, keeper] = [await inner.server(), await inner.keeper()];
  assert.equal((await house.warren(["stop", job.id])).status, 0);
  assert.deepEqual([(await inner.server()).pid, (await inner.keeper()).pid], [server.pid, keeper.pid]);
  assert.equal((JSON.parse((await inner.warren(["list", "--all", "--json"])).stdout) as Job[])[0]?.status, "running");
});

test("leftovers: what a job daemonised is shown, and stop ends it", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const { status, stderr } = await house.warren([
    "run",
    "--quiet",
    "--name",
    "up",
    "--",
    "sh",
    "-c",
    "setsid sleep 1000 >/dev/null 2>&1 & exit 0",
  ]);
  assert.equal(status, 0, stderr);
  assert.equal(treeOf(house).length, 1);
  assert.equal((await house.warren(["stop", "up"])).status, 0);
  assert.deepEqual(treeOf(house), []);
});

async function ready(house: TemporaryHome, script: string): Promise<{ job: Job }> {
  const { status, stdout, stderr } = await house.warren([
    "add",
    "--json",
    "--wait-for",
    "log=ready",
    "--",
    "sh",
    "-c",
    script,
  ]);
  assert.equal(status, 0, stderr);
  const [job] = await list(house);
  assert.ok(job, stdout);
  return { job };
}

/** Processes that jobs of this home started, those with an empty environment included (they are told by their program). */
function treeOf(house: TemporaryHome): number[] {
  return house.tree().map(({ pid }) => pid);
}

const list = async (house: TemporaryHome): Promise<Job[]> =>
  JSON.parse((await house.warren(["list", "--all", "--json"])).stdout) as Job[];
