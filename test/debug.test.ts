import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { DebugClient, DebugFrame, DebugLogEntry, DebugState } from "../src/protocol/debug.ts";
import { readEntries } from "../src/registry/entries.ts";
import { variant } from "./harness/build-copy.ts";
import { DebugView, FAULTS } from "./harness/debug.ts";
import { suspended } from "./harness/faults.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { killAllOf, killProcess } from "./harness/processes.ts";
import { RawConnection, socketOf } from "./harness/raw-connection.ts";
import { waitUntil } from "./harness/wait-until.ts";
import { WatchingTerminal } from "./harness/watching-terminal.ts";

/** The second way into a server: what it tells, to whom, and the faults that it commits for tests alone. */
const TIMEOUT_MS = 60_000;
const MEBIBYTE = 1024 * 1024;
const SECRET = "hunter2";

const debugSockets = ({ places }: TemporaryHome): string[] =>
  readdirSync(places.socketDir).filter((name) => name.endsWith("-debug.sock"));

async function started(env: Record<string, string> = {}): Promise<TemporaryHome> {
  const house = temporaryHome({ env });
  await house.client().request("ping", {});
  return house;
}

async function session(house: TemporaryHome, script: string): Promise<string> {
  const { session } = await house.client().request("session.new", {
    command: ["sh", "-c", script],
    workdir: house.dir,
    env: [`PATH=${house.env.PATH}`, `TOKEN=${SECRET}`],
    name: "fox",
  });
  return session.id;
}

test("debug: state, clients, leases and memory say what is there", { timeout: TIMEOUT_MS }, async () => {
  await using house = await started();
  const { pid } = await house.server();
  const id = await session(house, "printf 0123456789; cat");
  const { job } = await house.client().request("add", { command: ["sleep", "1000"], workdir: house.dir, env: [] });
  using subscriber = await RawConnection.open(house);
  await subscriber.ask("hello", { protocol: { min: 1, max: 1 }, client: "somebody", version: "7", pid: 4242 });
  await subscriber.ask("subscribe");
  using terminal = await WatchingTerminal.attach(house.places, id);
  using viewer = await WatchingTerminal.attach(house.places, id, { isViewer: true });
  await viewer.shows(/0123456789/);
  terminal.type("abc\n");
  await viewer.shows(/abc/);
  using debug = await DebugView.open(house);

  const state = await debug.ask({ type: "state" });
  assert.deepEqual(
    [state.pid, state.phase, state.primary, state.waits_for, state.jobs, state.faults_allowed, state.faults],
    [pid, "serving", true, [], { running: 1 }, false, []],
  );
  assert.deepEqual([state.subscriber_count, Object.values(state.sessions)], [1, [1]]);
  assert.ok(state.streams.jobs! >= 2 && state.uptime_ms > 0, JSON.stringify(state));

  const { clients } = await debug.ask({ type: "clients" });
  const clientOf = (isMeant: (client: DebugClient) => boolean): DebugClient => {
    const found = clients.find(isMeant);
    assert.ok(found, JSON.stringify(clients));
    return found;
  };
  assert.equal(clients.length, state.client_count);
  const { client, version, pid: clientPid, streams, in_hand_count, lines_in } = clientOf(({ pid }) => pid === 4242);
  assert.deepEqual(
    [client, version, clientPid, streams, in_hand_count, lines_in],
    ["somebody", "7", 4242, ["jobs"], 0, 2],
  );
  const typist = clientOf(({ attached }) => attached?.role === "client");
  assert.deepEqual([typist.attached?.session, typist.queued_bytes], ["fox", 0]);
  assert.ok(typist.frames_out >= typist.screens_out && typist.screens_out >= 1);
  clientOf(({ attached }) => attached?.role === "viewer");

  const { leases } = await debug.ask({ type: "leases" });
  assert.equal(leases.length, 1);
  const [lease] = leases;
  assert.deepEqual(
    [lease?.name, lease?.id, lease?.kind, lease?.epoch, lease?.ended],
    ["fox", id, "terminal", 1, false],
  );
  assert.equal(lease?.input_bytes, 0, "what is typed is not written down");
  assert.equal(lease?.screen_bytes, lease?.output_bytes);
  assert.equal(lease?.told_bytes, lease?.output_bytes);
  assert.ok(lease!.output_bytes >= 14 && lease!.segment_bytes > lease!.output_bytes);

  const memory = await debug.ask({ type: "memory" });
  assert.ok(memory.rss_bytes > 20 * MEBIBYTE && memory.heap_used_bytes > MEBIBYTE);
  assert.equal(memory.threads.length, 1, "the screens'");
  assert.deepEqual(memory.screens, [
    { session: "fox", cols: 80, rows: 24, output_bytes: memory.screens[0]?.output_bytes },
  ]);
  await house.client().request("stop", { job_id: job.id });
  assert.deepEqual((await debug.ask({ type: "state" })).jobs, { ended: 1 });
});

test(
  "debug: two follow its events, by number and without a gap; a third comes late",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await started();
    using first = await DebugView.open(house);
    using second = await DebugView.open(house);
    const before = await first.ask({ type: "log", follow: true });
    assert.ok(before.entries.some(({ kind, event }) => kind === "phase" && event === "serving"));
    await second.ask({ type: "log", follow: true });
    await house.client().request("add", { command: ["true"], workdir: house.dir, env: [] });
    const isEnd = ({ data }: { data?: Record<string, unknown> }): boolean => data?.event === "job_stopped";
    await Promise.all([first.raw.next(isEnd), second.raw.next(isEnd)]);
    const told = (view: DebugView): DebugLogEntry[] => view.raw.events().map(({ data }) => data as never);
    const seqs = told(first).map(({ seq }) => seq);
    assert.deepEqual(
      seqs,
      seqs.map((_, at) => before.seq + 1 + at),
    );
    const common = Math.min(told(second).length, 4);
    assert.deepEqual(told(second).slice(0, common), told(first).slice(-told(second).length).slice(0, common));
    const late = await second.ask({ type: "log", since: before.seq });
    assert.deepEqual(
      late.entries.slice(0, seqs.length).map(({ seq }) => seq),
      seqs,
    );
    assert.deepEqual(
      late.entries.flatMap(({ kind, event }) => (kind === "event" ? [event] : [])),
      ["job_added", "run_started", "run_stopped", "job_stopped"].filter((name) =>
        late.entries.some(({ event }) => event === name),
      ),
    );
  },
);

test("debug: frames say what goes by, never what is in it", { timeout: TIMEOUT_MS }, async () => {
  await using house = await started();
  using debug = await DebugView.open(house);
  assert.deepEqual((await debug.ask({ type: "frames" })).following, [1]);
  const id = await session(house, `echo ${SECRET}; cat`);
  using terminal = await WatchingTerminal.attach(house.places, id);
  await terminal.shows(new RegExp(SECRET));
  terminal.type(`${SECRET}\n`);
  const frames = (): DebugFrame[] => debug.raw.events().map(({ data }) => data as never);
  const sees = (isMeant: (frame: DebugFrame) => boolean) =>
    debug.raw.next(({ data }) => data !== undefined && isMeant(data as never));
  await sees(({ type, direction }) => type === "ack" && direction === "out");
  await terminal.shows(new RegExp(`${SECRET}[^]*${SECRET}`));
  const typed = frames().find(({ type }) => type === "input");
  assert.deepEqual([typed?.direction, typed?.position, typed?.bytes], ["in", 0, 5 + 8 + SECRET.length + 1]);
  assert.equal(frames().find(({ type }) => type === "session.new")?.shape?.env, "array(2)");
  assert.ok(frames().some(({ type, direction }) => type === "screen" && direction === "out"));
  assert.ok(!JSON.stringify(frames()).includes(SECRET), "no secret");

  using one = await DebugView.open(house);
  const { clients } = await one.ask({ type: "clients" });
  const typist = clients.find(({ attached }) => attached)!;
  assert.deepEqual((await one.ask({ type: "frames", client: typist.id })).following, [typist.id]);
  await house.client().request("ping", {});
  terminal.type("z");
  await one.raw.next(({ data }) => data?.type === "input");
  assert.ok(one.raw.events().every(({ data }) => data?.client === typist.id));
  await assert.rejects(one.ask({ type: "frames", client: 999 }), /CLIENT_NOT_FOUND/);
});

test(
  "debug: who does not read is cut off, nobody waits for it, and that is said",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await started();
    using debug = await DebugView.open(house);
    const [path] = debugSockets(house);
    const deaf = net.connect(join(house.places.socketDir, path!));
    deaf.on("error", () => {});
    using cleanup = new DisposableStack();
    cleanup.defer(() => deaf.destroy());
    deaf.pause();
    deaf.write('{"type":"state"}\n'.repeat(20_000));
    const cut = await debug.logged(({ event }) => event === "debug_client_cut_off");
    assert.ok(Number(cut.fields?.queued_bytes) < 1.1 * MEBIBYTE, JSON.stringify(cut));
    assert.equal((await house.client().request("ping", {})).message, "pong");
  },
);

test("debug: garbage gets an answer that says what is wrong", { timeout: TIMEOUT_MS }, async () => {
  await using house = await started();
  using debug = await DebugView.open(house);
  const cases: [line: string, code: string, says: RegExp][] = [
    ["}{", "BAD_JSON", /not a JSON object/],
    ["[1]", "BAD_JSON", /not a JSON object/],
    ["{}", "UNKNOWN_TYPE", /state, clients/],
    ['{"type":"clinets"}', "UNKNOWN_TYPE", /Did you mean clients\?/],
    ['{"type":"frames","client":"all"}', "INVALID_PAYLOAD", /client must be/],
    ['{"type":"log","since":-1}', "INVALID_PAYLOAD", /since/],
    ['{"type":"fault","action":"try"}', "INVALID_PAYLOAD", /action/],
    ['{"type":"fault","action":"set","fault":{"name":"flood"}}', "INVALID_PAYLOAD", /one of delay-reply, drop-/],
    ['{"type":"fault","action":"set","fault":{"name":"crash-at","point":"now"}}', "INVALID_PAYLOAD", /one of request/],
    ['{"type":"fault","action":"set","fault":{"name":"delay-reply","ms":1e9}}', "INVALID_PAYLOAD", /ms/],
  ];
  for (const [line, code, says] of cases) {
    const count = debug.raw.received.length;
    debug.raw.write(`${line}\n`);
    const answer = await debug.raw.next((message) => debug.raw.received.indexOf(message) >= count);
    assert.deepEqual([answer.success, answer.code], [false, code], line);
    assert.match(answer.error ?? "", says);
  }
  debug.raw.write(`\n \n{"id":"mine","type":"state"}\n`);
  assert.equal((await debug.raw.next(({ id }) => id === "mine")).success, true);
  debug.raw.write("x".repeat(70_000));
  assert.equal((await debug.raw.next(({ code }) => code === "LINE_TOO_LONG")).success, false);
  await debug.raw.closed;
  const many = await Promise.all(Array.from({ length: 20 }, () => DebugView.open(house)));
  using all = new DisposableStack();
  for (const view of many) all.use(view);
  const answers = await Promise.all(many.map((view) => view.ask({ type: "state" }).catch((error) => String(error))));
  assert.equal(answers.filter((answer) => typeof answer !== "string").length, 16);
});

test("debug: its socket is its user's, is announced, and goes with the server", { timeout: TIMEOUT_MS }, async () => {
  await using house = await started();
  const [entry] = readEntries(house.places.serversDir);
  const path = join(house.places.socketDir, `${entry?.name}-debug.sock`);
  assert.equal(entry?.debug_socket, path);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const listed = JSON.parse((await house.warren(["servers", "--json"])).stdout);
  assert.equal(listed[entry!.name].debug_socket, path);
  const follower = house.start(["debug", "log", "-f"]);
  await follower.shows(/serving/);
  await house.warren(["shutdown"]);
  assert.equal(existsSync(path), false);
  const ended = await follower.ended;
  assert.equal(ended.status, 0);
  assert.match(ended.stdout, /phase +ending/);
  assert.match(ended.stderr, /has ended/);
});

test(
  "debug: a server that is killed is looked into again; what a dead one left goes with the next command",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await started();
    const victim = await house.server();
    const [socket] = debugSockets(house);
    killProcess(victim);
    await house.client().request("ping", {});
    using debug = await DebugView.open(house);
    const { pid, generation } = await debug.ask({ type: "state" });
    assert.notEqual(pid, victim.pid);
    assert.equal(generation, 2);
    assert.deepEqual(debugSockets(house), [socket]);

    await killAllOf(house.home);
    assert.deepEqual(debugSockets(house), [socket], "nobody took it away");
    const refused = await house.warren(["debug"]);
    assert.deepEqual([refused.status, refused.stdout], [125, ""]);
    assert.match(refused.stderr, /No server is running/);
    assert.deepEqual(debugSockets(house), []);
    await house.warren(["ping"]);
    assert.equal((await house.warren(["debug"])).status, 0);
  },
);

test("debug: a reload has one socket all the time", { timeout: TIMEOUT_MS }, async () => {
  await using house = await started();
  const sockets = debugSockets(house);
  using before = await DebugView.open(house);
  assert.equal((await house.warren(["reload"])).status, 0);
  await before.raw.closed;
  assert.deepEqual(debugSockets(house), sockets);
  using after = await DebugView.open(house);
  assert.equal((await after.ask({ type: "state" })).generation, 2);
});

test(
  "debug: the command says what it sees, and what is wrong with what was typed",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await started();
    await session(house, "cat");
    const [{ name } = { name: "" }] = readEntries(house.places.serversDir);
    const say = async (...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await house.warren(["debug", ...args]);
      assert.deepEqual([status, stderr], [0, ""], args.join(" "));
      return stdout;
    };
    assert.match(await say(), new RegExp(`^Server +${name}, primary\n[^]*Phase +serving`));
    assert.equal(await say(name, "state").then((text) => text.split("\n").length), (await say()).split("\n").length);
    assert.match(await say("clients"), /^ID +AGE +CLIENT .*\n1 +\d+s +test 0 /);
    assert.match(await say("leases"), /^SESSION .*\nfox +\d+ +terminal /);
    assert.match(await say("memory"), /^Resident +\d+ MB\n[\s\S]*SESSION +SCREEN +OUTPUT\nfox +80x24/);
    assert.match(await say("log"), /phase +serving/);
    assert.equal(await say("fault"), "No faults are set\n");
    for (const topic of ["state", "clients", "leases", "memory", "log", "fault"])
      assert.equal(typeof JSON.parse(await say(topic, "--json")), "object");

    const wrong: [args: string[], status: number, says: RegExp][] = [
      [["nobody"], 125, /No server nobody is running/],
      [["clinets"], 2, /warren debug clients/],
      [[name, "clinets"], 2, /Did you mean clients\?/],
      [["state", "more"], 2, /takes no arguments, got more/],
      [["state", "-f"], 2, /goes with log/],
      [["frames", "all"], 2, /no whole number/],
      [["frames", "999"], 125, /no client 999/],
      [["fault", "set", "flood"], 2, /delay-reply, drop-connection/],
      [["fault", "set", "crash-at"], 2, /point is one of/],
      [["fault", "set", "pause-reads", "type=list"], 2, /has no settings/],
      [["fault", "set", "pause-reads"], 125, /WARREN_FAULTS=1/],
    ];
    for (const [args, status, says] of wrong) {
      const answer = await house.warren(["debug", ...args]);
      assert.deepEqual([answer.status, answer.stdout], [status, ""], args.join(" "));
      assert.match(answer.stderr, says);
    }
  },
);

test("debug: frames on the command line, a line each, until Ctrl-C", { timeout: TIMEOUT_MS }, async () => {
  await using house = await started();
  const following = house.start(["debug", "frames"]);
  // It prints nothing until something goes by: ask until it does.
  const client = house.client();
  await waitUntil(
    async () => {
      await client.request("list", {});
      return /← answer {2}\d+ B {2}id=\d+ success=true {2}\{jobs: array\(0\)\}/.test(following.output());
    },
    { what: "a line of an answer" },
  );
  following.child.kill("SIGINT");
  const { status, stdout } = await following.ended;
  assert.equal(status, 130);
  assert.match(stdout, /→ list {2}\d+ B/);
});

test("debug: a stopped process is said to be stopped, within a deadline", { timeout: TIMEOUT_MS }, async () => {
  await using house = await started();
  const { pid } = await house.server();
  {
    using _ = suspended(pid);
    const { status, stderr } = await house.warren(["debug"], { deadlineMs: 10_000 });
    assert.equal(status, 125);
    assert.match(stderr, new RegExp(`does not answer: its process ${pid} is stopped`));
    assert.match(stderr, new RegExp(`kill -CONT ${pid}`));
  }
  assert.equal((await house.warren(["debug"])).status, 0);
});

test("debug: a server that cannot take over says what it waits for", { timeout: TIMEOUT_MS }, async () => {
  await using house = await started();
  const [old] = debugSockets(house);
  const from = variant({ hash: "debug01", newerByMs: 5_000 });
  const primary = await house.server();
  const stopped = suspended(primary.pid);
  const ping = house.start(["ping"], { from });
  const fresh = await waitUntil(() => debugSockets(house).find((name) => name !== old), { what: "its debug socket" });
  const name = fresh.replace("-debug.sock", "");
  const state: DebugState = JSON.parse((await house.warren(["debug", name, "--json"])).stdout);
  assert.deepEqual([state.server, state.phase, state.primary, state.jobs], [name, "starting", false, null]);
  assert.match(state.waits_for.join(), /the server that has the jobs/);
  stopped[Symbol.dispose]();
  assert.equal((await ping.ended).status, 0);
});

test("faults: refused by a server that was started without WARREN_FAULTS=1", { timeout: TIMEOUT_MS }, async () => {
  for (const env of [{}, { WARREN_FAULTS: "0" }]) {
    await using house = await started(env);
    using debug = await DebugView.open(house);
    await assert.rejects(debug.commit({ name: "pause-reads" }), /FAULTS_REFUSED/);
    await assert.rejects(debug.ask({ type: "fault", action: "clear" }), /FAULTS_REFUSED/);
    assert.deepEqual(await debug.ask({ type: "fault", action: "list" }), { faults: [] });
  }
});

test("faults: an answer is late, others are not", { timeout: TIMEOUT_MS }, async () => {
  await using house = await started(FAULTS);
  const set = await house.warren(["debug", "fault", "set", "delay-reply", "delay=400ms", "type=list"]);
  assert.deepEqual([set.status, set.stdout], [0, "delay-reply ms=400 type=list (struck 0 times)\n"]);
  using raw = await RawConnection.open(house);
  const beganMs = performance.now();
  const answers = await Promise.all([raw.ask("list"), raw.ask("ping")]);
  assert.deepEqual(raw.received, answers.toReversed(), "the ping overtakes it");
  assert.ok(performance.now() - beganMs >= 395);
  using debug = await DebugView.open(house);
  assert.equal((await debug.ask({ type: "state" })).faults[0]?.hit_count, 1);
  await house.warren(["debug", "fault", "clear", "delay-reply"]);
  assert.deepEqual((await debug.ask({ type: "fault", action: "list" })).faults, []);
});

test(
  "faults: a connection is cut after the effect, and the repeat gets the first answer",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await started(FAULTS);
    using debug = await DebugView.open(house);
    for (const when of ["before", "after"] as const) {
      await debug.commit({ name: "drop-connection", type: "add", when });
      const { action } = await house.client().request("add", { command: ["true", when], workdir: house.dir, env: [] });
      assert.equal(action, "created");
      await debug.logged(
        ({ kind, event, fields }) => kind === "fault" && event.endsWith("struck") && fields?.when === when,
      );
      assert.deepEqual((await debug.ask({ type: "fault", action: "list" })).faults, [], "once");
    }
    const { jobs } = await house.client().request("list", { workdir: house.dir });
    assert.deepEqual(jobs.map(({ command, run_count }) => [command[1], run_count]).toSorted(), [
      ["after", 1],
      ["before", 1],
    ]);
  },
);

test(
  "faults: the public socket is not read; the debug socket answers all the same",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await started(FAULTS);
    using there = await RawConnection.open(house);
    await there.ask("ping");
    using debug = await DebugView.open(house);
    await debug.commit({ name: "pause-reads" });
    using later = await RawConnection.open(socketOf(house));
    const answers = Promise.all([there.ask("ping"), later.ask("ping")]);
    const { stdout, status } = await house.warren(["debug", "clients", "--json"]);
    assert.equal(status, 0);
    await debug.logged(
      ({ event, fields }) => event === "came" && fields?.client === JSON.parse(stdout).clients.at(-1).id,
    );
    assert.equal(there.received.length + later.received.length, 1, "only the answer from before");
    await debug.ask({ type: "fault", action: "clear" });
    assert.deepEqual(
      (await answers).map(({ success }) => success),
      [true, true],
    );
  },
);

test(
  "faults: killed at a request's points, it answers its client after all, once",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await started(FAULTS);
    for (const point of ["request.received", "request.done"] as const) {
      const victim = await house.server();
      using debug = await DebugView.open(house);
      const { struck } = await debug.commitOnce({ name: "crash-at", point, type: "add" });
      const request = { command: ["true", point], workdir: house.dir, env: [] };
      const { action } = await house.client().request("add", request);
      assert.equal(action, "created");
      await struck;
      assert.notEqual((await house.server()).pid, victim.pid, "another generation answered");
      using next = await DebugView.open(house);
      assert.deepEqual((await next.ask({ type: "fault", action: "list" })).faults, [], "which commits none");
    }
    const { jobs } = await house.client().request("list", { workdir: house.dir });
    assert.deepEqual(
      jobs.map(({ run_count }) => run_count),
      [1, 1],
    );
  },
);

/** Those of an end for good are in the test of a server's end. */
const OF_A_RELOAD = ["ending.drained", "ending.closed", "ending.told"] as const;

for (const point of OF_A_RELOAD)
  test(`faults: killed at ${point} of a reload, the next generation goes on`, { timeout: TIMEOUT_MS }, async () => {
    await using house = await started(FAULTS);
    const { job } = await house.client().request("add", { command: ["sleep", "1000"], workdir: house.dir, env: [] });
    using debug = await DebugView.open(house);
    const { struck } = await debug.commitOnce({ name: "crash-at", point });
    assert.equal((await house.warren(["reload"])).status, 0);
    await struck;
    const after = await house.client().request("get_job", { job_id: job.id });
    assert.deepEqual([after.job.pid, after.job.state], [job.pid, "running"]);
  });
