import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Jobs } from "../src/jobs/jobs.ts";
import { openState } from "../src/jobs/schema.ts";
import { type Clock, systemClock } from "../src/platform/clock.ts";
import { silentLog } from "../src/platform/log.ts";
import type { Job } from "../src/protocol/units.ts";
import { needsRoot, smallDisk } from "./harness/faults.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { ended, killProcess } from "./harness/processes.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { WatchingTerminal } from "./harness/watching-terminal.ts";

/** The machine fails: its disk is full, its files are damaged, its clock jumps. Nothing is changed by half, and it is said. */
const TIMEOUT_MS = 60_000;
const MEBIBYTE = 1024 * 1024;

test(
  "full disk: what runs goes on and its status is known; what is new is refused; then all is well",
  { timeout: TIMEOUT_MS, skip: needsRoot() ?? false },
  async () => {
    using disk = smallDisk(48 * MEBIBYTE);
    await using house = temporaryHome({ home: join(disk.path, "home") });
    assert.equal((await house.warren(["run", "--quiet", "--", "mkfifo", "go"])).status, 0);
    const added = await house.warren(["add", "--json", "--name", "web", "--", "sh", "-c", "read line < go; exit 42"]);
    assert.equal(added.status, 0, added.stderr);
    const server = await house.server();
    disk.fill();

    const refused = await house.warren(["add", "--json", "--name", "late", "--", "sleep", "1000"]);
    assert.equal(refused.status, 125, `${refused.stdout}${refused.stderr}`);
    const told = JSON.parse(refused.stderr.trim().split("\n").at(-1) ?? "") as { code: string; error: string };
    assert.notEqual(told.code, "INTERNAL", JSON.stringify(told));
    assert.match(told.error, /space|ENOSPC|full/i);
    const listed = await house.warren(["list", "--all", "--json"]);
    assert.equal(listed.status, 0, listed.stderr);
    assert.ok(!(JSON.parse(listed.stdout) as Job[]).some(({ name }) => name === "late"), "nothing of it is left");

    writeFileSync(join(house.dir, "go"), "on\n"); // another file system
    const shim = (): number => house.processes("shim").length;
    await waitUntil(() => shim() === 0, { what: "the end of the job" });
    assert.equal((await house.warren(["ping"])).status, 0, "it is still answered");
    disk.drain();
    await waitUntil(async () => (await find(house, "web"))?.status === "stopped", { what: "the end to be recorded" });
    assert.deepEqual((await find(house, "web"))?.outcome, { kind: "exited", status: 42 });
    assert.equal((await house.warren(["run", "--quiet", "--", "true"])).status, 0);
    assert.equal((await house.server()).pid, server.pid, "the server lived through it");
  },
);

test(
  "full disk: a session that ends meanwhile takes no server with it, and its end is known once there is room",
  { timeout: TIMEOUT_MS, skip: needsRoot() ?? false },
  async () => {
    using disk = smallDisk(48 * MEBIBYTE);
    await using house = temporaryHome({ home: join(disk.path, "home") });
    assert.equal((await house.warren(["run", "--quiet", "--", "mkfifo", "go"])).status, 0);
    const fox = ["new", "--detached", "--name", "fox", "--", "sh", "-c", "read line < go; exit 3"];
    assert.equal((await house.warren(fox)).status, 0);
    using terminal = await WatchingTerminal.attach(house.places, "fox");
    const server = await house.server();
    disk.fill();

    writeFileSync(join(house.dir, "go"), "on\n"); // another file system
    await waitUntil(() => terminal.outcome !== undefined, { what: "the end that has no room" });
    assert.equal((await house.warren(["ping"])).status, 0, "it is still answered");
    disk.drain();
    assert.equal((await house.warren(["wait", "fox"])).status, 3);
    const { sessions } = await house.client().request("session.list", { saved: true });
    assert.deepEqual(sessions[0]?.outcome, { kind: "exited", status: 3 });
    assert.equal((await house.server()).pid, server.pid, "the server lived through it");
  },
);

test("state.db is damaged: it is set aside, that is said, and work goes on", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  assert.equal((await house.warren(["run", "--quiet", "--", "true"])).status, 0);
  await endServer(house);
  for (const file of readdirSync(house.home)) if (/^state\.db-/.test(file)) writeFileSync(join(house.home, file), "");
  writeFileSync(house.places.stateDb, "this is no database, it is a letter\n".repeat(500));
  const { status, stderr } = await house.warren(["run", "--quiet", "--", "sh", "-c", "exit 7"]);
  assert.equal(status, 7, stderr);
  const aside = readdirSync(house.home).filter((file) => file.startsWith("state.db.corrupt-"));
  assert.ok(aside.length > 0);
  assert.match(readFileSync(join(house.home, aside[0]!), "utf8"), /it is a letter/, "nothing of it was lost");
  assert.match(
    (await house.warren(["status"])).stdout + (await house.warren(["doctor"])).stdout + house.logs(),
    /state_set_aside|set aside/,
  );
});

test(
  "state.db is from a newer Warren: refused with the reason, and not one byte is changed",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    assert.equal((await house.warren(["run", "--quiet", "--", "true"])).status, 0);
    await endServer(house);
    const state = new DatabaseSync(house.places.stateDb);
    state.exec("pragma user_version = 99; update meta set value = 99 where key = 'oldest_reader'");
    state.close();
    const before = readFileSync(house.places.stateDb);
    const { status, stdout, stderr } = await house.warren(["list", "--json"], { quotesLog: true });
    assert.equal(status, 125, stdout);
    assert.match(stderr, /newer Warren|STATE_TOO_NEW/);
    assert.ok(readFileSync(house.places.stateDb).equals(before), "unchanged");
    const again = new DatabaseSync(house.places.stateDb);
    again.exec("pragma user_version = 1; update meta set value = 1 where key = 'oldest_reader'");
    again.close();
    assert.equal((await house.warren(["list", "--json"])).status, 0, "and when it can be read again, it is");
  },
);

test(
  "announcements are damaged: rubbish in servers/ and keeper.json is passed over",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    assert.equal((await house.warren(["add", "--", "sleep", "1000"])).status, 0);
    const victims = [await house.keeper(), await house.server()];
    for (const victim of victims) killProcess(victim);
    await Promise.all(victims.map((victim) => ended(victim)));
    for (const [file, text] of [
      ["a.json", ""],
      ["b.json", "{"],
      ["c.json", "[]"],
      ["d.json", "null"],
      ["e.json", '{"name":7}'],
    ] as const)
      writeFileSync(join(house.places.serversDir, file), text);
    writeFileSync(house.places.keeperFile, '{"socket":');
    const listed = await house.warren(["list", "--all", "--json"]);
    assert.equal(listed.status, 0, listed.stderr);
    assert.equal((JSON.parse(listed.stdout) as Job[])[0]?.status, "running");
    for (const args of [["servers"], ["doctor"], ["status"], ["overview"]])
      assert.notEqual((await house.warren(args)).status, null, args[0]!);
  },
);

test(
  "a status file is damaged: the run is lost, which is said, and others are not",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    assert.equal((await house.warren(["run", "--quiet", "--", "mkfifo", "go"])).status, 0);
    assert.equal((await house.warren(["add", "--name", "hurt", "--", "sleep", "1000"])).status, 0);
    assert.equal((await house.warren(["add", "--name", "well", "--", "sh", "-c", "read line < go; exit 3"])).status, 0);
    const hurt = await find(house, "hurt");
    writeFileSync(join(house.places.statusDir, `${hurt?.run_id}.1.status`), "\0\0\0 exit exit 7 7\nexit 9999\n");
    await endServer(house);
    assert.equal((await find(house, "hurt"))?.status, "running");
    assert.equal((await house.warren(["stop", "hurt"])).status, 0);
    assert.ok(["lost", "signalled", "exited"].includes((await find(house, "hurt"))?.outcome?.kind ?? ""));
    writeFileSync(join(house.dir, "go"), "on\n");
    assert.equal((await house.warren(["await", "well"])).status, 3);
  },
);

test(
  "the logs directory is taken away: jobs cannot start, which is said, and can when it is back",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    assert.equal((await house.warren(["run", "--quiet", "--", "true"])).status, 0);
    const { rm } = await import("node:fs/promises");
    await rm(house.places.logsDir, { recursive: true });
    const { status, stdout, stderr } = await house.warren(["run", "--json", "--name", "later", "--", "true"]);
    if (status !== 0) assert.ok(stderr.length > 10 && status === 125, `${status} ${stdout}${stderr}`);
    mkdirSync(house.places.serverLogsDir, { recursive: true });
    assert.equal((await house.warren(["run", "--quiet", "--", "true"])).status, 0);
  },
);

test("the clock jumps: time limits and durations do not", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  for (const dir of [house.home, house.places.statusDir, house.places.logsDir]) mkdirSync(dir, { recursive: true });
  for (const jumpMs of [-3_600_000, 3_600_000]) {
    let offsetMs = 0;
    const clock: Clock = { ...systemClock, wallMs: () => systemClock.wallMs() + offsetMs };
    const jobs = domain(house, clock);
    await jobs.start();
    const env = [`PATH=${house.env.PATH}`, `WARREN_HOME=${house.home}`];
    const startedMs = performance.now();
    const { job } = await jobs.add({
      command: ["sleep", `${9_000_000 + jumpMs}`],
      workdir: house.dir,
      env,
      timeout_ms: 400,
    });
    offsetMs = jumpMs;
    const { job: over } = await jobs.wait(
      { job_id: job.id, conditions: [{ kind: "exit" }] },
      AbortSignal.timeout(20_000),
    );
    const tookMs = performance.now() - startedMs;
    assert.equal((over.outcome as { by?: string }).by, "timeout");
    assert.ok(tookMs >= 390 && tookMs < 10_000, `took ${tookMs} ms`);
    const [run] = jobs.runs({ job_id: job.id }).runs;
    assert.ok(run && run.duration_ms >= 0, `${run?.duration_ms}`);
    assert.ok(over.avg_duration_ms >= 0);
    jobs.close();
  }
});

test(
  "the clock jumps while no server looks: a time limit is not given twice, nor is a restart put off for an hour",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    for (const dir of [house.home, house.places.statusDir, house.places.logsDir]) mkdirSync(dir, { recursive: true });
    const env = [`PATH=${house.env.PATH}`, `WARREN_HOME=${house.home}`];
    const first = domain(house, systemClock);
    await first.start();
    const { job } = await first.add({ command: ["sleep", "123456"], workdir: house.dir, env, timeout_ms: 600 });
    first.close();
    const second = domain(house, { ...systemClock, wallMs: () => systemClock.wallMs() - 3_600_000 });
    await second.start();
    const startedMs = performance.now();
    const { job: over } = await second.wait(
      { job_id: job.id, conditions: [{ kind: "exit" }] },
      AbortSignal.timeout(20_000),
    );
    assert.equal((over.outcome as { by?: string }).by, "timeout");
    assert.ok(performance.now() - startedMs < 5_000);
    second.close();
  },
);

/** The jobs of a home in this process, with a clock of the test's. */
function domain(house: TemporaryHome, clock: Clock): Jobs {
  return new Jobs({
    database: openState(house.places.stateDb, Date.now()).database,
    statusDir: house.places.statusDir,
    logsDir: house.places.logsDir,
    nodePath: process.execPath,
    server: "test",
    clock,
    log: silentLog,
    graceMs: 1_000,
    logMaxBytes: 10 * MEBIBYTE,
    freeSpaceFloorBytes: 0,
    emit: () => {},
  });
}

async function endServer(house: TemporaryHome): Promise<void> {
  const server = await house.server();
  assert.equal((await house.warren(["shutdown"])).status, 0);
  await ended(server);
  await waitUntil(() => house.processes("keeper").length === 0, { what: "the end of the keeper" });
  assert.ok(!existsSync(house.places.keeperFile));
}

const find = async (house: TemporaryHome, name: string): Promise<Job | undefined> =>
  (JSON.parse((await house.warren(["list", "--all", "--json"])).stdout) as Job[]).find((job) => job.name === name);
