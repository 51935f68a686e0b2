import assert from "node:assert/strict";
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Session } from "../src/protocol/units.ts";
import { readEntries } from "../src/registry/entries.ts";
import type { SessionRecord } from "../src/sessions/record.ts";
import { variant } from "./harness/build-copy.ts";
import { newAgent } from "./harness/busy-agents.ts";
import { suspended } from "./harness/faults.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { ended, killProcess } from "./harness/processes.ts";
import { RawConnection } from "./harness/raw-connection.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** Named servers and sessions, through the command line as a person types it. */
const TIMEOUT_MS = 60_000;

async function newSession(house: TemporaryHome, ...command: string[]): Promise<Session> {
  const { status, stdout, stderr } = await house.warren(["new", "--detached", "--json", "--", ...command]);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Session;
}

/** Types a command and waits for what it writes. */
async function typed(house: TemporaryHome, name: string, command: string, output: string): Promise<void> {
  const sent = await house.warren([
    "send",
    name,
    "--enter",
    command,
    "--wait-for",
    `log=${output}`,
    "--timeout",
    "20s",
  ]);
  assert.equal(sent.status, 0, `${sent.stdout}${sent.stderr}`);
}

async function sessionsOf(house: TemporaryHome, ...flags: string[]): Promise<Session[]> {
  const { stdout } = await house.warren(["sessions", "--json", ...flags]);
  return JSON.parse(stdout) as Session[];
}

test(
  "sessions: started, listed, typed into, waited for, stopped; its end is known",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const fox = await newSession(house, "sh");
    assert.match(fox.name, /^[a-z]+$/);
    assert.equal(fox.status, "running");
    assert.deepEqual(
      (await sessionsOf(house)).map(({ name }) => name),
      [fox.name],
    );

    await typed(house, fox.name, "echo sum is $((40+2))", "/sum is 42/");
    assert.equal((await house.warren(["wait", fox.name, "--for", "idle", "--timeout", "20s"])).status, 0);

    const exit = house.warren(["wait", fox.name]);
    await house.warren(["send", fox.name, "exit 7\\n"]);
    assert.equal((await exit).status, 7, "the wait for its end exits as it did");
    assert.deepEqual(await sessionsOf(house), []);
    const [gone] = await sessionsOf(house, "--all");
    assert.deepEqual([gone?.name, gone?.state, gone?.outcome], [fox.name, "ended", { kind: "exited", status: 7 }]);

    const owl = await newSession(house, "sleep", "1000");
    const { status, stdout } = await house.warren(["stop", owl.name]);
    assert.deepEqual([status, stdout], [0, `Stopped ${owl.name}\n`]);
    assert.deepEqual((await sessionsOf(house, "--all"))[0]?.outcome, {
      kind: "signalled",
      signal: "SIGHUP",
      status: 129,
      by: "stop",
    });
    assert.equal((await house.warren(["remove", owl.name])).status, 0);
    assert.equal((await sessionsOf(house, "--all")).length, 1);
  },
);

test("sessions: the server is killed, and the keeper's terminals do not notice", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const fox = await newSession(house, "sh");
  const server = await house.server();
  killProcess(server);
  await ended(server);
  await typed(house, fox.name, "echo still''-here", "still-here");
  const [after] = await sessionsOf(house);
  assert.deepEqual([after?.name, after?.pid], [fox.name, fox.pid]);
});

test(
  "sessions: the registry names all of a killed server's until its successor has taken them up",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const bear = await newSession(house, "cat");
    const { name: owl } = await newAgent(house); // with more to read than the others
    const script = Array.from({ length: 400 }, () => `say ${"so ".repeat(80)}`).join("\n");
    for (let turn = 0; turn < 6; turn++)
      assert.equal((await house.warren(["prompt", owl, script, "--wait"])).status, 0);
    const server = await house.server();
    const before = readEntries(house.places.serversDir)[0]!.generation!;
    killProcess(server);
    process.kill(bear.pid, "SIGKILL"); // its end is heard while the agent is taken up
    await waitUntil(
      () => {
        const [entry] = readEntries(house.places.serversDir);
        const names = entry?.sessions?.map(({ name }) => name) ?? [];
        assert.ok(names.includes(owl), `${owl} among ${names.join(", ")}, in generation ${entry?.generation}`);
        return entry!.generation! > before && !names.includes(bear.name);
      },
      { what: "the successor's own word", everyMs: 1 },
    );
  },
);

test(
  "sessions: one that was in hand when its server began to end is in the registry before it is answered",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const bear = await newSession(house, "cat"); // for its sake there is a successor
    const [keeper, server] = [await house.keeper(), await house.server()];
    using asking = await RawConnection.open(house);
    using watching = await RawConnection.open(house);
    process.kill(keeper.pid, "SIGSTOP"); // who starts the program
    try {
      const wanted = { name: "in-hand", command: ["cat"], workdir: house.dir, env: [] };
      const answer = asking.ask("session.new", wanted, { request_id: "n1" });
      await asking.ask("ping"); // so that it was read
      process.kill(server.pid, "SIGTERM");
      await waitUntil(async () => (await watching.ask("ping")).code === "SERVER_ENDING", { what: "its end to begin" });
      process.kill(keeper.pid, "SIGCONT");
      const answered = await answer;
      assert.equal(answered.success, true, JSON.stringify(answered));
      const names = readEntries(house.places.serversDir).flatMap(({ sessions = [] }) =>
        sessions.map(({ name }) => name),
      );
      assert.deepEqual(names.toSorted(), [bear.name, "in-hand"].toSorted());
    } finally {
      process.kill(keeper.pid, "SIGCONT");
    }
  },
);

test(
  "sessions: the keeper is killed: they are lost, said so, and can be resumed",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const fox = await newSession(house, "sh");
    await typed(house, fox.name, "echo be''fore", "before");
    const keeper = await house.keeper();
    killProcess(keeper);
    await ended(keeper);
    const lost = await waitUntil(
      async () => (await sessionsOf(house, "--all")).find(({ id, status }) => id === fox.id && status === "stopped"),
      { what: "the loss to be known" },
    );
    assert.deepEqual([lost.state, lost.outcome?.kind], ["saved", "lost"]);
    const { status, stdout, stderr } = await house.warren(["resume", "--all", "--json"]);
    assert.equal(status, 0, stderr);
    const resumed = JSON.parse(stdout) as Session;
    assert.deepEqual([resumed.name, resumed.id, resumed.status], [fox.name, fox.id, "running"]);
    assert.notEqual(resumed.pid, fox.pid);
    const history = await house.warren(["history", fox.name]);
    assert.match(history.stdout, /before/);
  },
);

test(
  "sessions: resumed twice at once, it is started once, and its record is that of the program that runs",
  {
    timeout: TIMEOUT_MS,
  },
  async () => {
    await using house = temporaryHome();
    const fox = await newSession(house, "sh");
    assert.equal((await house.warren(["stop", fox.name])).status, 0);
    const client = house.client();
    const resume = () => client.request("session.resume", { session: fox.id });
    const answers = await Promise.allSettled([resume(), resume()]);
    const refused = answers.flatMap((answer) =>
      answer.status === "rejected" ? [answer.reason as { code: string }] : [],
    );
    assert.deepEqual(
      refused.map(({ code }) => code),
      ["SESSION_LIVE"],
    );
    const file = join(house.home, "sessions", fox.id, "session.json");
    const record = JSON.parse(readFileSync(file, "utf8")) as SessionRecord;
    assert.deepEqual([record.name, record.resume_count, record.ended], [fox.name, 1, null]);
  },
);

test(
  "sessions: a resume that is repeated at the next generation has its first answer, and starts nothing again",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const short = await newSession(house, "sh", "-c", "echo run >> runs; exit 4");
    assert.equal((await house.warren(["wait", short.id])).status, 4);
    const long = await newSession(house, "cat");
    assert.equal((await house.warren(["stop", long.id])).status, 0);
    const resumes = async (): Promise<Session[]> => {
      using asking = await RawConnection.open(house);
      const answers = await Promise.all(
        [short, long].map(({ id }) => asking.ask("session.resume", { session: id }, { request_id: `resume ${id}` })),
      );
      return answers.map(({ success, data }, at) => {
        assert.equal(success, true, JSON.stringify(answers[at]));
        return (data as { session: Session }).session;
      });
    };
    const [, first] = await resumes();
    assert.equal((await house.warren(["wait", short.id])).status, 4);
    const server = await house.server();
    killProcess(server);
    await ended(server);

    const [over, again] = await resumes();
    assert.deepEqual([over?.status, over?.outcome], ["stopped", { kind: "exited", status: 4 }]);
    assert.deepEqual([again?.pid, again?.resume_count], [first?.pid, 1]);
    assert.equal(readFileSync(join(house.dir, "runs"), "utf8"), "run\nrun\n");
  },
);

test(
  "sessions: a name belongs to one that runs; bad names, programs and sizes change nothing",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const named = (...args: string[]) => house.warren(["new", "-d", ...args]);
    assert.equal((await named("--name", "build", "--", "sleep", "1000")).status, 0);
    const taken = await named("--name", "build", "--", "sleep", "1000");
    assert.equal(taken.status, 125);
    assert.match(taken.stderr, /A session named build is running already/);
    const malformed = await named("--name", "Build!", "--", "sleep", "1000");
    assert.equal(malformed.status, 2);
    const missing = await named("--", "no-such-program-here");
    assert.equal(missing.status, 127);
    assert.match(missing.stderr, /no-such-program-here/);
    const nowhere = await house.warren(["attach", "buidl"], { input: "" });
    assert.equal(nowhere.status, 125);
    assert.match(nowhere.stderr, /Did you mean build\?/);
    assert.equal((await sessionsOf(house, "--all")).length, 1);
  },
);

test("sessions: renamed while it runs; the old name is free", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const fox = await newSession(house, "sh");
  assert.equal((await house.warren(["rename", fox.name, "build"])).status, 0);
  const [renamed] = await sessionsOf(house);
  assert.deepEqual([renamed?.name, renamed?.id], ["build", fox.id]);
  assert.equal((await house.warren(["send", "build", "exit\\n"])).status, 0);
});

test(
  "servers: an older one keeps its sessions, gives up the jobs, and retires after the last",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const fox = await newSession(house, "sh");
    const { stdout: job } = await house.warren(["add", "--json", "sleep", "1000"]);
    const newer = variant({ hash: "newer01", newerByMs: 1_000 });
    const made = await house.warren(["new", "-d", "--json", "--", "sh"], { from: newer });
    assert.equal(made.status, 0, made.stderr);
    const owl = JSON.parse(made.stdout) as Session;
    assert.notEqual(owl.server, fox.server);
    const entries = readEntries(house.places.serversDir);
    assert.deepEqual(
      entries.map(({ name, primary, sessions }) => [name, primary, sessions?.map((one) => one.name)]),
      [
        [owl.server, true, [owl.name]],
        [fox.server, false, [fox.name]],
      ],
    );
    const { stdout: list } = await house.warren(["list", "--json"], { from: newer });
    assert.deepEqual(
      (JSON.parse(list) as { kind: string; pid: number }[]).flatMap(({ kind, pid }) => (kind === "job" ? [pid] : [])),
      [JSON.parse(job).job?.pid ?? JSON.parse(job).pid],
    );

    const waiting = house.start(["wait", fox.name, "--for", "log=moved-here", "--for", "exit"]);
    using raw = await RawConnection.open(entries.find(({ name }) => name === fox.server)!.socket);
    const asked = raw.ask("session.wait", { session: fox.id, conditions: [{ kind: "exit" }] });
    await raw.ask("ping");
    const moved = await house.warren(["move", fox.name, owl.server, "--json"]);
    assert.equal(moved.status, 0, moved.stderr);
    assert.equal((await asked).code, "SESSION_MOVED");
    raw.socket.destroy(); // a server with a client does not retire
    const now = await sessionsOf(house);
    assert.deepEqual(now.find(({ id }) => id === fox.id)?.server, owl.server);
    assert.equal(now.find(({ id }) => id === fox.id)?.pid, fox.pid);
    await typed(house, fox.name, "echo moved''-here", "moved-here");
    const waited = await waiting.ended;
    assert.deepEqual([waited.status, waited.stderr], [0, ""], waited.stdout);
    await waitUntil(() => readEntries(house.places.serversDir).length === 1, {
      what: "the old server to retire",
      deadlineMs: 30_000,
    });
  },
);

test(
  "servers: a session that was taken back is not taken by a server that comes to it late",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const fox = await newSession(house, "sh");
    const newer = variant({ hash: "newer02", newerByMs: 1_000 });
    const owl = JSON.parse(
      (await house.warren(["new", "-d", "--json", "--", "sh"], { from: newer })).stdout,
    ) as Session;
    const theirs = readEntries(house.places.serversDir).find(({ name }) => name === owl.server)!;
    {
      using _suspended = suspended(theirs.pid);
      const moved = await house.warren(["move", fox.name, owl.server]);
      assert.equal(moved.status, 125);
      assert.match(
        moved.stderr,
        /could not be moved to .*: No answer to session\.take in 5000 ms\. It stays where it was\./,
      );
    }
    // By now it has read what it was asked then: the keeper answers one call after the other.
    using raw = await RawConnection.open(theirs.socket);
    assert.equal((await raw.ask("session.take", { id: fox.id, epoch: 1 })).code, "STALE_EPOCH");
    const now = await sessionsOf(house);
    assert.deepEqual(
      now.map(({ id, server }) => [id, server]).sort(),
      [
        [fox.id, fox.server],
        [owl.id, owl.server],
      ].sort(),
    );
    await typed(house, fox.name, "echo still''-here", "still-here");
    const moved = await house.warren(["move", fox.name, owl.server]);
    assert.deepEqual([moved.status, moved.stderr], [0, ""]);
    await typed(house, fox.name, "echo moved''-here", "moved-here");
  },
);

test(
  "wait: what a session wrote before it ended is found by a wait that began before that",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = temporaryHome();
    const fox = await newSession(house, "sh", "-c", "read go; echo it is READY");
    const client = house.client();
    const since = fox.output_bytes ?? 0;
    const ending = client.request("session.wait", { session: fox.id, conditions: [{ kind: "exit" }] });
    await typed(house, fox.name, "go", "READY");
    await ending;
    const conditions = [{ kind: "output", pattern: "is READY" } as const];
    const again = await client.request("session.wait", { session: fox.id, conditions, since });
    assert.deepEqual([again.result, again.met], ["met", conditions]);
    const late = await client.request("session.wait", { session: fox.id, conditions });
    assert.equal(late.result, "ended", "from now on there is nothing");
  },
);

test("nuke: all sessions end and are counted; they are saved, and go with --all", { timeout: TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const fox = await newSession(house, "sleep", "1000");
  await newSession(house, "sleep", "1000");
  const nuked = await house.warren(["nuke"]);
  assert.match(nuked.stdout, /ended 2 sessions, ended 1 server/);
  const saved = await sessionsOf(house, "--all");
  assert.ok(saved.length === 2 && saved.every(({ state }) => state === "saved"));
  assert.ok(saved.some(({ id }) => id === fox.id));
  await house.warren(["nuke", "--all"]);
  assert.deepEqual(await sessionsOf(house, "--all"), []);
});

test("servers: the three runs of a source tree", { timeout: 3 * TIMEOUT_MS }, async () => {
  await using house = temporaryHome();
  const tree = join(house.base, "tree");
  copySource(tree);
  const run = async (): Promise<{ server: string; session: string; out: string }> => {
    const { status, stdout, stderr } = await house.warren([], { cwd: tree, deadlineMs: 60_000 });
    assert.equal(status, 0, stderr);
    const [server = "", session = ""] = stdout.trim().split(/\s+/);
    return { server, session, out: stdout };
  };
  const first = await run();
  appendFileSync(join(tree, "src/protocol/names.ts"), "\n/** Changed. */\nexport const CHANGED = true;\n");
  const second = await run();
  const third = await run();
  assert.notEqual(first.server, second.server, "changed code has a server of its own");
  assert.equal(second.server, third.server, "the same code has the same server");
  assert.equal(new Set([first.session, second.session, third.session]).size, 3);
  const { stdout } = await house.warren(["servers"], { cwd: house.dir });
  console.log(stdout);
  assert.match(stdout, new RegExp(`${first.server} .*: ${first.session}$`, "m"));
  assert.match(stdout, new RegExp(`${second.server} .*: ${second.session}, ${third.session}$`, "m"));

  writeFileSync(join(tree, "src/cli/broken.ts"), "export const = ;\n");
  appendFileSync(join(tree, "src/cli/main.ts"), '\nimport "./broken.ts";\n');
  const before = readFileSync(join(tree, "dist/build.json"), "utf8");
  const broken = await house.warren([], { cwd: tree });
  assert.equal(broken.status, 125);
  assert.match(broken.stderr, /could not be built: .*broken\.ts.*Nothing was changed/s);
  assert.equal(readFileSync(join(tree, "dist/build.json"), "utf8"), before);
  assert.equal((await sessionsOf(house)).length, 3);
});

/** What a checkout consists of, without its history. */
function copySource(tree: string): void {
  const root = join(import.meta.dirname, "..");
  mkdirSync(tree, { recursive: true });
  for (const part of ["bin", "src", "scripts", "package.json"])
    cpSync(join(root, part), join(tree, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
  rmSync(join(tree, "dist"), { recursive: true, force: true });
}
