import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isBuilt, openCommandLine } from "./testing/command-line.ts";

const skip = isBuilt ? false : "dist/ is not built";

test("run: silent on success, prints both streams of a failure, exits as the command did", { skip }, async () => {
  await using cli = openCommandLine();
  const well = await cli.warren("run", "sh", "-c", "echo noise");
  assert.equal(well.status, 0);
  assert.doesNotMatch(well.out, /^noise$/m);
  const badly = await cli.warren("run", "sh", "-c", "echo to-out; echo to-err >&2; exit 3");
  assert.equal(badly.status, 3);
  assert.match(badly.out, /^to-out$/m);
  assert.equal(badly.err, "to-err\n");
  assert.match(badly.out, /\n\nJob \w+ completed\n {2}Command: {3}sh -c .*\n {2}Duration: {2}\S+\n {2}Exit code: 3\n$/);
  assert.equal((await cli.warren("run", "-q", "sh", "-c", "kill -9 $$")).status, 137);
  assert.equal((await cli.warren("run", "-q", "--timeout", "100ms", "sleep", "30")).status, 124);
});

test("run: a program that is missing is 127, one that is not executable 126, a wrong flag 2", { skip }, async () => {
  await using cli = openCommandLine();
  writeFileSync(join(cli.dir, "plain"), "x");
  assert.equal((await cli.warren("run", "no-such-program")).status, 127);
  assert.equal((await cli.warren("run", "./plain")).status, 126);
  const wrong = await cli.warren("run", "--jsn", "true");
  assert.deepEqual(
    [wrong.status, wrong.err],
    [2, "error: unknown flag of run: --jsn. Did you mean --json?\nwarren help run\n"],
  );
});

test("run: Ctrl-C ends the wait with 130 and leaves the job alone", { skip }, async () => {
  await using cli = openCommandLine();
  const run = cli.start("run", "sleep", "60");
  await run.shows(/Stuck detection/);
  run.signal("SIGINT");
  const { status, err } = await run.ended;
  assert.equal(status, 130);
  assert.match(err, /^Job \w+ continues running in background$/m);
  assert.match((await cli.warren("list")).out, / job +working .* sleep 60$/m);
});

for (const name of ["SIGKILL", "SIGHUP"] as const) {
  test(`run: a client that ${name} ends takes nothing with it`, { skip }, async () => {
    await using cli = openCommandLine();
    const script = "echo before; until [ -e go ]; do sleep 0.01; done; echo after; exit 3";
    const run = cli.start("run", "--name", "long", "--", "sh", "-c", script);
    await run.shows(/Stuck detection/);
    run.signal(name);
    await run.ended;
    writeFileSync(join(cli.dir, "go"), "");
    assert.equal((await cli.warren("wait", "long")).status, 3);
    assert.equal((await cli.warren("stdout", "long")).out, "before\nafter\n");
  });
}

test("run --follow: nothing of the end is lost, also without a newline", { skip }, async () => {
  await using cli = openCommandLine();
  const { status, out } = await cli.warren("run", "--follow", "--", "sh", "-c", "seq 1 2000; printf last; exit 4");
  assert.equal(status, 4);
  const lines = out.split("\n").filter((line) => /^\[\w+\] /.test(line));
  assert.deepEqual(
    lines.map((line) => line.replace(/^\[\w+\] /, "")),
    [...Array.from({ length: 2000 }, (_, at) => String(at + 1)), "last"],
  );
});

test("stdout: byte for byte, whatever the job wrote", { skip }, async () => {
  await using cli = openCommandLine();
  await cli.warren("run", "-q", "--name", "bytes", "--", "sh", "-c", "printf 'a\\000\\377\\n\\rb'");
  assert.deepEqual((await cli.warren("stdout", "bytes")).stdout, Buffer.from([97, 0, 255, 10, 13, 98]));
  assert.equal((await cli.warren("stderr", "bytes")).stdout.length, 0);
});

test("logs --cursor: each call goes on where the last one ended, over runs too", { skip }, async () => {
  await using cli = openCommandLine();
  await cli.warren("run", "-q", "--name", "steps", "--", "sh", "-c", "echo one; echo two");
  assert.equal((await cli.warren("logs", "steps", "--cursor")).out, "one\ntwo\n");
  assert.equal((await cli.warren("logs", "steps", "--cursor")).out, "");
  assert.equal((await cli.warren("logs", "steps", "--cursor=other", "--max-bytes", "4")).out, "one\n");
  assert.equal((await cli.warren("logs", "steps", "--cursor=other")).out, "two\n");
  await cli.warren("start", "steps", "--follow");
  assert.equal((await cli.warren("logs", "steps", "--cursor")).out, "one\ntwo\n");
});

test("logs -f: follows jobs that are started later, and says when they start and end", { skip }, async () => {
  await using cli = openCommandLine();
  const logs = cli.start("logs", "-f");
  await logs.shows(/^\[warren\] waiting for jobs\.\.\.$/m);
  await cli.warren("run", "-q", "--name", "late", "--", "sh", "-c", "echo hello");
  await logs.shows(
    /^\[warren\] process started: sh -c echo hello \(pid:\d+ id:\w+\)\n\[late\] hello\n\[warren\] process stopped: .* exit: 0\n\[warren\] all processes stopped$/m,
  );
  logs.signal("SIGINT");
  assert.equal((await logs.ended).status, 130);
});

test("stop, start, remove: the worst of several decides the status, and each error is said", { skip }, async () => {
  await using cli = openCommandLine();
  await cli.warren("add", "--name", "a", "sleep", "60");
  const stopped = await cli.warren("stop", "a", "nobody");
  assert.equal(stopped.status, 125);
  assert.match(stopped.out, /^Stopped job \w+ \(PID \d+\)\n$/);
  assert.match(stopped.err, /^error: job not found: nobody/);
  assert.equal((await cli.warren("stop", "a")).status, 0);
  assert.equal((await cli.warren("remove", "a")).status, 0);
  assert.deepEqual(JSON.parse((await cli.warren("list", "--json")).out), []);
});

test("wait: 0 when it holds, 124 at the timeout, 1 when the job ended before", { skip }, async () => {
  await using cli = openCommandLine();
  await cli.warren("add", "--name", "talk", "--", "sh", "-c", "echo ready; sleep 60");
  assert.equal((await cli.warren("wait", "talk", "--for", "log=ready")).status, 0);
  assert.equal((await cli.warren("wait", "talk", "--for", "log=never", "--timeout", "200ms")).status, 124);
  assert.equal((await cli.warren("wait", "talk", "--timeout", "200ms")).status, 124);
  assert.equal((await cli.warren("wait", "talk", "--for", "log=ready")).out, 'Job talk has "ready" in its log\n');
  await cli.warren("stop", "talk");
  await cli.warren("create", "--name", "later", "true");
  const never = await cli.warren("await", "later");
  assert.deepEqual([never.status, never.err], [125, "error: Job later has not run yet.\nwarren start later\n"]);
  assert.equal((await cli.warren("wait", "talk", "--for", "log=never")).status, 1);
});

test("up and down: the jobs of a warren.yaml, the history stays", { skip }, async () => {
  await using cli = openCommandLine();
  assert.match(
    (await cli.warren("up")).err,
    /^error: There is no warren.yaml in .* or above it, and no folder workers\.\nwarren init/,
  );
  mkdirSync(join(cli.dir, "workers", "api"), { recursive: true });
  writeFileSync(join(cli.dir, "workers", "api", "main.ts"), "");
  assert.match((await cli.warren("up")).err, /^error: There is no worker in .*: a worker is a folder .*src\/main\.ts/);
  rmSync(join(cli.dir, "workers"), { recursive: true });
  writeFileSync(
    join(cli.dir, "warren.yaml"),
    "jobs:\n  web: { command: sleep 60 }\n  job: { command: 'true', autostart: false }\n",
  );
  assert.match((await cli.warren("up", "--detach")).out, /^web {2}started: sleep 60$/m);
  assert.match((await cli.warren("up", "--detach")).out, /^web {2}runs already: sleep 60$/m);
  assert.equal((await cli.warren("up", "web", "-d")).out, "web  runs already: sleep 60\n");
  assert.match(
    (await cli.warren("up", "wbe", "-d")).err,
    /^error: There is no job wbe in .*warren\.yaml\. Did you mean web\?/,
  );
  assert.equal((await cli.warren("down")).out, "Stopped 1 job: web\n");
});

test("overview, servers, status, doctor, shutdown and help start nothing", { skip }, async () => {
  await using cli = openCommandLine();
  for (const args of [
    [],
    ["overview"],
    ["servers"],
    ["status"],
    ["shutdown"],
    ["help"],
    ["--version"],
    ["doctor"],
    ["completion", "bash"],
    ["__complete", "--", "stop", ""],
  ]) {
    const { status, err } = await cli.warren(...args);
    assert.deepEqual([args.join(" "), status, err], [args.join(" "), 0, ""]);
  }
  assert.equal((await cli.warren("servers", "--json")).out, "{}\n");
  assert.equal(existsSync(cli.home), false);
});

test("shutdown: jobs go on, and the next command finds them", { skip }, async () => {
  await using cli = openCommandLine();
  await cli.warren("add", "--name", "on", "sleep", "60");
  const [before] = JSON.parse((await cli.warren("list", "--json")).out);
  assert.match((await cli.warren("shutdown")).out, /^Server \S+ shut down; 1 job goes on\.\n$/);
  assert.equal((await cli.warren("servers")).out, "No servers running\n");
  const [after] = JSON.parse((await cli.warren("list", "--json")).out);
  assert.deepEqual([after.pid, after.state], [before.pid, "running"]);
});

test("nuke: everything ends, and nothing running is no error", { skip }, async () => {
  await using cli = openCommandLine();
  assert.equal((await cli.warren("nuke")).status, 0);
  await cli.warren("add", "sleep", "60");
  assert.match((await cli.warren("nuke")).out, /^Stopped 1 job, removed 1 job with runs and logs, ended 1 server\n$/);
  assert.deepEqual(readdirSync(join(cli.home, "servers")), []);
  assert.equal(existsSync(join(cli.home, "keeper.json")), false);
});

test("a reader that goes away ends a command quietly; run still exits as its job did", { skip }, async () => {
  await using cli = openCommandLine();
  const { spawnSync } = await import("node:child_process");
  const main = join(import.meta.dirname, "main.ts");
  const piped = (args: string): string[] => {
    const script = `"${process.execPath}" "${main}" ${args} | head -c 1 >/dev/null; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", script], {
      cwd: cli.dir,
      encoding: "utf8",
      env: { ...process.env, WARREN_HOME: cli.home },
    });
    return [stdout, stderr];
  };
  assert.deepEqual(piped("run sh -c 'seq 1 100000; exit 7'"), ["7\n", ""]);
  assert.deepEqual(piped("logs"), ["0\n", ""]);
});

test(
  "add says what to do next, also through a pipe, as gob does; other hints are for terminals, and a failed command prints no value",
  { skip },
  async () => {
    await using cli = openCommandLine();
    assert.equal(
      (await cli.warren("add", "--name", "here", "sleep", "60")).out,
      "Added job here running: sleep 60\n  warren await here   # wait for completion with live output\n  warren stop here    # stop the job\n",
    );
    assert.doesNotMatch((await cli.warren()).out, /warren /);
    const failed = await cli.warren("stop", "nobody", "--json");
    assert.deepEqual([failed.status, failed.out], [125, ""]);
  },
);

test("flags without a verb are those of the overview", { skip }, async () => {
  await using cli = openCommandLine();
  assert.deepEqual(JSON.parse((await cli.warren("--json")).out).jobs, []);
  const wrong = await cli.warren("--verson");
  assert.deepEqual(
    [wrong.status, wrong.err],
    [2, "error: unknown flag of warren: --verson. Did you mean --version?\nwarren help\n"],
  );
});

test("a first line of another tool is answered with the line that does it here", { skip }, async () => {
  await using cli = openCommandLine();
  writeFileSync(join(cli.dir, "app.js"), "");
  const fixOf = async (...args: string[]) => (await cli.warren(...args)).err.trimEnd().split("\n");
  assert.deepEqual(await fixOf("start", "app.js"), [
    "error: job not found: app.js",
    "warren add --name app -- node app.js",
  ]);
  assert.deepEqual(await fixOf("start", "app.js", "--name", "api"), [
    "error: unknown flag of start: --name.",
    "warren add --name api -- node app.js",
  ]);
  assert.equal((await fixOf("stop", "all"))[1], "warren stop --all");
  assert.deepEqual(await fixOf("kill-session", "-t", "work"), [
    "error: unknown command: kill-session. Did you mean stop?",
    "warren stop work",
  ]);
  assert.equal((await fixOf("status", "app"))[1], "warren why app");
});

test("runs: delete needs a run, and a second name is refused", { skip }, async () => {
  await using cli = openCommandLine();
  assert.match((await cli.warren("runs", "delete")).err, /^error: runs delete needs a run/);
  assert.equal((await cli.warren("runs", "a", "b")).status, 2);
});

test("errors are one JSON line for programs", { skip }, async () => {
  await using cli = openCommandLine();
  const { status, out, err } = await cli.warren("why", "nobody", "--json");
  assert.deepEqual([status, out], [125, ""]);
  assert.deepEqual(JSON.parse(err), {
    error: "job not found: nobody",
    code: "JOB_NOT_FOUND",
    fix: "warren list --all",
  });
  assert.equal(JSON.parse((await cli.warren("list", "--bogus", "--json")).err).code, "USAGE");
});

test(
  "import: nothing is written over without --force, and then the project's file, by whichever of its names",
  { skip },
  async () => {
    await using cli = openCommandLine();
    writeFileSync(join(cli.dir, "Procfile"), "web: sleep 100\n");
    const own = join(cli.dir, "warren.yml");
    writeFileSync(own, "jobs: {}\n");
    const refused = await cli.warren("import", "Procfile", "--write");
    assert.equal(refused.status, 125);
    assert.match(refused.err, /^error: \S+\/warren\.yml is there already; nothing was changed\.$/m);
    assert.equal((await cli.warren("import", "Procfile", "--write", "--force")).status, 0);
    assert.match(readFileSync(own, "utf8"), /sleep 100/);
    assert.ok(!existsSync(join(cli.dir, "warren.yaml")));
  },
);
