import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../platform/log.ts";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { Admission } from "./admission.ts";
import { until } from "./proxy/testing/deadline.ts";
import { RawClient } from "./proxy/testing/raw-client.ts";
import { instanceOf, TestFront, tableOf, workerOf, workerTarget } from "./proxy/testing/test-front.ts";
import { NodeWorker } from "./proxy/testing/workers.ts";
import { Door } from "./tls/door.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
/** More than the system takes for a client that does not read. */
const LARGE_BYTES = 20 * 1024 * 1024;
const isGone = (client: RawClient): boolean => client.isEnded || client.isClosed;

/** A data plane that takes no more than `connectionsMax` clients, as a front has it. */
async function limited(connectionsMax: number) {
  const clock = new HandClock();
  const worker = await NodeWorker.start((request, response) => {
    if (request.url !== "/wait") response.end("hello");
  });
  const front = await TestFront.start([worker.port], {
    clock,
    resolve: (request) =>
      request.path === "/large"
        ? { kind: "answer", answer: { status: 200, headers: [], body: Buffer.alloc(LARGE_BYTES) } }
        : workerTarget(request),
  });
  const { plane } = front;
  const limits = { connectionsMax };
  plane.table(tableOf([workerOf([instanceOf(worker.port)])], { limits }));
  const logged: object[] = [];
  const log = { ...silentLog, warn: (event: string, fields = {}) => void logged.push({ event, ...fields }) };
  const door = new Door({ accept: (socket) => plane.accept(socket), limits: () => plane.limits, clock, log });
  const admission = new Admission({ door, plane, clock, log, descriptorsMax: 1_000 });
  const listener = net.createServer((socket) => admission.accept(socket)).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const stop = async (): Promise<void> => {
    await front[Symbol.asyncDispose]();
    await worker[Symbol.asyncDispose]();
    await new Promise((resolve) => listener.close(resolve));
  };
  const { port } = listener.address() as AddressInfo;
  return { clock, worker, front, plane, admission, logged, port, [Symbol.asyncDispose]: stop };
}

test("connections: one too many closes the oldest without a request; those with one go on", async () => {
  await using house = await limited(4);
  assert.equal(house.admission.most, 4);
  const busy = await RawClient.connect(house.port);
  busy.send(GET.replace("/", "/wait"));
  await until("the request", () => house.worker.whole.length === 1);
  const idle: RawClient[] = [];
  for (let index = 0; index < 3; index++) {
    idle.push(await RawClient.connect(house.port));
    await idle[index]!.ask(GET, "hello");
  }
  using next = await RawClient.connect(house.port);
  await next.ask(GET, "hello");
  await until("the oldest idle one's end", () => isGone(idle[0]!));
  assert.deepEqual([busy, ...idle.slice(1)].map(isGone), [false, false, false]);
  assert.deepEqual(house.logged, []);
  for (const client of [busy, ...idle]) client.socket.destroy();
});

test("connections: one whose answer has not gone is not closed for a new one", async () => {
  await using house = await limited(2);
  using slow = await RawClient.connect(house.port);
  slow.socket.pause();
  slow.send(GET.replace("/", "/large"));
  await until("the answer", () => house.front.records.length === 1);
  using idle = await RawClient.connect(house.port);
  await idle.ask(GET, "hello");
  using next = await RawClient.connect(house.port);
  await next.ask(GET, "hello");
  assert.ok(isGone(idle));
  slow.socket.resume();
  await until("the whole", () => slow.receivedBytes > LARGE_BYTES || isGone(slow));
  assert.ok(slow.receivedBytes > LARGE_BYTES);
});

test("connections: where all have a request a new one is refused, and it is said once", async () => {
  await using house = await limited(3);
  const busy: RawClient[] = [];
  for (let index = 0; index < 3; index++) {
    busy.push(await RawClient.connect(house.port));
    busy[index]!.send(GET.replace("/", "/wait"));
    await until("the request", () => house.worker.whole.length === index + 1);
  }
  for (let index = 0; index < 5; index++) {
    using refused = connections(house.port, 1);
    await until("its end", () => refused.sockets[0]!.destroyed);
  }
  assert.deepEqual(house.logged, [{ event: "connections_refused", most: 3, refusedCount: 1 }]);
  assert.deepEqual(busy.map(isGone), [false, false, false]);
  busy[0]!.socket.destroy();
  await until("room", () => house.plane.connectionCount === 2);
  using next = await RawClient.connect(house.port);
  await next.ask(GET, "hello");
  for (const client of busy) client.socket.destroy();
});

/** The front as a process with so many descriptors. */
async function started(descriptors: number, ...args: string[]) {
  const script = join(import.meta.dirname, "testing/limited-front.ts");
  const command = `ulimit -n ${descriptors}; exec "$@"`;
  const child = spawn("sh", ["-c", command, "sh", process.execPath, script, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [, port = "", most = ""] = await matched(() => said, /^port (\d+) most (\d+)/m);
  return { child, port: Number(port), most: Number(most), said: () => said, [Symbol.asyncDispose]: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.stdin!.end();
  await exited;
}

async function matched(text: () => string, pattern: RegExp): Promise<RegExpExecArray> {
  await until(String(pattern), () => pattern.test(text()));
  return pattern.exec(text())!;
}

function connections(port: number, count: number): { sockets: net.Socket[] } & Disposable {
  const sockets = Array.from({ length: count }, () => net.connect(port, "127.0.0.1").on("error", () => {}));
  return {
    sockets,
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

test("connections: a front takes as many as its descriptors allow, and serves on among more", async () => {
  await using front = await started(256);
  assert.equal(front.most, 96);
  using _flood = connections(front.port, 400);
  for (let round = 0; round < 3; round++) {
    using client = await RawClient.connect(front.port);
    await client.ask(GET, "here");
  }
  front.child.kill("SIGUSR2");
  const [, count = ""] = await matched(front.said, /^connections (\d+)/m);
  assert.ok(Number(count) <= 96, count);
  assert.doesNotMatch(front.said(), /error/);
});

test("connections: where descriptors run out all the same, the front neither ends nor spins, and serves again", async () => {
  await using front = await started(64, "--unlimited");
  const flood = connections(front.port, 200);
  await until("the flood's end", () => flood.sockets.some(({ destroyed }) => destroyed));
  front.child.kill("SIGUSR2");
  const [, count = "", cpuBefore = ""] = await matched(front.said, /^connections (\d+) cpu (\d+)/m);
  assert.ok(Number(count) < 64 && Number(count) > 16, count);
  await new Promise((resolve) => setTimeout(resolve, 300)); // what it uses in a while of nothing
  front.child.kill("SIGUSR2");
  const [, , , cpuAfter = ""] = await matched(front.said, /^connections (\d+) cpu (\d+)\nconnections \d+ cpu (\d+)/m);
  assert.ok(Number(cpuAfter) - Number(cpuBefore) < 200_000, `${cpuBefore} → ${cpuAfter} µs`);
  flood[Symbol.dispose]();
  await until("an answer", () => front.child.exitCode === null);
  using client = await RawClient.connect(front.port);
  await client.ask(GET, "here");
});
