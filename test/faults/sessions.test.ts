import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestOptions } from "node:test";
import { hasEnded, readProcess } from "../../src/platform/process.ts";
import type { Session } from "../../src/protocol/units.ts";
import { needsRoot, readOnlyDirectory, smallDisk } from "../harness/faults.ts";
import { type TemporaryHome, temporaryHome } from "../harness/home.ts";
import { waitUntil } from "../harness/wait-until.ts";
import { WatchingTerminal } from "../harness/watching-terminal.ts";
import { envOf, MEBIBYTE, test } from "./undisturbed.ts";

/** What can go wrong around sessions. */
const LIMIT: TestOptions = { timeout: 60_000 };
const AS_ROOT: TestOptions = { ...LIMIT, skip: needsRoot() ?? false };

async function start(house: TemporaryHome, script: string): Promise<Session> {
  const request = { command: ["sh", "-c", script], workdir: house.dir, env: envOf(house) };
  return (await house.client().request("session.new", request)).session;
}

test("sessions: a full disk holds the program up and loses no byte; room lets it go on", AS_ROOT, async () => {
  using disk = smallDisk(64 * MEBIBYTE);
  await using house = temporaryHome({ home: join(disk.path, "home") });
  const { id } = await start(house, "read go; seq 1 400000; echo all; read end; exit 6");
  using terminal = await WatchingTerminal.attach(house.places, id);
  const other = await start(house, "while read -r line; do echo got=$line; done");
  using typist = await WatchingTerminal.attach(house.places, other.id);
  disk.fill(MEBIBYTE);
  terminal.type("go\n");
  await waitUntil(() => terminal.output.length > MEBIBYTE / 2, { what: "some of it" });
  disk.drain();
  await terminal.shows(/all\r/);
  typist.type("x\n");
  await typist.shows(/got=x/);
  terminal.type("\n");
  await waitUntil(() => terminal.outcome !== undefined, { what: "the end" });
  assert.deepEqual(terminal.outcome, { kind: "exited", status: 6 });
  const { stdoutBytes } = await house.warren(["history", "--raw", id]);
  const numbers = [...stdoutBytes.toString("latin1").matchAll(/^(\d+)\r$/gm)].map(([, number]) => Number(number));
  assert.equal(numbers.length, 400_000);
  assert.ok(
    numbers.every((number, at) => number === at + 1),
    "in order, none missing, none doubled",
  );
});

test("sessions: a home that cannot be written is an error, and starts nothing", AS_ROOT, async () => {
  await using house = temporaryHome();
  using readOnly = readOnlyDirectory(join(house.base, "read-only"));
  const env = { WARREN_HOME: join(readOnly.path, "home") };
  const { status, stderr } = await house.warren(["new", "-d", "--", "sh"], { env });
  assert.equal(status, 125);
  assert.match(stderr, /The home .* cannot be used/);
});

test("sessions: two homes know nothing of each other", LIMIT, async () => {
  await using one = temporaryHome();
  await using two = temporaryHome();
  const named = ["new", "-d", "--name", "shell", "--", "sh"];
  assert.equal((await one.warren(named)).status, 0);
  assert.equal((await two.warren(named)).status, 0, "the same name in another home");
  await one.warren(["stop", "shell"]);
  const { sessions } = await two.client().request("session.list", {});
  assert.deepEqual(
    sessions.map(({ name, status }) => [name, status]),
    [["shell", "running"]],
  );
});

test("sessions: a program that ends at once has its end and its output", LIMIT, async () => {
  await using house = temporaryHome();
  for (const [script, outcome] of [
    ["echo quick; exit 5", { kind: "exited", status: 5 }],
    ["echo quick; kill -9 $$", { kind: "signalled", signal: "SIGKILL", status: 137, by: "unknown" }],
  ] as const) {
    const { id } = await start(house, script);
    const { session } = await house.client().request("session.wait", { session: id, conditions: [{ kind: "exit" }] });
    assert.deepEqual(session.outcome, outcome);
    assert.match((await house.warren(["history", id])).stdout, /quick/);
  }
});

test("sessions: bytes that are no text pass through as they are", LIMIT, async () => {
  await using house = temporaryHome();
  const { id } = await start(
    house,
    `stty raw; printf '\\377\\376\\200ok\\303'; printf '\\251 \\033[31'; printf 'mred'; sleep 1000`,
  );
  using terminal = await WatchingTerminal.attach(house.places, id);
  await terminal.shows(/red/);
  const { lines } = await house.client().request("session.screen", { session: id });
  assert.match(lines[0] ?? "", /ok.?é red/);
  const { stdoutBytes } = await house.warren(["history", "--raw", id]);
  assert.equal(stdoutBytes.toString("latin1").includes("\xff\xfe\x80ok\xc3\xa9"), true);
});

test("sessions: what it started elsewhere ends with it, whatever it did to get away", LIMIT, async () => {
  await using house = temporaryHome();
  const pids = join(house.dir, "pids");
  const { id } = await start(
    house,
    `setsid sh -c 'trap "" HUP TERM; echo $$ >> ${pids}; while :; do sleep 1; done' & (trap "" HUP; echo away >> ${pids}.2; sleep 1000) & echo ready; sleep 1000`,
  );
  using terminal = await WatchingTerminal.attach(house.places, id);
  await terminal.shows(/ready/);
  const noted = (): string => readFileSync(pids, { encoding: "utf8", flag: "a+" }); // it may not be there yet
  await waitUntil(() => noted().includes("\n"), { what: "the one that got away" });
  const pid = Number(noted());
  const { stopped } = await house.client().request("session.stop", { session: id, grace_ms: 200 });
  assert.equal(stopped, true);
  const left = readProcess(pid);
  assert.ok(left === undefined || hasEnded(left), "its tree is gone");
});

test("sessions: attaching from inside itself is refused", LIMIT, async () => {
  await using house = temporaryHome();
  const { id, name } = await start(house, "sleep 1000");
  const inside = await house.warren(["attach", name], { env: { WARREN_SESSION: id, WARREN_UNIT: name }, input: "" });
  assert.equal(inside.status, 125);
  assert.match(inside.stderr, new RegExp(`You are inside ${name} already`));
});

test(
  "sessions: a server that is stopped is said to be silent, named by doctor, and replaced by reload",
  LIMIT,
  async () => {
    await using house = temporaryHome();
    const created = await house.warren(["new", "-d", "--name", "fox", "--", "cat"]);
    assert.equal(created.status, 0, created.stderr);
    const { pid } = await house.server();
    process.kill(pid, "SIGSTOP");
    const [renamed, doctor] = await Promise.all([house.warren(["rename", "fox", "otter"]), house.warren(["doctor"])]);
    assert.deepEqual([renamed.status, doctor.status], [125, 1]);
    assert.equal(
      renamed.stderr,
      "error: The server has not answered for 10 s: it is stopped, or it hangs. What was asked may still be done.\nwarren doctor\n",
    );
    const { 1: fix } =
      new RegExp(`\\(pid ${pid}\\) does not answer: .*\\n *warren (reload \\w+)\\n`).exec(doctor.stdout) ?? [];
    assert.ok(fix, doctor.stdout);
    const reloaded = await house.warren(fix.split(" "));
    assert.equal(reloaded.status, 0, reloaded.stderr);
    const { stdout } = await house.warren(["sessions", "--quiet"]);
    assert.match(stdout, /^(fox|otter)\n$/);
  },
);
