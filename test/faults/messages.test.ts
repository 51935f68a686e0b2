import assert from "node:assert/strict";
import { once } from "node:events";
import type { Job } from "../../src/protocol/units.ts";
import type { TemporaryHome } from "../harness/home.ts";
import { ended, killProcess } from "../harness/processes.ts";
import { withSeed } from "../harness/random.ts";
import { type Message, RawConnection } from "../harness/raw-connection.ts";
import { waitUntil } from "../harness/wait-until.ts";
import { envOf, jobsOf, MEBIBYTE, residentBytes, test, undisturbed } from "./undisturbed.ts";

/** What may arrive on the socket that no client of ours would send, and what a repeat gets. */
const TIMEOUT_MS = 60_000;

test("messages: what is not a known message gets a code, its id, and the value", { timeout: TIMEOUT_MS }, async () => {
  await using house = await undisturbed();
  using raw = await RawConnection.open(house);
  const cases: [line: string, code: string, says: RegExp][] = [
    ['{"id":7,"type":"add"', "BAD_JSON", /add/],
    ['{"id":7,"type":"add"}}', "BAD_JSON", /add/],
    ["'{}'", "BAD_JSON", /'\{\}'/],
    ['"add"', "BAD_JSON", /add/],
    ["[]", "BAD_JSON", /\[\]/],
    ['{"type":"stopp"}', "UNKNOWN_TYPE", /stopp.*stop/],
    ['{"type":null}', "UNKNOWN_TYPE", /null/],
    ['{"type":"toString"}', "UNKNOWN_TYPE", /toString/],
    [`{"type":"${"x".repeat(100_000)}"}`, "UNKNOWN_TYPE", /x{60}/],
    ['{"type":"subscribe","payload":{"streams":["jobz"]}}', "UNKNOWN_STREAM", /jobz/],
  ];
  for (const [line, code, says] of cases) {
    const answer = await answerTo(raw, line);
    assert.equal(answer.code, code, `${line.slice(0, 80)} → ${JSON.stringify(answer)}`);
    assert.match(answer.error ?? "", says);
    assert.ok((answer.error ?? "").length < 300, "the sentence stays short");
  }
  assert.equal((await raw.ask("nonsense")).code, "UNKNOWN_TYPE", "the answer carries the id of the request");
  assert.deepEqual(await jobsOf(house), []);
});

test(
  "messages: a payload of the wrong type names its field, and changes nothing",
  { timeout: TIMEOUT_MS },
  async () => {
    await using house = await undisturbed();
    using raw = await RawConnection.open(house);
    const good = { command: ["true"], workdir: house.dir, env: [] };
    const cases: [type: string, payload: unknown, field: string][] = [
      ["add", { ...good, command: undefined }, "command"],
      ["add", { ...good, command: "true" }, "command"],
      ["add", { ...good, command: ["true", 7] }, "command.1"],
      ["add", { ...good, workdir: null }, "workdir"],
      ["add", { ...good, env: { PATH: "/bin" } }, "env"],
      ["add", { ...good, timeout_ms: "5s" }, "timeout_ms"],
      ["add", { ...good, timeout_ms: -1 }, "timeout_ms"],
      ["add", { ...good, timeout_ms: 1.5 }, "timeout_ms"],
      ["add", { ...good, labels: { a: 1 } }, "labels.a"],
      ["add", { ...good, restart: { when: "sometimes" } }, "restart.when"],
      ["add", { ...good, owner: { pid: "1", on_death: "kill" } }, "owner.pid"],
      ["stop", {}, "job_id"],
      ["stop", { job_id: ["web"] }, "job_id"],
      ["stop", { job_id: "web", force: "yes" }, "force"],
      ["wait", { job_id: "web", conditions: [{ kind: "moon" }] }, "conditions.0.kind"],
      ["subscribe", { since: { jobs: "last" } }, "since.jobs"],
      ["subscribe", { types: "run_stopped" }, "types"],
      ["list", "everything", ""],
    ];
    for (const [type, payload, field] of cases) {
      const answer = await raw.ask(type, payload);
      const shown = `${type} ${JSON.stringify(payload)} → ${JSON.stringify(answer)}`;
      assert.equal(answer.code, "INVALID_PAYLOAD", shown);
      assert.equal(answer.detail?.field, field, shown);
      assert.match(answer.error ?? "", new RegExp(`^${type}: ${field || "payload"} `), shown);
    }
    assert.deepEqual(await jobsOf(house), []);
  },
);

test("messages: a million bytes of noise are answered line by line", { timeout: TIMEOUT_MS }, async () => {
  await using house = await undisturbed();
  using raw = await RawConnection.open(house);
  await withSeed(async (random) => {
    const noise = Buffer.from(Array.from({ length: 1_000_000 }, () => random.between(0, 255)));
    const lines = noise.toString("utf8").split("\n");
    const half = '{"id":"half","type":"ping"'; // the last line of the noise goes on into it
    raw.write(noise);
    raw.write(`${half}\n`);
    assert.equal((await raw.ask("ping")).success, true);
    const bad = raw.received.filter(({ code }) => code === "BAD_JSON").length;
    assert.equal(bad, lines.slice(0, -1).filter((line) => line.trim() !== "").length + 1);
  });
});

test("messages: 100 MB without a line's end cost one connection and no memory", { timeout: TIMEOUT_MS }, async () => {
  await using house = await undisturbed();
  using beside = await RawConnection.open(house);
  using raw = await RawConnection.open(house);
  const { pid } = await house.server();
  const before = residentBytes(pid);
  const chunk = Buffer.alloc(MEBIBYTE, '{"a":');
  for (let sent = 0; sent < 100 && !raw.socket.destroyed; sent += 1) {
    if (!raw.socket.write(chunk)) await Promise.race([once(raw.socket, "drain").catch(() => {}), raw.closed]);
  }
  const answer = await raw.next(() => true);
  assert.equal(answer.code, "LINE_TOO_LONG");
  assert.match(answer.error ?? "", /1048576/);
  await raw.closed;
  assert.equal((await beside.ask("ping")).success, true);
  assert.ok(residentBytes(pid, "VmHWM") < before + 40 * MEBIBYTE, "memory did not follow the line");
});

test("messages: half a message, then the end: nothing happens", { timeout: TIMEOUT_MS }, async () => {
  await using house = await undisturbed();
  const whole = JSON.stringify({ type: "add", payload: { command: ["sleep", "91"], workdir: "/", env: envOf(house) } });
  for (const end of ["end", "destroy"] as const) {
    for (const length of [1, 20, whole.length - 1, whole.length]) {
      const raw = await RawConnection.open(house);
      await new Promise<void>((resolve) => raw.socket.write(whole.slice(0, length), () => resolve()));
      raw.socket[end]();
      await raw.closed;
    }
  }
  assert.deepEqual(await jobsOf(house), [], "a line without its end is no request");
});

test("messages: a client that vanishes gets its add done, once", { timeout: TIMEOUT_MS }, async () => {
  await using house = await undisturbed();
  const add = (n: number) => ({ command: ["sleep", `${700 + n}`], workdir: house.dir, env: envOf(house) });
  const count = 20;
  for (let n = 0; n < count; n += 1) {
    const raw = await RawConnection.open(house);
    const line = JSON.stringify({ id: 1, type: "add", payload: add(n), request_id: `gone-${n}` });
    await new Promise<void>((resolve) => raw.socket.write(`${line}\n`, () => resolve()));
    raw.socket.destroy();
  }
  using back = await RawConnection.open(house);
  await waitUntil(
    async () => ((await back.ask("list")).data as { jobs: Job[] }).jobs.filter((job) => job.pid > 0).length === count,
    { what: `${count} jobs that nobody waited for` },
  );
  for (let n = 0; n < count; n += 1) {
    const { data } = await back.ask("add", add(n), { request_id: `gone-${n}` });
    assert.deepEqual([data?.action, (data?.job as Job).run_count], ["created", 1]);
  }
});

for (const isKilled of [false, true]) {
  const when = isKilled ? "when the server was killed in between" : "at once";
  test(`messages: a repeat of request_id gets the first answer ${when}`, { timeout: TIMEOUT_MS }, async () => {
    await using house = await undisturbed({ killsServer: isKilled });
    const add = { command: ["sleep", "601"], workdir: house.dir, env: envOf(house) };
    const job_id = await first(house, isKilled, "add", add, (data) => {
      assert.equal(data.action, "created");
      return (data.job as Job).id;
    });
    const env = envOf(house);
    const runId = await first(house, isKilled, "restart", { job_id, env }, (data) => (data.job as Job).run_id);
    assert.equal(runId, `${job_id}-2`, "restarted once");
    await first(house, isKilled, "stop", { job_id }, (data) => [data.stopped, data.pid]);
    assert.equal((await jobsOf(house))[0]?.run_count, 2);
    await first(house, isKilled, "remove", { job_id }, (data) => data);
    assert.deepEqual(await jobsOf(house), []);
  });
}

/** Asks, asks again with the same request_id on another connection, and expects what `of` sees in the answer to be the same. */
async function first<T>(
  house: TemporaryHome,
  isKilled: boolean,
  type: string,
  payload: unknown,
  of: (data: Record<string, unknown>) => T,
): Promise<T> {
  const request_id = `once-${type}`;
  const answer = await ask(house, type, payload, request_id);
  if (isKilled) {
    const server = await house.server();
    killProcess(server);
    await ended(server);
  }
  const again = await ask(house, type, payload, request_id);
  assert.deepEqual(of(again), of(answer), `${type}, repeated`);
  return of(answer);
}

async function ask(house: TemporaryHome, type: string, payload: unknown, request_id: string) {
  using raw = await RawConnection.open(house);
  const answer = await raw.ask(type, payload, { request_id });
  assert.equal(answer.success, true, `${type}: ${JSON.stringify(answer)}`);
  return answer.data ?? {};
}

async function answerTo(raw: RawConnection, line: string): Promise<Message> {
  const at = raw.received.length;
  raw.write(`${line}\n`);
  return raw.next((message) => raw.received.indexOf(message) >= at);
}
