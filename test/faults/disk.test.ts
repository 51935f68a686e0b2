import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestOptions } from "node:test";
import { needsRoot, readOnlyDirectory, type SmallDisk, smallDisk } from "../harness/faults.ts";
import { type TemporaryHome, temporaryHome } from "../harness/home.ts";
import { RawConnection } from "../harness/raw-connection.ts";
import { waitUntil } from "../harness/wait-until.ts";
import { addReady, envOf, jobsOf, MEBIBYTE, test, undisturbed } from "./undisturbed.ts";

/** A home on a disk that is full, or that may not be written. */
const LIMIT: TestOptions = { timeout: 60_000, skip: needsRoot() ?? false };
const DISK_BYTES = 64 * MEBIBYTE;

test("disk: full while a job ends: its status is true, the server lives, an event says what went", LIMIT, async () => {
  using disk = smallDisk(DISK_BYTES);
  await using house = await onDisk(disk);
  const old = await house.warren(["run", "-q", "--name", "old", "--", "sh", "-c", `head -c 16000000 /dev/zero`]);
  assert.equal(old.status, 0, old.stderr);
  const go = join(house.dir, "go"); // on another disk
  const run = house.start(["run", "-q", "--name", "new", "--", "sh", "-c", `${until(go)}; exit 7`]);
  await waitUntil(() => house.tree().length > 0, { what: "the run" });
  using raw = await RawConnection.open(house);
  await raw.ask("subscribe", { types: ["job_updated", "run_stopped"] });
  disk.fill();
  writeFileSync(go, "");
  const low = (await raw.next(({ data }) => data?.disk_low !== undefined)).data?.disk_low as { freed_bytes: number };
  assert.ok(low.freed_bytes > 15_000_000, JSON.stringify(low));
  await raw.next(({ event }) => event === "run_stopped");
  assert.equal((await run.ended).status, 7);
  const jobs = new Map((await jobsOf(house)).map((job) => [job.name, job]));
  assert.deepEqual(jobs.get("new")?.outcome, { kind: "exited", status: 7 });
  assert.deepEqual(jobs.get("old")?.outcome, { kind: "exited", status: 0 }, "its log went, its history stays");
});

test("disk: filled by a job itself: it ends as it ends, and the next one has room", LIMIT, async () => {
  using disk = smallDisk(DISK_BYTES);
  await using house = await onDisk(disk);
  const greedy = await house.warren(["run", "-q", "--name", "greedy", "--", "head", "-c", "200000000", "/dev/zero"]);
  assert.equal(greedy.status, 1, `${greedy.stdout.length} ${greedy.stderr}`);
  const [job] = await jobsOf(house);
  assert.deepEqual(job?.outcome, { kind: "exited", status: 1 });
  const next = await house.warren(["run", "-q", "--", "sh", "-c", "echo room; exit 3"]);
  assert.deepEqual([next.status, next.stdout.trim()], [3, "room"]);
});

test("disk: full with nothing to give: what runs can be seen and stopped, what is new is refused", LIMIT, async () => {
  using disk = smallDisk(DISK_BYTES);
  await using house = await onDisk(disk);
  const job = await addReady(house, "echo ready; exec sleep 1700", ["--name", "web"]);
  disk.fill();
  const client = house.client();
  for (let n = 0; n < 3; n += 1) {
    const add = client.request("add", { command: ["sleep", `171${n}`], workdir: house.dir, env: envOf(house) });
    await assert.rejects(add, (error: { code: string; message: string; fix?: string }) => {
      assert.equal(error.code, "DISK_FULL", error.message);
      return error.fix !== undefined;
    });
  }
  assert.equal(house.tree().length, 1, "nothing was started by halves");
  assert.equal((await house.warren(["list"])).status, 0);
  assert.equal((await house.warren(["stop", "web"])).status, 0);
  assert.deepEqual(house.tree(), []);
  disk.drain();
  const { jobs } = await client.request("list", {});
  assert.deepEqual(
    jobs.map(({ id }) => id),
    [job.id],
  );
  assert.deepEqual((await waitForEnd(house))?.outcome, {
    kind: "signalled",
    signal: "SIGTERM",
    status: 143,
    by: "user",
  });
  assert.equal((await house.warren(["run", "-q", "--", "sh", "-c", "exit 5"])).status, 5);
});

test("disk: a home that cannot be written is refused with a fix, and nothing is started", LIMIT, async () => {
  await using house = temporaryHome();
  using readOnly = readOnlyDirectory(join(house.base, "read-only"));
  const file = join(house.base, "file");
  writeFileSync(file, "");
  for (const home of [join(readOnly.path, "home"), readOnly.path, file, join(file, "home")]) {
    for (const args of [["ping"], ["add", "true"], ["list"]]) {
      const answer = await house.warren(args, { env: { WARREN_HOME: home } });
      const shown = `WARREN_HOME=${home} warren ${args.join(" ")} → ${answer.status}: ${answer.stdout}${answer.stderr}`;
      assert.equal(answer.status, 125, shown);
      assert.ok(answer.stderr.includes(home), shown);
      assert.match(answer.stderr, /^error: .+\n\S.+\n$/, `one sentence and a fix: ${shown}`);
    }
    const doctor = await house.warren(["doctor"], { env: { WARREN_HOME: home } });
    assert.equal(doctor.status, 1, doctor.stdout);
    assert.match(doctor.stdout, /error +home/);
  }
  assert.deepEqual(house.processes(), []);
});

const until = (file: string): string => `while ! [ -e ${file} ]; do sleep 0.05; done`;

const waitForEnd = (house: TemporaryHome) =>
  waitUntil(async () => (await jobsOf(house)).find(({ status }) => status === "stopped"), { what: "an end" });

/** The home is on it, with a floor that it can hold. */
async function onDisk(disk: SmallDisk): Promise<TemporaryHome> {
  const home = join(disk.path, "home");
  mkdirSync(home, { mode: 0o700 });
  writeFileSync(join(home, "config.yaml"), "jobs: { free_space_floor_bytes: 4MB }\n");
  const house = await undisturbed({ home });
  return {
    ...house,
    async [Symbol.asyncDispose]() {
      disk.drain();
      await house[Symbol.asyncDispose]();
    },
  };
}
