import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestOptions } from "node:test";
import type { Job, Run } from "../../src/protocol/units.ts";
import type { TemporaryHome } from "../harness/home.ts";
import { killProcess } from "../harness/processes.ts";
import { waitUntil } from "../harness/wait-until.ts";
import { addReady, jobsOf, test, undisturbed } from "./undisturbed.ts";

/** What ends, restarts or holds back a job without anybody asking. */
const LIMIT: TestOptions = { timeout: 60_000 };

test("policies: a job ends with its owner, tree and all, unless it is to be kept", LIMIT, async () => {
  await using house = await undisturbed();
  using owner = sleeper();
  const script = "setsid sleep 1600 & echo ready; exec sleep 1601";
  const flags = ["--owner-pid", String(owner.pid), "--restart", "always"];
  const killed = await addReady(house, script, [...flags, "--name", "killed"]);
  const kept = await addReady(house, script, [...flags, "--name", "kept", "--on-owner-death", "keep"]);
  assert.equal(house.tree().length, 4);
  owner.kill();
  const ended = await house.warren(["wait", "killed", "--for", "exit", "--timeout", "15s"]);
  assert.equal(ended.status, 143, ended.stderr);
  const jobs = new Map((await jobsOf(house)).map((job) => [job.id, job]));
  assert.deepEqual(jobs.get(killed.id)?.outcome, {
    kind: "signalled",
    signal: "SIGTERM",
    status: 143,
    by: "owner",
  });
  assert.equal(jobs.get(killed.id)?.state, "ended", "no policy brings it back");
  assert.deepEqual([jobs.get(kept.id)?.pid, jobs.get(kept.id)?.status], [kept.pid, "running"]);
  assert.equal(house.tree().length, 2);
});

test("policies: an owner that died while no server was there is noticed by the next", LIMIT, async () => {
  await using house = await undisturbed({ killsServer: true });
  using owner = sleeper();
  await addReady(house, "echo ready; exec sleep 1602", ["--owner-pid", String(owner.pid)]);
  assert.equal((await house.warren(["shutdown"])).status, 0);
  owner.kill();
  await owner.gone;
  assert.equal((await house.warren(["ping"])).status, 0);
  const [job] = await waitForStopped(house);
  assert.partialDeepStrictEqual(job?.outcome, { kind: "signalled", by: "owner" });
});

test("policies: an owner that is gone already, or is nobody, is refused", LIMIT, async () => {
  await using house = await undisturbed();
  const refused = await house.warren(["add", "--json", "--owner-pid", "999999999", "--", "true"]);
  assert.equal(refused.status, 125);
  const told = JSON.parse(refused.stderr) as { code: string; error: string };
  assert.equal(told.code, "OWNER_GONE");
  assert.match(told.error, /999999999/);
  assert.deepEqual(await jobsOf(house), []);
});

test("policies: a run past its time is ended, and run exits 124", LIMIT, async () => {
  await using house = await undisturbed();
  const polite = await house.warren(["run", "-q", "--timeout", "300ms", "--", "sleep", "1603"]);
  assert.equal(polite.status, 124, polite.stderr);
  const deaf = "trap '' TERM; while :; do sleep 0.05; done";
  const late = await house.warren(["run", "-q", "--timeout", "300ms", "--grace", "200ms", "--", "sh", "-c", deaf]);
  assert.equal(late.status, 124, late.stderr);
  const outcomes = (await jobsOf(house)).map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, [
    { kind: "signalled", signal: "SIGKILL", status: 137, by: "timeout" },
    { kind: "signalled", signal: "SIGTERM", status: 143, by: "timeout" },
  ]);
  assert.deepEqual(house.tree(), []);
});

test("policies: a time limit goes on when the server is killed meanwhile", LIMIT, async () => {
  await using house = await undisturbed({ killsServer: true });
  const run = house.start(["run", "-q", "--timeout", "1500ms", "--", "sleep", "1604"]);
  await waitUntil(() => house.tree().length === 1, { what: "the run" });
  killProcess(await house.server());
  assert.equal((await run.ended).status, 124);
});

test("policies: on-failure restarts what failed, as often as allowed, and nothing that succeeded", LIMIT, async () => {
  await using house = await undisturbed();
  const count = `echo x >> "$0"; exit $(( $(wc -l < "$0") < 3 ? 5 : 0 ))`;
  const wellAtThird = ["sh", "-c", count, join(house.dir, "third")];
  const always = ["sh", "-c", "exit 6"];
  const client = house.client();
  const add = (name: string, command: string[], when: "on-failure" | "always") =>
    client.request("add", {
      name,
      command,
      workdir: house.dir,
      env: [`PATH=${house.env.PATH}`],
      restart: { when, max: 2, backoff_ms: 20 },
    });
  await add("mends", wellAtThird, "on-failure");
  await add("fails", always, "on-failure");
  await add("again", ["true"], "always");
  /** A wait is over with the run that it finds; the policy may have more of them to come. */
  const final = async (name: string): Promise<{ job: Job; runs: Run[] }> => {
    for (;;) {
      const { job } = await client.request("wait", { job_id: name, conditions: [{ kind: "exit" }] });
      if (job.state === "ended") return client.request("runs", { job_id: name });
    }
  };
  const mends = await final("mends");
  assert.deepEqual(mends.runs.map(statusOf), [0, 5, 5], "newest first; it stops at the first success");
  const fails = await final("fails");
  assert.deepEqual(fails.runs.map(statusOf), [6, 6, 6], "one start and two restarts");
  assert.deepEqual(
    fails.runs.map(({ cause }) => cause),
    ["restart-policy", "restart-policy", "user"],
  );
  assert.deepEqual([fails.job.state, fails.job.exit_code], ["ended", 6]);
  assert.deepEqual((await final("again")).runs.map(statusOf), [0, 0, 0]);
});

test(
  "policies: a dependency that is not ready in its time is ended, and what waits for it never starts",
  LIMIT,
  async () => {
    await using house = await undisturbed();
    writeFileSync(
      join(house.dir, "warren.yaml"),
      `jobs:
  db: { command: sleep 1605, ready: { log: never said, timeout: 400ms } }
  web: { command: sleep 1606, depends_on: [db] }
`,
    );
    const up = await house.warren(["up", "--detach"]);
    assert.equal(up.status, 0, up.stderr);
    assert.match(up.stdout, /web.*waits for db/);
    await house.client().request("wait", { job_id: "db", workdir: house.dir, conditions: [{ kind: "exit" }] });
    const jobs = new Map((await jobsOf(house)).map((job) => [job.name, job]));
    assert.deepEqual(jobs.get("db")?.outcome, { kind: "signalled", signal: "SIGTERM", status: 143, by: "timeout" });
    assert.equal(jobs.get("db")?.ready ?? false, false);
    assert.deepEqual([jobs.get("web")?.state, jobs.get("web")?.run_count], ["waiting", 0]);
    assert.deepEqual(house.tree(), []);
    assert.equal((await house.warren(["stop", "web"])).status, 0);
    assert.equal((await jobsOf(house)).find(({ name }) => name === "web")?.state, "created", "waits no more");
  },
);

const statusOf = ({ outcome }: Run): number | undefined => (outcome?.kind === "exited" ? outcome.status : undefined);

const waitForStopped = (house: TemporaryHome): Promise<Job[]> =>
  waitUntil(
    async () => {
      const stopped = (await jobsOf(house)).filter(({ status }) => status === "stopped");
      return stopped.length > 0 && stopped;
    },
    { what: "its end", everyMs: 50 },
  );

/** A process of the test's own, as an agent's session would be. */
function sleeper(): Disposable & { pid: number; kill(): void; gone: Promise<unknown> } {
  const child: ChildProcess = spawn("sleep", ["1000"], { stdio: "ignore" });
  const kill = (): void => void child.kill("SIGKILL");
  return { pid: child.pid!, kill, gone: once(child, "exit"), [Symbol.dispose]: kill };
}
