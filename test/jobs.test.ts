import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Job } from "../src/protocol/units.ts";
import { needsRoot } from "./harness/faults.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { waitUntil } from "./harness/wait-until.ts";
import type { Ended } from "./harness/warren.ts";

/** What a person or an agent may get wrong, and what jobs may do. Every command here also fails its test when it shows a stack trace. */
const TIMEOUT_MS = 60_000;

test(
  "bad input: a clear error with a code and its exit status, and nothing is changed",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    writeFileSync(join(house.dir, "plain.txt"), "no program\n");
    mkdirSync(join(house.dir, "folder"));
    const web = await house.warren(["add", "--json", "--name", "web", "--", "sleep", "1000"]);
    assert.equal(web.status, 0, web.stderr);
    const cases: [args: string[], status: number, code: string, says: RegExp][] = [
      [["lits"], 2, "USAGE", /lits.*list/s],
      [["list", "--jsno"], 2, "USAGE", /--jsno/],
      [["stop"], 2, "USAGE", /stop/],
      [["add"], 2, "USAGE", /add/],
      [["add", "--", ""], 2, "USAGE", /no command/],
      [["add", "--timeout", "soon", "--", "true"], 2, "USAGE", /soon/],
      [["add", "--name", "No Name", "--", "true"], 2, "NAME_INVALID", /No Name/],
      [["add", "--name", "web", "--", "true"], 125, "NAME_TAKEN", /web/],
      [["add", "--stop-signal", "TREM", "--", "true"], 2, "UNKNOWN_SIGNAL", /TREM.*TERM/],
      [["add", "--owner-pid", "999999999", "--", "true"], 125, "OWNER_GONE", /999999999/],
      [["add", "--", "no-such-program"], 127, "PROGRAM_NOT_FOUND", /no-such-program/],
      [["add", "--", "./no-such-file"], 127, "PROGRAM_NOT_FOUND", /no-such-file/],
      [["add", "--", "./plain.txt"], 126, "PROGRAM_NOT_EXECUTABLE", /plain\.txt/],
      [["add", "--", "./folder"], 126, "PROGRAM_NOT_EXECUTABLE", /folder.*directory/],
      [["run", "--", "no-such-program"], 127, "PROGRAM_NOT_FOUND", /no-such-program/],
      [["stop", "wbe"], 125, "JOB_NOT_FOUND", /wbe.*web/],
      [["stop", "9zz"], 125, "JOB_NOT_FOUND", /9zz/],
      [["start", "web"], 125, "JOB_RUNNING", /restart/],
      [["remove", "web"], 125, "JOB_RUNNING", /stop/],
      [["signal", "web", "TREM"], 2, "UNKNOWN_SIGNAL", /TREM.*TERM[\s\S]*warren signal web TERM/],
      [["signal", "web", "99"], 2, "UNKNOWN_SIGNAL", /99[\s\S]*kill -l/],
      [["new", "--port", "70000", "-d", "--", "true"], 2, "USAGE", /70000[\s\S]*--port 3000/],
      [["new", "--server-name", "No Name", "-d", "--", "true"], 2, "SERVER_NAME_INVALID", /No Name/],
      [["runs", "nothing"], 125, "JOB_NOT_FOUND", /nothing/],
      [["shutdown", "nobody"], 125, "SERVER_NOT_FOUND", /nobody/],
    ];
    const wrong: string[] = [];
    for (const [args, status, code, says] of cases) {
      const answer = await house.warren(args);
      const shown = `warren ${args.join(" ")} → ${answer.status} ${answer.stdout}${answer.stderr}`;
      if (answer.status !== status || !says.test(answer.stderr)) wrong.push(shown);
      if (["add", "run", "new"].includes(args[0]!)) continue; // a --json at the end would be the command's
      const json = await house.warren([...args, "--json"]);
      const told = JSON.parse(json.stderr.trim().split("\n").at(-1) || "{}") as { code?: string };
      if (json.status !== status || told.code !== code) wrong.push(`${shown} --json: ${json.status} ${json.stderr}`);
    }
    assert.deepEqual(wrong, []);
    const jobs = await list(house);
    assert.deepEqual(
      jobs.map(({ name, status, run_count }) => [name, status, run_count]),
      [["web", "running", 1]],
      "nothing was changed",
    );
  },
);

test("bad input: a directory that is gone", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const gone = join(house.dir, "gone");
  mkdirSync(gone);
  assert.equal((await house.warren(["run", "--quiet", "--name", "here", "--", "true"], { cwd: gone })).status, 0);
  rmSync(gone, { recursive: true });
  const again = await house.warren(["start", "here"]);
  assert.equal(again.status, 125);
  assert.match(again.stderr, /gone/);
  const [job] = await list(house);
  assert.deepEqual([job?.status, job?.run_count], ["stopped", 1], "no half run");

  mkdirSync(gone);
  const inside = house.start(["run", "--", "sh", "-c", `rmdir ${gone}; exec warren-is-not-here`], { cwd: gone });
  assert.equal((await inside.ended).status, 127, "the job's own status");
});

test(
  "bad input: a directory that may not be entered",
  { timeout: TIMEOUT_MS, skip: process.getuid?.() === 0 ? "root may enter everywhere" : false },
  async () => {
    await using house = temporaryHome();
    const closed = join(house.dir, "closed");
    mkdirSync(closed, { mode: 0 });
    const answer = await house.warren(["add", "--dir", closed, "--", "true"]);
    chmodSync(closed, 0o700);
    assert.equal(answer.status, 125);
    assert.match(answer.stderr, /closed/);
  },
);

test("exit statuses: a job's own, 128 + n, 124, 120 and 130 come through", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  for (const [script, status] of [
    ["exit 0", 0],
    ["exit 3", 3],
    ["exit 255", 255],
    ["kill -9 $$", 137],
    ["kill -15 $$", 143],
    ["kill -11 $$", 139],
  ] as const) {
    assert.equal((await house.warren(["run", "--quiet", "--", "sh", "-c", script])).status, status, script);
  }
  assert.equal((await house.warren(["run", "--timeout", "100ms", "--", "sleep", "1000"])).status, 124);
  const interrupted = house.start(["run", "--follow", "--", "sh", "-c", "echo started; exec sleep 1001"]);
  await interrupted.shows(/started/);
  interrupted.child.kill("SIGINT");
  const { status, stdout, stderr } = await interrupted.ended;
  assert.equal(status, 130);
  assert.match(stdout + stderr, /goes on|continues running/, "that the job goes on is said");
  assert.equal(
    (await list(house)).find(({ command }) => command.includes("echo started; exec sleep 1001"))?.status,
    "running",
  );
});

test("two restarts at once leave one process, and both are answered", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  assert.equal((await house.warren(["add", "--name", "web", "--", "sleep", "4321"])).status, 0);
  const clients = Array.from({ length: 8 }, () => house.client());
  const answers = await Promise.all(
    clients.map((client) => client.request("restart", { job_id: "web", env: envOf(house) })),
  );
  assert.equal(answers.length, 8);
  const sleepersNow = () => house.processes("other").filter(({ argv }) => argv[0] === "sleep");
  await waitUntil(() => sleepersNow().length > 0, { what: "the last one's exec" }); // a start is answered when the process is there
  const sleepers = sleepersNow();
  assert.equal(sleepers.length, 1);
  const [job] = await list(house);
  assert.deepEqual([job?.pid, job?.run_count], [sleepers[0]?.pid, 9]);
});

test("the same add from many clients at once is one job with one run", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const all = await Promise.all(
    Array.from({ length: 20 }, () =>
      house.client().request("add", { command: ["sleep", "4322"], workdir: house.dir, env: envOf(house) }),
    ),
  );
  assert.equal(new Set(all.map(({ job }) => job.id)).size, 1);
  assert.equal(all.filter(({ action }) => action === "created").length, 1);
  const sleepers = (): number => house.processes("other").filter(({ argv }) => argv[0] === "sleep").length;
  await waitUntil(() => sleepers() > 0, { what: "the command itself, after its shim" });
  assert.equal(sleepers(), 1);
});

test(
  "remove while running is refused; with a stop in hand it is one or the other, never half",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const client = house.client();
    for (let round = 0; round < 10; round += 1) {
      const { job } = await client.request("add", {
        command: ["sleep", `${5000 + round}`],
        workdir: house.dir,
        env: envOf(house),
      });
      const [stopped, removed] = await Promise.allSettled([
        client.request("stop", { job_id: job.id }),
        house.client().request("remove", { job_id: job.id }),
      ]);
      assert.equal(stopped.status, "fulfilled");
      if (removed.status === "rejected") {
        assert.equal((removed.reason as { code: string }).code, "JOB_RUNNING");
        await client.request("remove", { job_id: job.id });
      }
      assert.equal(statSync(job.stdout_path, { throwIfNoEntry: false }), undefined, "its logs are gone");
    }
    assert.deepEqual(await list(house), []);
  },
);

test(
  "output: 50 MB at full speed, one line of 10 MB, and streams that the job closes",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const flood = await house.warren([
      "run",
      "--quiet",
      "--name",
      "flood",
      "--",
      "sh",
      "-c",
      "yes 0123456789012345678901234567890123456789012345678 | head -n 1000000",
    ]);
    assert.equal(flood.status, 0, flood.stderr);
    const line = await house.warren([
      "run",
      "--quiet",
      "--name",
      "line",
      "--",
      "sh",
      "-c",
      "head -c 10485760 /dev/zero | tr '\\0' x; echo; echo end >&2",
    ]);
    assert.equal(line.status, 0, line.stderr);
    const closed = await house.warren([
      "run",
      "--quiet",
      "--name",
      "closed",
      "--",
      "sh",
      "-c",
      "echo one; exec >&- 2>&-; exit 5",
    ]);
    assert.equal(closed.status, 5);
    const jobs = new Map((await list(house)).map((job) => [job.name, job]));
    assert.equal(statSync(jobs.get("flood")!.stdout_path).size, 50_000_000);
    assert.equal(statSync(jobs.get("line")!.stdout_path).size, 10_485_761);
    assert.equal(readFileSync(jobs.get("closed")!.stdout_path, "utf8"), "one\n");
    const { stdoutBytes } = await house.warren(["stdout", "line"]);
    assert.equal(stdoutBytes.length, 10_485_761);
    const tail = await house.warren(["logs", "flood", "--tail", "2"]);
    assert.equal(tail.status, 0, tail.stderr);
    assert.ok(tail.stdout.length < 1_000, "the end alone was read");
  },
);

test("while a job floods, commands are answered at once", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  assert.equal((await house.warren(["add", "--name", "flood", "--", "sh", "-c", "yes | head -c 300000000"])).status, 0);
  const client = house.client();
  let slowestMs = 0;
  for (let count = 0; count < 50; count += 1) {
    const startedMs = performance.now();
    await client.request("list", {});
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
  }
  assert.ok(slowestMs < 1_000, `${Math.round(slowestMs)} ms`);
  await client.request("stop", { job_id: "flood", force: true });
});

test("two homes at once: the same names and ids are strangers to each other", { timeout: TIMEOUT_MS }, async () => {
  await using one = temporaryHome();
  await using two = temporaryHome();
  const add = ["add", "--json", "--name", "web", "--", "sleep", "7777"];
  const [first, second] = await Promise.all([one.warren(add), two.warren(add)]);
  const jobOf = ({ stdout }: Ended): Job => (JSON.parse(stdout) as { job: Job }).job;
  assert.notEqual(jobOf(first).pid, jobOf(second).pid);
  assert.equal((await one.warren(["stop", "web"])).status, 0);
  assert.equal((await list(two))[0]?.pid, jobOf(second).pid);
  assert.equal((await one.warren(["nuke"])).status, 0);
  const [left] = await list(two);
  assert.deepEqual(
    [left?.status, left?.pid],
    ["running", jobOf(second).pid],
    "nuke of the other home did not touch it",
  );
});

test("two homes with equal run ids: stopping one's run leaves the other's alone", { timeout: TIMEOUT_MS }, async () => {
  await using one = temporaryHome();
  await using two = temporaryHome();
  const first = JSON.parse(
    (await one.warren(["add", "--json", "--", "sh", "-c", "setsid sleep 8888 & wait"])).stdout,
  ) as { job: Job };
  await one.warren(["shutdown"]);
  // The other home gets the same id, by way of its database.
  assert.equal(
    (await two.warren(["create", "--name", "twin", "--", "sh", "-c", "setsid sleep 8888 & wait"])).status,
    0,
  );
  await two.warren(["shutdown"]);
  const { DatabaseSync } = await import("node:sqlite");
  const state = new DatabaseSync(two.places.stateDb);
  state.prepare("update jobs set id = ?").run(first.job.id);
  state.close();
  const started = await two.warren(["start", first.job.id, "--json"]);
  assert.equal(started.status, 0, started.stderr);
  const sleepers = (house: TemporaryHome) => house.processes("other").filter(({ argv }) => argv[0] === "sleep");
  await waitUntil(() => sleepers(one).length === 1 && sleepers(two).length === 1, { what: "both trees" });
  assert.equal((await two.warren(["stop", first.job.id])).status, 0);
  assert.equal(sleepers(two).length, 0);
  assert.equal(sleepers(one).length, 1, "the other home's escaped child lives");
});

test("commands that start nothing start nothing", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  for (const args of [
    ["overview"],
    [],
    ["completion", "bash"],
    ["servers"],
    ["doctor"],
    ["status"],
    ["help"],
    ["--version"],
    ["shutdown"],
    ["nuke"],
  ]) {
    const { status, stderr } = await house.warren(args);
    assert.ok(status === 0 || args[0] === "status" || args[0] === "doctor", `${args}: ${status} ${stderr}`);
    assert.deepEqual(house.processes(), [], `warren ${args.join(" ")}`);
  }
});

test(
  "exit statuses: that of a job which became another user comes through",
  { timeout: TIMEOUT_MS, skip: needsRoot() ?? false },
  async () => {
    await using house = temporaryHome();
    chmodSync(house.base, 0o755);
    chmodSync(house.dir, 0o777);
    const { status, stderr } = await house.warren([
      "run",
      "--quiet",
      "--",
      "setpriv",
      "--reuid=65534",
      "--clear-groups",
      "sh",
      "-c",
      "id -u; exit 6",
    ]);
    assert.equal(status, 6, stderr);
  },
);

const list = async (house: TemporaryHome): Promise<Job[]> =>
  JSON.parse((await house.warren(["list", "--all", "--json"])).stdout) as Job[];

const envOf = (house: TemporaryHome): string[] => [`PATH=${house.env.PATH}`, `WARREN_HOME=${house.home}`];
