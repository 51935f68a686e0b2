import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Job } from "../../src/protocol/units.ts";
import { thisInstallation } from "../harness/build-copy.ts";
import type { TemporaryHome } from "../harness/home.ts";
import { RawConnection } from "../harness/raw-connection.ts";
import { waitUntil } from "../harness/wait-until.ts";
import { startWarren } from "../harness/warren.ts";
import { addReady, envOf, jobsOf, test, undisturbed } from "./undisturbed.ts";

/** What may be wrong with a command line or with what it finds, and commands that meet each other. */
const TIMEOUT_MS = 60_000;

test(
  "commands: what is unknown is said with its value, a code, a status and a fix",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await undisturbed();
    await addReady(house, "echo ready; exec sleep 1000", ["--name", "web"]);
    const before = await jobsOf(house);
    const cases: [args: string[], status: number, code: string, says: RegExp][] = [
      [["lits"], 2, "USAGE", /lits.*list/],
      [["xyzzyxyzzy"], 2, "USAGE", /xyzzyxyzzy/],
      [["--lits"], 2, "USAGE", /--lits/],
      [["list", "--jsno"], 2, "USAGE", /--jsno.*--json/],
      [["stop", "--greace", "1s", "web"], 2, "USAGE", /--greace.*--grace/],
      [["stop", "wbe"], 125, "JOB_NOT_FOUND", /wbe.*web/],
      [["stop", "9zz"], 125, "JOB_NOT_FOUND", /9zz/],
      [["logs", "9zz"], 125, "JOB_NOT_FOUND", /9zz/],
      [["wait", "9zz", "--for", "exit"], 125, "JOB_NOT_FOUND", /9zz/],
      [["why", "elsewhere/web"], 125, "JOB_NOT_FOUND", /elsewhere\/web/],
      [["logs", "web", "--run", "web-99"], 125, "RUN_NOT_FOUND", /web-99/],
      [["signal", "web", "TREM"], 2, "UNKNOWN_SIGNAL", /TREM.*TERM/],
      [["signal", "web", "SIGNOTHING"], 2, "UNKNOWN_SIGNAL", /SIGNOTHING/],
      [["signal", "web", "99"], 2, "UNKNOWN_SIGNAL", /99/],
      [["signal", "web"], 2, "USAGE", /signal/],
      [["start", "web"], 125, "JOB_RUNNING", /web|restart/],
      [["remove", "web"], 125, "JOB_RUNNING", /stop/],
      [["reload", "nobody"], 125, "SERVER_NOT_FOUND", /nobody/],
    ];
    for (const [args, status, code, says] of cases) {
      const plain = await house.warren(args);
      const shown = `warren ${args.join(" ")} → ${plain.status}: ${plain.stdout}${plain.stderr}`;
      assert.equal(plain.status, status, shown);
      assert.match(plain.stderr, says, shown);
      const lines = plain.stderr.trimEnd().split("\n");
      assert.ok(lines.length === 2 && /^\S/.test(lines[1]!), `a fix on a line of its own: ${shown}`);
      const json = await house.warren([...args, "--json"]);
      const told = JSON.parse(json.stderr) as { code: string; error: string; fix?: string };
      assert.deepEqual([json.status, told.code, typeof told.fix], [status, code, "string"], shown);
    }
    assert.deepEqual((await jobsOf(house)).map(asBefore), before.map(asBefore), "nothing was changed");
  },
);

test("commands: a command that cannot be started leaves no job", { timeout: TIMEOUT_MS }, async () => {
  await using house = await undisturbed();
  writeFileSync(join(house.dir, "plain.txt"), "no program\n", { mode: 0o600 });
  mkdirSync(join(house.dir, "folder"));
  const cases: [args: string[], status: number, code: string, says: RegExp][] = [
    [[], 2, "USAGE", /command|add|run/],
    [[""], 2, "USAGE", /command/],
    [["", "x"], 2, "USAGE", /command/],
    [["  "], 2, "USAGE", /command/],
    [["no-such-program"], 127, "PROGRAM_NOT_FOUND", /no-such-program/],
    [["/no/such/file"], 127, "PROGRAM_NOT_FOUND", /\/no\/such\/file/],
    [["./plain.txt"], 126, "PROGRAM_NOT_EXECUTABLE", /plain\.txt/],
    [["./folder"], 126, "PROGRAM_NOT_EXECUTABLE", /folder/],
  ];
  for (const verb of ["add", "run"]) {
    for (const [command, status, code, says] of cases) {
      const { status: was, stdout, stderr } = await house.warren([verb, "--json", "--", ...command]);
      const told = JSON.parse(stderr) as { code: string; error: string; fix?: string };
      const shown = `${verb} ${JSON.stringify(command)} → ${was} ${stdout}${stderr}`;
      assert.deepEqual([was, told.code, typeof told.fix], [status, code, "string"], shown);
      assert.match(told.error, says, shown);
    }
  }
  assert.deepEqual(await jobsOf(house), []);
});

test("commands: a directory that is gone, under the command and under the job", { timeout: TIMEOUT_MS }, async () => {
  await using house = await undisturbed();
  const gone = join(house.dir, "gone");
  mkdirSync(gone);
  assert.equal((await house.warren(["run", "-q", "--name", "here", "--", "true"], { cwd: gone })).status, 0);
  rmSync(gone, { recursive: true });
  for (const verb of ["start", "restart"]) {
    const { status, stderr } = await house.warren([verb, "here", "--json"]);
    assert.equal(status, 125);
    assert.partialDeepStrictEqual(JSON.parse(stderr), { code: "WORKDIR_MISSING", detail: { workdir: gone } });
  }
  const [job] = await jobsOf(house);
  assert.deepEqual([job?.status, job?.run_count], ["stopped", 1], "no half run");
  const dir = await house.warren(["add", "--dir", gone, "--", "true"]);
  assert.equal(dir.status, 125);
  assert.match(dir.stderr, /gone/);

  // A shell whose directory was removed under it.
  const script = `mkdir away && cd away && rmdir ../away && exec ${thisInstallation().bin} list`;
  const inside = await startWarren("sh", ["-c", script], {
    cwd: house.dir,
    env: house.env,
    deadlineMs: 20_000,
    quotesLog: false,
  }).ended;
  assert.equal(inside.status, 125, inside.stderr);
  assert.match(inside.stderr, /does not exist any more/);
  assert.match(inside.stderr, /\ncd /, "with a fix");
});

test("commands: 200 kB in one argument is refused, 800 kB in many arrives", { timeout: TIMEOUT_MS }, async () => {
  await using house = await undisturbed();
  const client = house.client();
  const place = { workdir: house.dir, env: envOf(house) };
  const one = client.request("add", { command: ["true", "x".repeat(200_000)], ...place });
  await assert.rejects(one, (error: { code: string; message: string; fix?: string }) => {
    assert.equal(error.code, "ARGUMENTS_TOO_LONG");
    assert.match(error.message, /20\d\d\d\d/, "with the size");
    return typeof error.fix === "string";
  });
  assert.deepEqual(await jobsOf(house), []);

  const many = Array.from({ length: 8_000 }, (_, n) => String(n).padStart(100, "."));
  const seen = await house.warren(["run", "-q", "--name", "many", "--", "sh", "-c", 'printf "%s" "$@"', "sh", ...many]);
  assert.equal(seen.status, 0, seen.stderr.slice(0, 500));
  const [job] = await jobsOf(house);
  assert.equal(readFileSync(job!.stdout_path, "utf8"), many.join(""));
  assert.equal((await house.warren(["start", "many"])).status, 0, "from what was stored");

  const tooMuch = client.request("add", { command: ["true", ...many, ...many.map((text) => `${text}!`)], ...place });
  await assert.rejects(tooMuch, { code: "LINE_TOO_LONG" });
});

test("commands: two restarts at once are two restarts, and one process is left", { timeout: TIMEOUT_MS }, async () => {
  await using house = await undisturbed();
  await addReady(house, "echo ready; exec sleep 1234", ["--name", "web"]);
  const both = await Promise.all([
    house.warren(["restart", "web", "--json"]),
    house.warren(["restart", "web", "--json"]),
  ]);
  const pids = both.map(({ status, stdout, stderr }) => {
    assert.equal(status, 0, stderr);
    return (JSON.parse(stdout) as { job: Job }).job.pid;
  });
  const [job] = await jobsOf(house);
  assert.deepEqual([job?.status, job?.run_count, pids.includes(job?.pid ?? 0)], ["running", 3, true]);
  await waitUntil(() => sleepers(house).length > 0, { what: "its shell to become sleep" });
  assert.deepEqual(sleepers(house), [job?.pid]);
});

test("commands: a stop while it starts ends what was started", { timeout: TIMEOUT_MS }, async () => {
  await using house = await undisturbed();
  assert.equal((await house.warren(["create", "--name", "web", "--", "sleep", "1235"])).status, 0);
  const [starter, stopper] = [house.client(), house.client()];
  for (let round = 0; round < 15; round += 1) {
    const starting = starter.request("start", { job_id: "web", env: envOf(house) });
    const [started, stopped] = await Promise.all([starting, stopper.request("stop", { job_id: "web" })]);
    assert.equal(started.job.run_count, round + 1);
    if (!stopped.stopped) await stopper.request("stop", { job_id: "web" }); // it came before the start
    assert.deepEqual(sleepers(house), [], `round ${round}`);
  }
  const { runs } = await starter.request("runs", { job_id: "web" });
  for (const { outcome } of runs) assert.partialDeepStrictEqual(outcome, { kind: "signalled", by: "user" });
});

test("commands: remove while it runs is refused; --force stops it first", { timeout: TIMEOUT_MS }, async () => {
  await using house = await undisturbed();
  const job = await addReady(house, "trap '' TERM; echo ready; while :; do sleep 0.1; done", ["--grace", "200ms"]);
  const refused = await house.warren(["remove", job.id, "--json"]);
  assert.equal(refused.status, 125);
  assert.partialDeepStrictEqual(JSON.parse(refused.stderr), { code: "JOB_RUNNING", fix: `warren stop ${job.id}` });
  const stopping = house.client().request("stop", { job_id: job.id });
  await assert.rejects(house.client().request("remove", { job_id: job.id }), { code: "JOB_RUNNING" });
  assert.equal((await stopping).stopped, true);
  assert.equal((await house.warren(["start", job.id])).status, 0);
  assert.equal((await house.warren(["remove", "--force", job.id])).status, 0);
  assert.deepEqual([await jobsOf(house), house.tree(), existsSync(job.stdout_path)], [[], [], false]);
});

test("commands: Ctrl-C on run leaves the job running, says so, and exits 130", { timeout: TIMEOUT_MS }, async () => {
  await using house = await undisturbed();
  using raw = await RawConnection.open(house);
  await raw.ask("subscribe", { types: ["run_started"] });
  for (const [at, flags] of [[], ["--follow"], ["--quiet"]].entries()) {
    const run = house.start(["run", "--name", `web-${at}`, ...flags, "--", "sleep", `124${at}`]);
    await raw.next(() => raw.events().length === at + 1);
    run.child.kill("SIGINT");
    const { status, signal, stderr } = await run.ended;
    assert.deepEqual([status, signal], [130, null], stderr);
    assert.match(stderr, /continues running/);
  }
  assert.deepEqual(
    (await jobsOf(house)).map((job) => job.status),
    ["running", "running", "running"],
  );
});

const asBefore = ({ id, name, status, pid, run_count }: Job) => ({ id, name, status, pid, run_count });

const sleepers = (house: TemporaryHome): number[] =>
  house
    .processes("other")
    .filter(({ argv }) => argv[0] === "sleep")
    .map(({ pid }) => pid);
