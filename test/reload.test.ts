import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Client } from "../src/client/client.ts";
import type { SubscriptionItem } from "../src/client/subscription.ts";
import type { StreamEvent } from "../src/protocol/envelope.ts";
import { isWarrenError } from "../src/protocol/errors.ts";
import type { Job } from "../src/protocol/units.ts";
import { crashesAtStart, thisInstallation, throwsWhenLoaded, variant } from "./harness/build-copy.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { ended, killProcess } from "./harness/processes.ts";
import { randomOf } from "./harness/random.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** DESIGN §7, promise 2: an upgrade interrupts nothing. */
const isProof = process.env.WARREN_PROOF === "1";
const RELOADS = isProof ? 50 : 5;
const JOBS = 50;
const SUBSCRIBERS = 20;
const TIMEOUT_MS = isProof ? 10 * 60_000 : 60_000;

test(
  "reload: jobs keep their pids, subscribers get every event once, no client ends",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const client = house.client();
    const before = await startSleepers(house, client, JOBS);
    const listeners = await Promise.all(Array.from({ length: SUBSCRIBERS }, () => Listener.open(house.client())));
    const followers = Array.from({ length: 3 }, () => house.start(["events", "--all", "--snapshot"]));
    await Promise.all(followers.map(({ shows }) => shows(/"snapshot"/)));
    const awaiting = house.start(["await", before[0]!.id]);
    await awaiting.shows(/Awaiting/);

    const over = new AbortController();
    const busy = makeEvents(house, client, over.signal);
    const pids = new Set<number>();
    for (let count = 0; count < RELOADS; count += 1) {
      const { status, stdout, stderr } = await house.warren(["reload", "--json"]);
      assert.equal(status, 0, stderr);
      pids.add((JSON.parse(stdout) as { pid: number }).pid);
    }
    over.abort();
    const made = await busy;
    assert.equal(pids.size, RELOADS, "each reload made a new process");
    assert.ok(made >= RELOADS, `${made} jobs ran meanwhile`);

    const { jobs } = await client.request("list", {});
    const now = new Map(jobs.map((job) => [job.id, job]));
    for (const { id, pid } of before) assert.equal(now.get(id)?.pid, pid, `job ${id} is the same process`);
    const { streams } = await client.request("subscribe", {});
    const lastSeq = streams.jobs?.seq ?? 0;
    for (const listener of listeners) {
      await listener.reached(lastSeq);
      assert.deepEqual(listener.faults(), [], "no event lost or doubled, no gap");
    }
    for (const follower of [...followers, awaiting])
      assert.equal(follower.child.exitCode, null, "the client process lives");
    for (const follower of followers) {
      await waitUntil(() => follower.output().includes(`"seq":${lastSeq},`), {
        what: `event ${lastSeq} at a follower`,
      });
      const seqs = [...follower.output().matchAll(/^{"event".*?"seq":(\d+),/gm)].map(([, seq]) => Number(seq));
      assert.deepEqual(faultsIn(seqs), []);
    }
    assert.equal(house.processes("server").length, 1);
  },
);

test("reload: a request in hand is answered by the next generation", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const client = house.client();
  const [job] = await startSleepers(house, client, 1);
  const waiting = client.request("wait", { job_id: job!.id, conditions: [{ kind: "exit" }] });
  assert.equal((await house.warren(["reload"])).status, 0);
  const stopping = house.client().request("stop", { job_id: job!.id });
  assert.equal((await house.warren(["reload"])).status, 0);
  assert.equal((await stopping).stopped, true);
  assert.deepEqual((await waiting).job.outcome, { kind: "signalled", signal: "SIGTERM", status: 143, by: "user" });
});

test(
  "reload: who asks while the old generation finishes what is in hand is answered by the new one",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const client = house.client();
    const stubborn = { command: ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], name: "stubborn" };
    const env = [`PATH=${house.env.PATH}`, `WARREN_HOME=${house.home}`];
    const { job } = await client.request("add", { ...stubborn, workdir: house.dir, env });
    const [asking, listening] = [house.client(), house.client()];
    await Promise.all([asking.request("ping", {}), listening.request("ping", {})]);
    // A stop that takes its time keeps the old generation from going at once.
    const stopping = client.request("stop", { job_id: job.id, grace_ms: 700 });
    await waitUntil(async () => (await asking.request("get_job", { job_id: job.id })).job.state === "stopping", {
      what: "the stop in hand",
    });
    const reloading = house.start(["reload"]);
    const limit = AbortSignal.timeout(30_000);
    // As an event, or in the snapshot when the job was gone by the time that the new generation answered.
    const seen = (async () => {
      for await (const item of listening.subscribe({ streams: ["jobs"] }, limit)) {
        if (item.kind === "event" && item.event.event === "job_stopped") return true;
        if (
          item.kind === "snapshot" &&
          (item.snapshot as { jobs: Job[] }).jobs.every((one) => one.status === "stopped")
        )
          return true;
      }
      return false;
    })();
    let answered = 0;
    for (let isOver = false; !isOver && !limit.aborted; answered += 1) {
      const fresh = house.client();
      const [{ message }] = await Promise.all([asking.request("ping", {}), fresh.request("list", {})]);
      assert.equal(message, "pong");
      fresh.close();
      isOver = await Promise.race([
        reloading.ended.then(() => true),
        new Promise<false>((go) => setImmediate(go, false)),
      ]);
    }
    assert.equal((await reloading.ended).status, 0);
    assert.equal((await stopping).stopped, true);
    assert.equal(await seen, true, "the subscription lived through it");
    assert.ok(answered > 5);
  },
);

test("reload: a build that does not load changes nothing, and says why", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const client = house.client();
  const [job] = await startSleepers(house, client, 1);
  const server = await house.server();
  const broken = variant({ hash: "broken1", newerByMs: 60_000, files: throwsWhenLoaded("a typo in line 7") });
  const { status, stderr } = await house.warren(["reload"], { from: broken, quotesLog: true });
  assert.match(stderr, /did not start/);
  assert.match(stderr, /a typo in line 7/, "the reason");
  assert.equal(status, 125);
  assert.equal((await house.server()).pid, server.pid, "the same process serves");
  const { job: now } = await client.request("get_job", { job_id: job!.id });
  assert.equal(now.pid, job!.pid);
  assert.equal((await house.warren(["reload"])).status, 0, "and a good one is still taken");
});

test(
  "reload: a build that crashes at start three times gives way to the last good one",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const client = house.client();
    const [job] = await startSleepers(house, client, 1);
    const good = client.server?.git_hash;
    const crashing = variant({ hash: "crash01", newerByMs: 60_000, files: crashesAtStart("cannot open the moon") });
    const { status, stdout, stderr } = await house.warren(["reload", "--json"], { from: crashing });
    assert.equal(status, 0, stderr);
    const answer = JSON.parse(stdout) as { hash: string; fellBack?: string };
    assert.equal(answer.hash, good, "the good build runs");
    assert.match(answer.fellBack ?? "", /crash01.*failed to start three times/);
    const { job: now } = await client.request("get_job", { job_id: job!.id });
    assert.equal(now.pid, job!.pid);
    assert.match(house.logs(), /cannot open the moon/);
  },
);

test(
  "reload: from cold, a build that crashes at start gives way to the last good one",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    await startSleepers(house, house.client(), 1);
    assert.equal((await house.warren(["shutdown"])).status, 0);
    const crashing = variant({ hash: "crash02", newerByMs: 60_000, files: crashesAtStart("cannot open the sun") });
    const { status, stdout, stderr } = await house.warren(["list", "--json"], { from: crashing });
    assert.equal(status, 0, stderr);
    assert.equal((JSON.parse(stdout) as Job[])[0]?.status, "running");
    assert.match(stderr, /last good build/);
  },
);

test(
  "a build that cannot start, and nothing to fall back to: everybody who waits is told why, and nothing hangs",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const crashing = variant({ hash: "crash03", newerByMs: 60_000, files: crashesAtStart("cannot open the stars") });
    const asked = await Promise.all(
      Array.from({ length: 5 }, () => house.warren(["ping", "--json"], { from: crashing })),
    );
    for (const { status, stderr } of [...asked, await house.warren(["ping", "--json"], { from: crashing })]) {
      assert.equal(status, 125, stderr);
      const told = JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as { code: string; detail: { lines: string[] } };
      assert.equal(told.code, "SERVER_START_FAILED");
      assert.match(told.detail.lines.join("\n"), /cannot open the stars/);
    }
    await waitUntil(() => house.processes().length === 0, { what: "nothing to be left of it" });
    assert.equal((await house.warren(["ping"])).status, 0, "a good build is not held up");
  },
);

test(
  "a server that begins to crash while clients wait: they are told, and do not hang",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const client = house.client();
    const [job] = await startSleepers(house, client, 1);
    const waiting = client.request("wait", { job_id: job!.id, conditions: [{ kind: "exit" }] });
    const server = await house.server();
    for (const hash of readdirSync(house.places.buildsDir).filter((name) => !/^runtime|[.]/.test(name)))
      writeFileSync(
        join(house.places.buildsDir, hash, "server.js"),
        crashesAtStart("the disk is rotten")["server.js"]!,
      );
    killProcess(server);
    await assert.rejects(waiting, (error) => isWarrenError(error, "SERVER_START_FAILED"));
    for (const hash of readdirSync(house.places.buildsDir).filter((name) => !/^runtime|[.]/.test(name))) {
      const good = readFileSync(join(thisInstallation().root, "dist", "server.js"));
      writeFileSync(join(house.places.buildsDir, hash, "server.js"), good);
    }
    const { job: now } = await client.request("get_job", { job_id: job!.id });
    assert.equal(now.pid, job!.pid, "and once it can start, all is there");
  },
);

test("reload: the server dies while its successor loads, at any moment", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const client = house.client();
  const [job] = await startSleepers(house, client, 1);
  const random = randomOf(7);
  for (let round = 0; round < (isProof ? 100 : 8); round += 1) {
    const victim = await house.server(); // before there is a second one, which loads
    const reloading = house.start(["reload"]);
    await new Promise((wake) => setTimeout(wake, random.between(20, 120)));
    killProcess(victim);
    await ended(victim);
    const { status, stderr } = await reloading.ended;
    assert.ok(status === 0 || /No server is running/.test(stderr), `reload: ${status} ${stderr}`);
    const { job: now } = await client.request("get_job", { job_id: job!.id }, { timeoutMs: 10_000 });
    assert.equal(now.pid, job!.pid);
  }
  await waitUntil(() => house.processes("server").length === 1, { what: "exactly one server" });
});

test("two builds: the newer takes the jobs over, the older retires", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const client = house.client();
  const before = await startSleepers(house, client, 5);
  const listener = await Listener.open(house.client());
  const old = await house.server();
  const oldName = client.server?.server;
  const newer = variant({ hash: "newer01", newerByMs: 60_000 });
  const { status, stdout, stderr } = await house.warren(["list", "--json"], { from: newer });
  assert.equal(status, 0, stderr);
  const jobs = JSON.parse(stdout) as Job[];
  for (const { id, pid } of before) assert.equal(jobs.find((job) => job.id === id)?.pid, pid, "adopted, not restarted");
  assert.notEqual(jobs[0]?.server, oldName, "another server has them");
  await ended(old);
  const servers = JSON.parse((await house.warren(["servers", "--json"], { from: newer })).stdout) as Record<
    string,
    { git_hash: string; primary: boolean }
  >;
  // A client of the older build that came just in the gap may have brought its server back; that one has no jobs and retires.
  const [primary, ...others] = Object.values(servers);
  assert.deepEqual([primary?.git_hash, primary?.primary], ["newer01", true]);
  for (const other of others) assert.equal(other.primary, false);

  const { stopped } = await client.request("stop", { job_id: before[0]!.id });
  assert.equal(stopped, true, "an old client's library finds the new server");
  const { streams } = await client.request("subscribe", {});
  await listener.reached(streams.jobs?.seq ?? 0);
  assert.deepEqual(listener.faults(), []);
});

test("two builds: commands of the older go on being served by the newer", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const newer = variant({ hash: "newer02", newerByMs: 60_000 });
  const [first] = await Promise.all([
    house.warren(["list", "--json"], { from: newer }),
    house.warren(["list", "--json"]),
    house.warren(["add", "--", "sleep", "1000"], { from: newer }),
    house.warren(["add", "--", "sleep", "1001"]),
  ]);
  assert.equal(first.status, 0, first.stderr);
  const both = [await house.warren(["list", "--json"]), await house.warren(["list", "--json"], { from: newer })];
  for (const { stdout, stderr } of both) assert.equal((JSON.parse(stdout) as Job[]).length, 2, stderr);
  if (!isProof) return; // it takes its time to see that nobody needs it
  await waitUntil(() => house.processes("server").length === 1, {
    what: "the older server to retire",
    deadlineMs: 30_000,
  });
});

async function startSleepers(house: TemporaryHome, client: Client, count: number): Promise<Job[]> {
  const added = Array.from({ length: count }, (_, at) =>
    client.request("add", {
      command: ["sleep", String(100_000 + at)],
      workdir: house.dir,
      env: [`PATH=${house.env.PATH}`, `WARREN_HOME=${house.home}`],
    }),
  );
  return (await Promise.all(added)).map(({ job }) => job);
}

/** Short jobs, one after the other: each tells of itself four times. */
async function makeEvents(house: TemporaryHome, client: Client, over: AbortSignal): Promise<number> {
  let made = 0;
  for (; !over.aborted; made += 1) {
    const { job } = await client.request("add", {
      command: ["sh", "-c", `exit ${made % 5}`, String(made)],
      workdir: house.dir,
      env: [`PATH=${house.env.PATH}`, `WARREN_HOME=${house.home}`],
    });
    await client.request("wait", { job_id: job.id, conditions: [{ kind: "exit" }] });
  }
  return made;
}

/** A subscriber that keeps account. */
class Listener {
  readonly #items: SubscriptionItem[] = [];

  static async open(client: Client): Promise<Listener> {
    const listener = new Listener();
    const items = client.subscribe({ streams: ["jobs"] });
    const first = await items.next();
    if (!first.done) listener.#items.push(first.value);
    void (async () => {
      for await (const item of items) listener.#items.push(item);
    })().catch(() => {});
    return listener;
  }

  /** Resolves when event `seq` has come. */
  async reached(seq: number): Promise<void> {
    await waitUntil(() => this.#seqs().at(-1)! >= seq, { what: `event ${seq}; the last was ${this.#seqs().at(-1)}` });
  }

  faults(): string[] {
    const snapshots = this.#items.filter(({ kind }) => kind === "snapshot");
    return [...faultsIn(this.#seqs()), ...(snapshots.length === 1 ? [] : [`${snapshots.length} snapshots`])];
  }

  #seqs(): number[] {
    return this.#items.map((item) => (item.kind === "snapshot" ? item.seq : (item.event as StreamEvent).seq));
  }
}

const faultsIn = (seqs: readonly number[]): string[] =>
  seqs.flatMap((seq, at) => {
    const before = seqs[at - 1];
    return before === undefined || seq === before + 1 ? [] : [`${seq} after ${before}`];
  });
