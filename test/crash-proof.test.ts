import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { test } from "node:test";
import type { Client } from "../src/client/client.ts";
import type { Job } from "../src/protocol/units.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { after, KillPoints } from "./harness/kill-points.ts";
import { ended, killProcess } from "./harness/processes.ts";
import { type Random, withSeed } from "./harness/random.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { assertAsPlanned, hasSaidAll, type Planned, plan } from "./harness/workload.ts";

/** DESIGN §7, promise 1: kill -9 of any Warren process at any instant. */
const isProof = process.env.WARREN_PROOF === "1";
const KILLS = isProof ? 1_000 : 60;
const CLIENTS = 6;
const PROOF_TIMEOUT_MS = 45 * 60_000;

test(
  `crash-proof: ${KILLS} kills of the server lose no run, no byte, no status, and leave one server`,
  { timeout: isProof ? PROOF_TIMEOUT_MS : 150_000 },
  () =>
    withSeed(async (random) => {
      await using house = temporaryHome();
      const points = new KillPoints(house);
      await house.client().request("ping", {});
      const over = new AbortController();
      const work = Array.from({ length: CLIENTS }, (_, lane) =>
        workUntil({ house, points, random, lane, over: over.signal }),
      );
      const killing = killMany(points, random).finally(() => over.abort());
      const done = (await Promise.all([...work, killing.then(() => [])])).flat();
      assert.ok(points.killed.length >= KILLS);
      assert.ok(done.length > KILLS / 4, `only ${done.length} jobs were done during ${KILLS} kills`);
      await assertNothingLost(house, done);
      await assertNothingLeft(house);
    }),
);

test(
  "crash-proof: the keeper is killed: its server starts a successor, and jobs do not notice",
  { timeout: 60_000 },
  async () => {
    await using house = temporaryHome();
    assert.equal((await house.warren(["run", "--", "mkfifo", "go"])).status, 0);
    const client = house.client();
    const { job } = await client.request("add", {
      command: ["sh", "-c", "echo before; read line < go; echo after; exit 42"],
      workdir: house.dir,
      env: [`PATH=${house.env.PATH}`, `WARREN_HOME=${house.home}`],
    });
    const keeper = await house.keeper();
    const server = await house.server();
    killProcess(keeper);
    await ended(keeper);
    await ended(server); // it goes as soon as a successor is on its way
    const next = await waitUntil(() => house.processes("keeper").find(({ pid }) => pid !== keeper.pid), {
      what: "another keeper",
    });
    assert.notEqual(next.pid, keeper.pid);
    const { jobs } = await client.request("list", {});
    assert.equal(jobs.find(({ id }) => id === job.id)?.pid, job.pid, "the same process");
    assert.equal((await house.warren(["run", "--", "sh", "-c", "echo on > go"])).status, 0);
    const { job: over } = await client.request("wait", { job_id: job.id, conditions: [{ kind: "exit" }] });
    assert.deepEqual(over.outcome, { kind: "exited", status: 42 });
    assert.equal(readFileSync(over.stdout_path, "utf8"), "before\nafter\n");
    await assertNothingLeft(house);
  },
);

test(
  "crash-proof: keeper and server are killed together: the next command finds everything",
  { timeout: 60_000 },
  async () => {
    await using house = temporaryHome();
    const first = await house.warren(["add", "--json", "--name", "web", "--", "sleep", "1000"]);
    const { job } = JSON.parse(first.stdout) as { job: Job };
    const keeper = await house.keeper();
    const server = await house.server();
    for (const victim of [keeper, server]) killProcess(victim);
    await Promise.all([ended(keeper), ended(server)]);
    const [again] = JSON.parse((await house.warren(["list", "--json"])).stdout) as Job[];
    assert.deepEqual([again?.id, again?.pid, again?.status], [job.id, job.pid, "running"]);
    assert.equal((await house.warren(["stop", "web"])).status, 0);
    await assertNothingLeft(house);
  },
);

test(
  "crash-proof: a shim is killed: the job goes on, its outcome is lost, and that is said",
  { timeout: 60_000 },
  async () => {
    await using house = temporaryHome();
    assert.equal((await house.warren(["run", "--", "mkfifo", "go"])).status, 0);
    const added = await house.warren(["add", "--json", "--", "sh", "-c", "read line < go; echo $line"]);
    const { job } = JSON.parse(added.stdout) as { job: Job };
    const awaiting = house.start(["await", job.id]);
    await awaiting.shows(/Awaiting job/);
    const shim = await waitUntil(
      () => {
        const [one, ...others] = house.processes("shim");
        return others.length === 0 && one; // that of mkfifo may be on its way out
      },
      { what: "the job's shim alone" },
    );
    killProcess(shim);
    await ended(shim);
    const [running] = JSON.parse((await house.warren(["list", "--json"])).stdout) as Job[];
    assert.deepEqual([running?.status, running?.pid], ["running", job.pid], "the job goes on");
    assert.equal((await house.warren(["run", "--", "sh", "-c", "echo through > go"])).status, 0);
    const { status, stdout } = await awaiting.ended;
    assert.match(stdout, /through/);
    assert.match(stdout, /lost|shim/i);
    assert.equal(status, 120);
    const [lost] = JSON.parse((await house.warren(["list", "--all", "--json", job.id])).stdout || "[]") as Job[];
    if (lost?.id === job.id) assert.deepEqual(lost.outcome, { kind: "lost", reason: "shim killed" });
  },
);

interface Lane {
  house: TemporaryHome;
  points: KillPoints;
  random: Random;
  lane: number;
  over: AbortSignal;
}

interface Done {
  planned: Planned;
  jobId: string;
  /** Known by the CLI as its own exit status. */
  cliStatus?: number;
}

/** One client that starts jobs and sees them to their end, one after the other, with no idea of what happens to the server. */
async function workUntil({ house, points, random, lane, over }: Lane): Promise<Done[]> {
  const client = house.client();
  const done: Done[] = [];
  for (let index = lane; !over.aborted; index += CLIENTS) {
    const planned = plan({ index, random, stepsMax: 12 });
    done.push(
      lane === 0 ? await throughCli(house, planned, client) : await throughClient({ house, points, client, planned }),
    );
  }
  return done;
}

async function throughClient({
  house,
  points,
  client,
  planned,
}: Pick<Lane, "house" | "points"> & { client: Client; planned: Planned }): Promise<Done> {
  points.enter("add");
  const { job, action } = await client.request("add", {
    command: planned.command,
    workdir: house.dir,
    env: [`PATH=${house.env.PATH}`, `WARREN_HOME=${house.home}`],
  });
  assert.equal(action, "created", `job ${planned.index} was started once`);
  if (planned.end.kind === "is stopped") {
    await waitUntil(() => hasSaidAll(planned, sizesOf(job)), {
      what: `the last words of job ${planned.index}`,
      deadlineMs: 60_000,
    });
    points.enter("stop");
    const stopped = await client.request("stop", { job_id: job.id });
    assert.equal(stopped.job.status, "stopped");
  } else await client.request("wait", { job_id: job.id, conditions: [{ kind: "exit" }] });
  return { planned, jobId: job.id };
}

/** The same by commands: one process each. */
async function throughCli(house: TemporaryHome, planned: Planned, client: Client): Promise<Done> {
  if (planned.end.kind === "is stopped") {
    const { stdout, stderr, status } = await house.warren(["add", "--json", "--", ...planned.command]);
    assert.equal(status, 0, stderr);
    const { job } = JSON.parse(stdout) as { job: Job };
    await waitUntil(() => hasSaidAll(planned, sizesOf(job)), {
      what: `the last words of job ${planned.index}`,
      deadlineMs: 60_000,
    });
    const stop = await house.warren(["stop", job.id]);
    assert.equal(stop.status, 0, stop.stderr);
    return { planned, jobId: job.id };
  }
  const run = await house.warren(["run", "--quiet", "--", ...planned.command]);
  const { jobs } = await client.request("list", { workdir: house.dir });
  const job = jobs.find(({ command }) => command[4] === String(planned.index));
  assert.ok(job, `job ${planned.index} is known: ${run.stdout.slice(-300)}${run.stderr}`);
  return { planned, jobId: job.id, cliStatus: run.status ?? -1 };
}

/** Mostly a server that serves; one in ten is killed again while its successor starts. */
async function killMany(points: KillPoints, random: Random): Promise<void> {
  while (points.killed.length < KILLS) {
    await points.serving();
    const kind = random.between(1, 10);
    if (kind <= 3) await points.during("add");
    else if (kind <= 5) await points.during("stop");
    else await after(random.between(0, 200));
    await after(random.between(0, 6));
    if (kind === 10) await points.killTwice(random.between(0, 60));
    else await points.kill();
  }
}

async function assertNothingLost(house: TemporaryHome, done: readonly Done[]): Promise<void> {
  const client = house.client();
  const { jobs } = await client.request("list", {});
  const known = new Map(jobs.map((job) => [job.id, job]));
  assert.equal(jobs.length, done.length, "every job is known, and no other");
  for (const { planned, jobId, cliStatus } of done) {
    const job = known.get(jobId);
    assert.ok(job, `job ${planned.index} is known`);
    assertAsPlanned(job, planned);
    if (cliStatus !== undefined && planned.end.kind !== "is stopped")
      assert.equal(cliStatus, planned.end.status, `job ${planned.index}: status of warren run`);
  }
}

/** One server, one keeper, nothing else; and no file that stands for something that is not there. */
async function assertNothingLeft(house: TemporaryHome): Promise<void> {
  await waitUntil(() => house.processes().every(({ role }) => role === "server" || role === "keeper"), {
    what: "the end of what jobs started",
  });
  assert.equal(house.processes("keeper").length, 1, "one keeper");
  assert.equal(house.processes("server").length, 1, "one server");
  await waitUntil(() => readdirSync(house.places.statusDir).length === 0, { what: "no file in status/" });
  const entries = readdirSync(house.places.serversDir);
  assert.equal(entries.length, 1, `one entry: ${entries}`);
}

const sizesOf = ({ stdout_path, stderr_path }: Job): { stdout: number; stderr: number } => ({
  stdout: statSync(stdout_path, { throwIfNoEntry: false })?.size ?? 0,
  stderr: statSync(stderr_path, { throwIfNoEntry: false })?.size ?? 0,
});
