import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Job, Session } from "../src/protocol/units.ts";
import { suspended } from "./harness/faults.ts";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { descriptorsOf, ended, killProcess } from "./harness/processes.ts";
import { type Message, RawConnection, socketOf } from "./harness/raw-connection.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** What a stranger may write to the socket, and what a client may rely on. Nothing of it ends the server or another client. */
const isProof = process.env.WARREN_PROOF === "1";
const TIMEOUT_MS = 60_000;
const PROOF_TIMEOUT_MS = 600_000;
const MEBIBYTE = 1024 * 1024;

test("protocol: bad input gets a code, and the connection goes on", { timeout: TIMEOUT_MS }, async () => {
  await using house = await served();
  using raw = await RawConnection.open(house);
  const cases: [line: string | Uint8Array, code: string, says: RegExp][] = [
    ["{\n", "BAD_JSON", /"\{"/],
    ["[1,2]\n", "BAD_JSON", /\[1,2\]/],
    ["null\n", "BAD_JSON", /null/],
    ["42\n", "BAD_JSON", /42/],
    [Buffer.concat([Buffer.from([0, 255, 254, 1, 2, 27, 91]), Buffer.from("\n")]), "BAD_JSON", /JSON/],
    ['{"type":"lits"}\n', "UNKNOWN_TYPE", /lits.*list/],
    ['{"payload":{}}\n', "UNKNOWN_TYPE", /type/],
    ['{"type":7}\n', "UNKNOWN_TYPE", /7/],
    ['{"type":"__proto__"}\n', "UNKNOWN_TYPE", /__proto__/],
    ['{"type":"constructor"}\n', "UNKNOWN_TYPE", /constructor/],
    ['{"type":"add","payload":{"workdir":"/","env":[]}}\n', "INVALID_PAYLOAD", /command/],
    ['{"type":"add","payload":{"command":"ls","workdir":"/","env":[]}}\n', "INVALID_PAYLOAD", /command/],
    ['{"type":"add","payload":{"command":["ls"],"workdir":7,"env":[]}}\n', "INVALID_PAYLOAD", /workdir/],
    ['{"type":"add","payload":{"command":["ls"],"workdir":"/","env":[1]}}\n', "INVALID_PAYLOAD", /env/],
    ['{"type":"list","payload":[]}\n', "INVALID_PAYLOAD", /payload/],
    ['{"type":"stop","payload":{"job_id":7}}\n', "INVALID_PAYLOAD", /job_id/],
    ['{"type":"subscribe","payload":{"since":{"jobs":"x"}}}\n', "INVALID_PAYLOAD", /since/],
    ['{"type":"subscribe","payload":{"streams":["nonsense"]}}\n', "UNKNOWN_STREAM", /nonsense/],
    ['{"type":"signal","payload":{"job_id":"9zz","signal":"TREM"}}\n', "UNKNOWN_SIGNAL", /TERM/],
    ['{"type":"get_job","payload":{"job_id":"9zz"}}\n', "JOB_NOT_FOUND", /9zz/],
    ['{"type":"hello","payload":{"protocol":{"min":9,"max":12},"client":"future"}}\n', "PROTOCOL_MISMATCH", /too old/],
    ['{"type":"hello","payload":{"protocol":{"min":0,"max":0},"client":"past"}}\n', "PROTOCOL_MISMATCH", /too old/],
  ];
  for (const [line, code, says] of cases) {
    const at = raw.received.length;
    raw.write(line);
    const answer = await raw.next((message) => raw.received.indexOf(message) >= at);
    const shown = `${Buffer.from(line).toString()} → ${JSON.stringify(answer)}`;
    assert.equal(answer.success, false, shown);
    assert.equal(answer.code, code, shown);
    assert.match(answer.error ?? "", says, shown);
    assert.doesNotMatch(answer.error ?? "", /\n {4}at /, shown);
  }
  await raw.ask("hello", { protocol: { min: 1, max: 1 }, client: "test" });
  const withId = await raw.ask("add", { command: [] });
  assert.equal(withId.code, "INVALID_PAYLOAD");
  assert.equal((await raw.ask("ping")).success, true);
  assert.deepEqual((await raw.ask("list")).data, { jobs: [] }, "nothing was changed");
});

test(
  "protocol: unknown fields are let through, and empty lines and CRLF are no messages",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await served();
    using raw = await RawConnection.open(house);
    raw.write('\n\r\n  \n{"id":"a","type":"ping","payload":{"new":1},"newer":[2]}\r\n');
    const answer = await raw.next(() => true);
    assert.deepEqual(answer, { id: "a", success: true, data: { message: "pong" } });
  },
);

test("protocol: a message in pieces, many in one piece, and half a one", { timeout: TIMEOUT_MS }, async () => {
  await using house = await served();
  using raw = await RawConnection.open(house);
  for (const byte of Buffer.from('{"id":1,"type":"ping"}\n')) raw.write(Buffer.from([byte]));
  await raw.next(({ id }) => id === 1);
  raw.write(Array.from({ length: 1_000 }, (_, at) => `{"id":${at + 2},"type":"ping"}\n`).join(""));
  await raw.next(({ id }) => id === 1_001);
  assert.equal(raw.received.length, 1_001);
  raw.write('{"id":2000,"type":"add","payload":{"command":["sleep","77"],"workdir":"/","env":[]}}');
  raw.socket.end();
  await raw.closed;
  using other = await RawConnection.open(house);
  assert.deepEqual((await other.ask("list")).data, { jobs: [] }, "half a request does nothing");
});

test(
  "protocol: a line of 100 MB is refused early, costs no memory, and ends that connection alone",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await served();
    using other = await RawConnection.open(house);
    using raw = await RawConnection.open(house);
    const server = await house.server();
    const before = residentBytes(server.pid);
    const chunk = Buffer.alloc(MEBIBYTE, "x");
    for (let sent = 0; sent < 100 && !raw.socket.destroyed; sent += 1) {
      if (!raw.socket.write(chunk)) await Promise.race([once(raw.socket, "drain").catch(() => {}), raw.closed]);
    }
    assert.equal((await raw.next(() => true)).code, "LINE_TOO_LONG");
    await raw.closed;
    assert.equal((await other.ask("ping")).success, true);
    assert.equal((await house.server()).pid, server.pid);
    assert.ok(residentBytes(server.pid) < before + 40 * MEBIBYTE, "memory did not grow with the line");
  },
);

test(
  "protocol: a client that vanishes in the middle of a request takes nothing with it",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await served();
    for (let round = 0; round < 50; round += 1) {
      const raw = await RawConnection.open(house);
      raw.write(
        `${JSON.stringify({ id: 1, type: "add", payload: { command: ["sleep", `${500 + round}`], workdir: house.dir, env: envOf(house) }, request_id: `vanish-${round}` })}\n`,
      );
      raw.write(
        `${JSON.stringify({ id: 2, type: "wait", payload: { job_id: "nothing", conditions: [{ kind: "exit" }] } })}\n`,
      );
      if (round % 2 === 0) raw.socket.end();
      else raw.socket.destroy();
    }
    using raw = await RawConnection.open(house);
    await waitUntil(
      async () => {
        const { jobs } = (await raw.ask("list")).data as { jobs: Job[] };
        return jobs.every(({ state }) => state === "running");
      },
      { what: "what was asked for to run whole, or not at all" },
    );
    assert.equal((await raw.ask("status")).data?.client_count, 1);
  },
);

const STORMS_MAX = 6;
/** Half a kilobyte a connection would be more. */
const isNothing = (grownMebibytes: number): boolean => grownMebibytes < 5;

test(
  "protocol: thousands of connects and drops leave no descriptor and no memory behind",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await served();
    const { pid } = await house.server();
    const count = 10_000;
    const storm = async (connections: number): Promise<void> => {
      let left = connections;
      const lane = async (): Promise<void> => {
        while (left-- > 0) {
          const raw = await RawConnection.open(house);
          if (left % 3 === 0) raw.write('{"type":"subscribe"}\n{"ty');
          raw.socket.destroy();
        }
      };
      await Promise.all(Array.from({ length: 100 }, lane));
    };
    await storm(count); // brings the heap to its working size
    await settled(house);
    const descriptorsBefore = descriptorsOf(pid).length;
    // What leaks, leaks in each storm; what only grows to its working size has a storm that adds nothing.
    const grown: number[] = [];
    for (let before = residentBytes(pid); grown.length < STORMS_MAX && !grown.some(isNothing); ) {
      await storm(count);
      await settled(house);
      const now = residentBytes(pid);
      grown.push((now - before) / MEBIBYTE);
      before = now;
    }
    assert.equal((await house.server()).pid, pid, "the same process");
    await waitUntil(() => descriptorsOf(pid).length <= descriptorsBefore, {
      what: `descriptors to return to ${descriptorsBefore}`,
    });
    assert.ok(grown.some(isNothing), `grew by ${grown.map(Math.round).join(", ")} MiB`);
  },
);

test(
  "protocol: one stopped subscriber among a thousand delays nobody, is cut off, and continues by since",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await served();
    const subscribers = await Promise.all(
      Array.from({ length: isProof ? 1_000 : 300 }, () => RawConnection.open(house)),
    );
    using all = new DisposableStack();
    for (const one of subscribers) all.use(one);
    await Promise.all(subscribers.map((one) => one.ask("subscribe", { types: ["run_stopped"] })));
    const { pid } = await house.server();
    const descriptors = descriptorsOf(pid).length;

    const slow = spawn(process.execPath, ["-e", SUBSCRIBER, socketOf(house)], { stdio: ["ignore", "pipe", "inherit"] });
    using _slow = { [Symbol.dispose]: () => slow.kill("SIGKILL") };
    const [hello] = (await once(slow.stdout, "data")) as [Buffer];
    const since = (JSON.parse(hello.toString()) as Message & { data: { streams: { jobs: { seq: number } } } }).data
      .streams.jobs.seq;
    {
      using _stopped = suspended(slow.pid!);
      // Events that only the stopped one wants, each as large as a line may nearly be.
      using driver = await RawConnection.open(house);
      const description = "d".repeat(200_000);
      const job = { command: ["true"], workdir: house.dir, env: envOf(house), name: "loud", description };
      for (let round = 0; round < 12; round += 1) {
        const seen = subscribers[0]!.events().length;
        const { data } = await driver.ask("add", job);
        const { id } = data!.job as Job;
        await driver.ask("wait", { job_id: id, conditions: [{ kind: "exit" }] });
        await Promise.all(
          subscribers.map((one) =>
            waitUntil(() => one.events().length > seen, { what: "an event at every other subscriber" }),
          ),
        );
      }
      await waitUntil(async () => Number((await driver.ask("status")).data?.client_count) === subscribers.length + 1, {
        what: "the stopped one to be cut off",
      });
      assert.ok(Number((await driver.ask("status")).data?.queued_bytes) < MEBIBYTE, "nothing is held for it");
    }
    assert.ok(descriptorsOf(pid).length <= descriptors + 2);
    using back = await RawConnection.open(house);
    const answer = await back.ask("subscribe", { since: { jobs: since } });
    const { seq, snapshot } = (answer.data as { streams: { jobs: { seq: number; snapshot: unknown } } }).streams.jobs;
    assert.equal(snapshot, null, "it continues");
    await back.next((message) => message.seq === seq);
    assert.deepEqual(
      back.events().map((event) => event.seq),
      range(since + 1, seq),
    );
  },
);

test(
  "protocol: a repeat of request_id gets the first answer, also across SIGKILL",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await served();
    const add = { command: ["sleep", "600"], workdir: house.dir, env: envOf(house) };
    const first = await RawConnection.open(house);
    const [one, same] = await Promise.all([
      first.ask("add", add, { request_id: "once" }),
      first.ask("add", add, { request_id: "once" }),
    ]);
    assert.deepEqual([one.data?.action, same.data?.action], ["created", "created"], "joined while in hand");
    const again = await first.ask("add", add, { request_id: "once" });
    assert.equal(again.data?.action, "created");
    assert.equal((await first.ask("add", add, { request_id: "another" })).data?.action, "already_running");
    const { id } = one.data!.job as Job;
    const stop = await first.ask("stop", { job_id: id }, { request_id: "stop-once" });
    assert.equal(stop.data?.stopped, true);
    const created = await first.ask(
      "create",
      { command: ["true"], workdir: house.dir, name: "made" },
      { request_id: "make" },
    );

    const fox = { command: ["true"], workdir: house.dir, env: envOf(house), name: "fox" };
    await first.ask("session.new", fox);
    await first.ask("session.wait", { session: "fox", conditions: [{ kind: "exit" }] });
    const gone = await first.ask("session.remove", { session: "fox" }, { request_id: "remove-once" });
    assert.equal((gone.data?.session as Session).name, "fox");

    const server = await house.server();
    killProcess(server);
    await ended(server);
    using second = await RawConnection.open(house);
    assert.deepEqual(
      (await second.ask("session.remove", { session: "fox" }, { request_id: "remove-once" })).data,
      gone.data,
    );
    assert.equal(
      (await second.ask("session.remove", { session: "fox" }, { request_id: "remove-twice" })).code,
      "SESSION_NOT_FOUND",
    );
    const repeated = await second.ask("add", add, { request_id: "once" });
    assert.equal(repeated.data?.action, "created");
    assert.equal((repeated.data!.job as Job).run_count, 1, "no second run");
    assert.equal((await second.ask("stop", { job_id: id }, { request_id: "stop-once" })).data?.stopped, true);
    const make = await second.ask(
      "create",
      { command: ["true"], workdir: house.dir, name: "made" },
      { request_id: "make" },
    );
    assert.equal((make.data!.job as Job).id, (created.data!.job as Job).id);
    assert.equal(((await second.ask("list")).data as { jobs: Job[] }).jobs.length, 2);
  },
);

test(
  "protocol: an add whose answer was lost to SIGKILL is made once, whatever the instant",
  { timeout: isProof ? PROOF_TIMEOUT_MS : TIMEOUT_MS },
  async () => {
    await using house = await served();
    for (let round = 0; round < (isProof ? 100 : 12); round += 1) {
      const add = { command: ["sleep", `${1_000 + round}`], workdir: house.dir, env: envOf(house) };
      const raw = await RawConnection.open(house);
      const server = await house.server();
      raw.write(`${JSON.stringify({ id: 1, type: "add", payload: add, request_id: `lost-${round}` })}\n`);
      await new Promise((wake) => setTimeout(wake, (round % 12) * 0.7));
      killProcess(server);
      await ended(server);
      using next = await RawConnection.open(house);
      const answer = await next.ask("add", add, { request_id: `lost-${round}` });
      assert.equal(answer.success, true, JSON.stringify(answer));
      assert.equal(answer.data?.action, "created");
      const runs = (): number =>
        house.processes("other").filter(({ argv }) => argv[0] === "sleep" && argv[1] === `${1_000 + round}`).length;
      await waitUntil(() => runs() > 0, { what: "the command to be executed" }); // the answer comes a moment before
      assert.equal(runs(), 1, `round ${round}`);
      await next.ask("stop", { job_id: (answer.data!.job as Job).id, force: true });
    }
  },
);

test(
  "protocol: subscribe gives a snapshot, then everything after it; since continues; a lost place is a gap",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await served();
    using driver = await RawConnection.open(house);
    const run = async (command: string[], workdir = house.dir): Promise<Job> => {
      const { data } = await driver.ask("add", { command, workdir, env: envOf(house) });
      const { data: waited } = await driver.ask("wait", {
        job_id: (data!.job as Job).id,
        conditions: [{ kind: "exit" }],
      });
      return waited!.job as Job;
    };
    const job = await run(["true"]);
    using all = await RawConnection.open(house);
    const { seq, snapshot, gap } = streamOf(await all.ask("subscribe"));
    assert.deepEqual(
      (snapshot as { jobs: Job[] }).jobs.map(({ id }) => id),
      [job.id],
    );
    assert.equal(gap, undefined);
    using filtered = await RawConnection.open(house);
    await filtered.ask("subscribe", { types: ["run_stopped"], workdir: "/" });
    using byId = await RawConnection.open(house);
    await byId.ask("subscribe", { job_ids: [job.id], types: ["run_started", "run_stopped"] });

    await run(["true"]);
    const elsewhere = await run(["sh", "-c", "exit 3"], "/");
    const last = streamOf(await driver.ask("subscribe")).seq;
    await all.next((message) => message.seq === last);
    assert.deepEqual(
      all.events().map((event) => event.seq),
      range(seq + 1, last),
      "all, once, in order",
    );
    await filtered.next(({ event }) => event !== undefined);
    assert.deepEqual(
      filtered.events().map(({ event, job_id }) => [event, job_id]),
      [["run_stopped", elsewhere.id]],
    );
    assert.deepEqual(
      byId.events().map(({ event, job_id }) => [event, job_id]),
      [
        ["run_started", job.id],
        ["run_stopped", job.id],
      ],
    );

    using later = await RawConnection.open(house);
    assert.deepEqual(streamOf(await later.ask("subscribe", { since: { jobs: seq } })), { seq: last, snapshot: null });
    await later.next((message) => message.seq === last);
    assert.deepEqual(later.events(), all.events(), "the same events, byte for byte");
    using upToDate = await RawConnection.open(house);
    assert.deepEqual(streamOf(await upToDate.ask("subscribe", { since: { jobs: last } })), {
      seq: last,
      snapshot: null,
    });
    using fromTheFuture = await RawConnection.open(house);
    const ahead = streamOf(await fromTheFuture.ask("subscribe", { since: { jobs: last + 1_000 } }));
    assert.equal(ahead.gap, true, "a place that does not exist is a gap");
    assert.ok(ahead.snapshot);

    await later.ask("unsubscribe");
    await run(["true"]);
    await all.next((message) => (message.seq ?? 0) > last);
    assert.equal(later.events().at(-1)?.seq, last, "unsubscribed");
  },
);

/** Subscribes to everything, and says what the answer was. */
const SUBSCRIBER = `const s = require("node:net").connect(process.argv[1]);
s.write('{"id":1,"type":"subscribe"}\\n');
s.once("data", (d) => process.stdout.write(String(d).split("\\n")[0] + "\\n"));
s.on("data", () => {}); s.on("close", () => process.exit(0)); s.on("error", () => {});`;

async function served(): Promise<TemporaryHome> {
  const house = temporaryHome();
  const { status, stderr } = await house.warren(["ping"]);
  assert.equal(status, 0, stderr);
  return house;
}

/** What clients left is cleared away. */
async function settled(house: TemporaryHome): Promise<void> {
  using raw = await RawConnection.open(house);
  await waitUntil(async () => (await raw.ask("status")).data?.client_count === 1, { what: "one client", everyMs: 50 });
}

const envOf = (house: TemporaryHome): string[] => [`PATH=${house.env.PATH}`, `WARREN_HOME=${house.home}`];

const streamOf = ({ data }: Message) =>
  (data as { streams: { jobs: { seq: number; snapshot: unknown; gap?: boolean } } }).streams.jobs;

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
