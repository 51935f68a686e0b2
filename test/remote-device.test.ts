import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { showCode } from "./harness/shown-code.ts";
import { TwoHomes } from "./harness/two-homes.ts";
import { waitUntil } from "./harness/wait-until.ts";

test("device: joins a machine by its code, and its commands are asked there", async () => {
  await using homes = new TwoHomes();
  await homes.pair(await homes.startHub());
  assert.equal(statSync(homes.deviceFile).mode & 0o777, 0o600);
  await homes.there.warren(["add", "--name", "web", "--", "sh", "-c", "echo hello; echo oh >&2; sleep 300"]);
  const list = await homes.on("list", "--json");
  assert.equal(list.status, 0, list.stderr);
  assert.deepEqual(
    JSON.parse(list.stdout).map((job: { name: string; status: string }) => [job.name, job.status]),
    [["web", "running"]],
  );
  const why = await homes.here.warren(["why", `web@${homes.name}`]);
  assert.match(why.stdout, /web .*is running|web/);
  const stopped = await homes.on("stop", "web");
  assert.equal(stopped.status, 0, stopped.stderr);
  assert.equal(homes.here.processes("server").length, 0, "nothing was started here");
});

test("device: logs of another machine's job, with tail, pattern, streams and following to its end", async () => {
  await using homes = new TwoHomes();
  await homes.pair(await homes.startHub());
  const script = "for i in 1 2 3; do echo line $i; done; echo bad >&2; printf '\\377 no text\\n'";
  await homes.there.warren(["run", "--name", "web", "--", "sh", "-c", script]);
  const all = await homes.on("logs", "web");
  assert.equal(all.status, 0, all.stderr);
  assert.equal(all.stderr, "bad\n");
  assert.deepEqual(all.stdoutBytes, Buffer.from("line 1\nline 2\nline 3\n\xff no text\n", "latin1"));
  assert.equal((await homes.on("logs", "web", "--stream", "stdout", "--tail", "1")).stdoutBytes[0], 0xff);
  assert.equal((await homes.on("logs", "web", "--grep", "line", "--tail", "2")).stdout, "line 2\nline 3\n");
  await homes.there.warren(["add", "--name", "ticks", "--", "sh", "-c", "echo one; sleep 1; echo two"]);
  const followed = await homes.on("logs", "ticks", "-f");
  assert.equal(followed.status, 0, followed.stderr);
  assert.match(followed.stdout, /one\n.*two\n/);
});

test("device: a megabyte of log comes whole, page by page", async () => {
  await using homes = new TwoHomes();
  await homes.pair(await homes.startHub(), "view");
  await homes.there.warren(["run", "--name", "much", "--", "sh", "-c", "seq -f '%.0f some text of a line' 1 40000"]);
  const all = await homes.on("logs", "much");
  assert.equal(all.status, 0, all.stderr);
  assert.equal(all.stdout, Array.from({ length: 40_000 }, (_, index) => `${index + 1} some text of a line\n`).join(""));
});

test("device: what works with a machine's files is refused in one sentence, before anybody is asked", async () => {
  await using homes = new TwoHomes();
  const refused = await homes.here.warren(["--on", "laptop", "up", "--json"]);
  assert.equal(refused.status, 125);
  const { code, fix } = JSON.parse(refused.stdout || refused.stderr) as { code: string; fix: string };
  assert.deepEqual([code, fix], ["REMOTE_NOT_POSSIBLE", "warren --on laptop run --dir DIR -- warren up --detach"]);
  const unknown = await homes.here.warren(["--on", "laptop", "list"]);
  assert.match(unknown.stderr, /machine not found: laptop/);
  assert.equal((await homes.here.warren(["--on"])).status, 2);
});

test("device: a scope that it has not is refused by the machine", async () => {
  await using homes = new TwoHomes();
  await homes.pair(await homes.startHub(), "view");
  await homes.there.warren(["add", "--name", "web", "--", "sleep", "300"]);
  assert.equal((await homes.on("list")).status, 0);
  const stop = await homes.on("stop", "web", "--json");
  assert.equal(stop.status, 125);
  assert.match(
    stop.stdout + stop.stderr,
    /may not start, stop or change anything on that machine \(stop\): that takes admin, and it has view\./,
  );
});

test("device: a machine at two hubs is reached while one of them is gone; without both it is away", async () => {
  await using homes = new TwoHomes();
  const first = await homes.startHub();
  const second = await homes.startHub(homes.here);
  await homes.pair(first);
  await homes.pair(second);
  const { machines, hubs } = JSON.parse(readFileSync(homes.deviceFile, "utf8"));
  assert.deepEqual([machines.length, hubs.length], [1, 2]);
  homes.hubs[0]!.child.kill("SIGKILL");
  await homes.hubs[0]!.ended;
  const list = await homes.on("list", "--json");
  assert.equal(list.status, 0, list.stderr);
  homes.hubs[1]!.child.kill("SIGKILL");
  await homes.hubs[1]!.ended;
  const away = await homes.on("list", "--json");
  assert.equal(away.status, 125);
  assert.match(away.stdout + away.stderr, /MACHINE_AWAY/);
});

test("device: a used code, and one that is taken back, leave nothing here", async () => {
  await using homes = new TwoHomes();
  const address = await homes.startHub();
  const { code, pairing } = await showCode(homes.there, address);
  pairing.child.kill("SIGINT");
  await pairing.ended;
  const late = await homes.here.warren(["pair", code, "--yes", "--json"]);
  assert.equal(late.status, 125);
  assert.match(late.stdout + late.stderr, /PAIRING_GONE/);
  assert.throws(() => statSync(homes.deviceFile), { code: "ENOENT" });
  const broken = await homes.here.warren(["pair", code.slice(0, -3), "--yes"]);
  assert.match(broken.stderr, /cut off/);
});

test("device: types into a session of another machine, and looks at it through pipes", async () => {
  await using homes = new TwoHomes();
  await homes.pair(await homes.startHub());
  const made = await homes.there.warren(["new", "--name", "fox", "--detached", "--", "sh"]);
  assert.equal(made.status, 0, made.stderr);
  const sent = await homes.here.warren(["send", `fox@${homes.name}`, "--enter", "echo $((40 + 2))-there"]);
  assert.equal(sent.status, 0, sent.stderr);
  const why = await waitUntil(
    async () => {
      const { stdout } = await homes.on("why", "fox");
      return stdout.includes("42-there") && stdout;
    },
    { what: "what was typed is on the screen" },
  );
  assert.match(why, /fox/);
  const viewing = homes.here.start(["--on", homes.name, "attach", "fox", "--view"]);
  const attached = await waitUntil(
    async () => JSON.parse((await homes.on("sessions", "--json")).stdout)[0]?.viewer_count > 0 || undefined,
    { what: "it is attached" },
  );
  assert.ok(attached);
  await homes.on("send", "fox", "--enter", "echo $((50 + 1))-seen; exit");
  await viewing.shows(/51-seen/);
  assert.equal((await viewing.ended).status, 0);
});

test("device: a log that is followed goes on through the other hub when the one in use is killed", async () => {
  await using homes = new TwoHomes();
  await homes.pair(await homes.startHub());
  await homes.pair(await homes.startHub(homes.here));
  const gate = join(homes.there.dir, "go");
  const script = `echo one; while [ ! -e ${gate} ]; do sleep 0.05; done; echo two`;
  await homes.there.warren(["add", "--name", "gated", "--", "sh", "-c", script]);
  const following = homes.here.start(["--on", homes.name, "logs", "-f", "gated"]);
  await following.shows(/one/);
  // Used last goes first.
  homes.hubs[1]!.child.kill("SIGKILL");
  await homes.hubs[1]!.ended;
  writeFileSync(gate, "");
  await following.shows(/one\n.*two\n/);
  const { status, stdout } = await following.ended;
  const lines = stdout.split("\n").filter((line) => /^\[gated\] (one|two)$/.test(line.trim()));
  assert.deepEqual([status, lines.length], [0, 2], `nothing missing, nothing twice: ${stdout}`);
});
