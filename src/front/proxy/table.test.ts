import assert from "node:assert/strict";
import type http from "node:http";
import { test } from "node:test";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import type { FrontWorker } from "../../protocol/front-messages.ts";
import type { Resolver } from "./responder.ts";
import { parseAnswers } from "./testing/answers.ts";
import { until } from "./testing/deadline.ts";
import { RawClient } from "./testing/raw-client.ts";
import { instanceOf, TestFront, tableOf, workerOf } from "./testing/test-front.ts";
import { NodeWorker, RawWorker } from "./testing/workers.ts";

const request = (path: string, method = "GET"): string => `${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** Answers when it is told to. */
async function startGated(): Promise<NodeWorker & { answers: http.ServerResponse[] }> {
  const answers: http.ServerResponse[] = [];
  return Object.assign(await NodeWorker.start((_request, response) => answers.push(response)), { answers });
}

const held = (other: Partial<FrontWorker> = {}): FrontWorker => workerOf([], { state: "held", ...other });

async function asking(front: TestFront, count: number, what: (index: number) => string): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  const before = front.plane.stats().waiting.app ?? 0;
  for (let index = 0; index < count; index++) {
    const client = await RawClient.connect(front.port);
    clients.push(client);
    client.send(what(index));
    await until("one more that waits", () => front.plane.stats().waiting.app === before + index + 1);
  }
  return clients;
}

test("held: requests wait with their bodies unread, and go on in the order in which they came", async () => {
  await using worker = await NodeWorker.start((_request, response, seen) =>
    response.end(`${seen.url} ${seen.body.length}`),
  );
  await using front = await TestFront.start();
  front.plane.table(tableOf([held()]));
  const body = "x".repeat(1_000_000);
  const clients = await asking(
    front,
    5,
    (index) => `POST /${index} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await until("clients that are not read", () => front.sockets.every((socket) => socket.isPaused()));
  assert.ok(front.sockets.every(({ bytesRead }) => bytesRead < 400_000));
  front.plane.worker(workerOf([instanceOf(worker.port)]), [], 2);
  for (const [index, client] of clients.entries())
    await client.receive("an answer", (text) => text.endsWith(`/${index} 1000000`));
  assert.deepEqual(
    worker.seen.map(({ url }) => url),
    ["/0", "/1", "/2", "/3", "/4"],
  );
  assert.deepEqual(
    front.told.map((told) => (told.type === "waiting" ? told.count : told.type)),
    ["applied", 1, "applied", 0],
  );
  for (const client of clients) client[Symbol.dispose]();
});

test("held: one more than 1,000 and the oldest gets 503; at the time's end the oldest first", async () => {
  const clock = new HandClock();
  await using front = await TestFront.start([], { clock });
  front.plane.table(tableOf([held({ holdMs: 5_000, reason: "It is being built." })]));
  // One connection's pipelined requests wait one after the other: each needs its own.
  const clients = await asking(front, 1_000, (index) => request(`/${index}`));
  clock.pass(1_000);
  const one = await RawClient.connect(front.port);
  one.send(request("/last"));
  await until("the oldest's answer", () => clients[0]!.text !== "");
  const [shed] = parseAnswers(clients[0]!.text);
  assert.equal(shed!.status, 503);
  assert.equal(shed!.headers.get("retry-after"), "1");
  assert.equal(clients[1]!.text, "");
  assert.deepEqual(front.plane.stats().waiting, { app: 1_000 });
  clock.pass(4_000);
  await until("the answers of the rest", () => clients.every(({ text }) => text !== ""));
  assert.match(parseAnswers(clients[999]!.text)[0]!.body, /It is being built/);
  assert.equal(one.text, "");
  assert.deepEqual(front.plane.stats().waiting, { app: 1 });
  clock.pass(1_250);
  await until("the last one's answer", () => one.text !== "");
  assert.deepEqual(
    front.toldOf("waiting").map(({ count }) => count),
    [1, 0],
  );
  for (const client of [...clients, one]) client[Symbol.dispose]();
});

test("held without a limit: as long as it takes; a client that goes does not wait any more", async () => {
  const clock = new HandClock();
  await using front = await TestFront.start([], { clock });
  front.plane.table(tableOf([held()]));
  const [client] = await asking(front, 1, () => request("/"));
  clock.pass(24 * 3_600_000);
  assert.equal(client!.text, "");
  client!.socket.end();
  await until("nobody that waits", () => front.plane.stats().waiting.app === undefined);
  assert.equal(front.records[0]!.status, 0);
});

test("held, then failed, gone or taken out of the table: each goes by what resolves it then", async () => {
  let worker: FrontWorker | undefined = held();
  const resolve: Resolver = ({ path }) => {
    if (worker === undefined) return { kind: "answer", answer: { status: 404, headers: [], body: "none" } };
    if (worker.state === "failed") return { kind: "answer", answer: { status: 500, headers: [], body: "page" } };
    return { kind: "worker", worker: "app", target: path };
  };
  for (const [next, body] of [
    [workerOf([], { state: "failed" }), "page"],
    [workerOf([], { state: "gone", reason: "It was taken away." }), "It was taken away.\n"],
    [undefined, "none"],
  ] as const) {
    await using front = await TestFront.start([], { resolve });
    worker = held();
    front.plane.table(tableOf([worker]));
    const [client] = await asking(front, 1, () => request("/"));
    worker = next;
    if (next === undefined) front.plane.table(tableOf([], { revision: 2 }));
    else front.plane.worker(next, [], 2);
    await client!.receive("an answer", (text) => text.endsWith(body));
    assert.deepEqual(front.plane.stats().waiting, {});
    assert.equal(front.toldOf("waiting").at(-1)!.count, 0);
    client![Symbol.dispose]();
  }
});

test("invariant 2: drained is said once for each table, when nothing is in flight, and never before", async () => {
  await using old = await startGated();
  await using next = await startGated();
  await using front = await TestFront.start();
  front.plane.table(tableOf([workerOf([instanceOf(old.port, "old")])]));
  using first = await RawClient.connect(front.port);
  using second = await RawClient.connect(front.port);
  first.send(request("/1"));
  second.send(request("/2"));
  await until("both", () => old.answers.length === 2);
  const newTable = tableOf([workerOf([instanceOf(next.port, "new")])], { revision: 2, draining: ["old", "unknown"] });
  front.plane.table(newTable);
  const drained = () => front.toldOf("drained").map(({ instance }) => instance);
  assert.deepEqual(
    front.told.map((told) => (told.type === "drained" ? told.instance : told.type)),
    ["applied", "applied", "unknown"],
  );
  using third = await RawClient.connect(front.port);
  third.send(request("/3"));
  await until("the third at the new one", () => next.answers.length === 1);
  old.answers[0]!.end("one");
  await first.receive("one", (text) => text.endsWith("one"));
  assert.deepEqual(drained(), ["unknown"]);
  assert.deepEqual(front.plane.stats().inFlight, { old: 1, new: 1 });
  // The first's connection goes on, to the new one.
  first.send(request("/4"));
  await until("the fourth at the new one", () => next.answers.length === 2);
  old.answers[1]!.end("two");
  await second.receive("two", (text) => text.endsWith("two"));
  assert.deepEqual(drained(), ["unknown", "old"]);
  front.plane.table(newTable);
  assert.deepEqual(drained(), ["unknown", "old", "old", "unknown"]);
  assert.equal(old.whole.length, 2);
});

test("an instance that serves again does not drain; one that another worker's change drains does", async () => {
  await using old = await startGated();
  await using front = await TestFront.start();
  const serving = workerOf([instanceOf(old.port, "old")]);
  front.plane.table(tableOf([serving]));
  using client = await RawClient.connect(front.port);
  client.send(request("/1"));
  await until("it", () => old.answers.length === 1);
  front.plane.worker(held(), ["old"], 2);
  front.plane.worker(workerOf([], { name: "other", state: "gone" }), [], 3);
  front.plane.worker(serving, [], 4);
  old.answers[0]!.end("one");
  await client.receive("one", (text) => text.endsWith("one"));
  assert.deepEqual(front.toldOf("drained"), []);
  client.send(request("/2"));
  await until("the second", () => old.answers.length === 2);
  front.plane.worker(held(), ["old"], 5);
  front.plane.worker(workerOf([], { name: "other", state: "gone" }), [], 6);
  old.answers[1]!.end("two");
  await until("drained", () => front.toldOf("drained").length === 1);
});

test("a table that does not have an instance among those that drain is not told of it", async () => {
  await using old = await startGated();
  await using front = await TestFront.start();
  front.plane.table(tableOf([workerOf([instanceOf(old.port, "old")])]));
  using client = await RawClient.connect(front.port);
  client.send(request("/1"));
  await until("it", () => old.answers.length === 1);
  front.plane.table(tableOf([held()], { revision: 2, draining: ["old"] }));
  front.plane.table(tableOf([held()], { revision: 3 }));
  old.answers[0]!.end("one");
  await client.receive("one", (text) => text.endsWith("one"));
  assert.deepEqual(front.toldOf("drained"), []);
});

test("several instances: the one with the least in flight gets the next", async () => {
  await using one = await startGated();
  await using two = await startGated();
  await using front = await TestFront.start([one.port, two.port]);
  const clients: RawClient[] = [];
  for (let index = 0; index < 6; index++) {
    const client = await RawClient.connect(front.port);
    clients.push(client);
    client.send(request(`/${index}`));
    await until("it", () => one.answers.length + two.answers.length === index + 1);
  }
  assert.equal(one.answers.length, 3);
  for (const answer of one.answers.splice(0)) answer.end("x");
  await until("the answers", () => front.records.length === 3);
  for (let index = 0; index < 3; index++) {
    const client = await RawClient.connect(front.port);
    clients.push(client);
    client.send(request("/more"));
    await until("it", () => one.answers.length === index + 1);
  }
  for (const client of clients) client[Symbol.dispose]();
});

test("close: what is still open is cut after the spread, and a request without effect goes to another", async () => {
  const clock = new HandClock();
  await using old = await startGated();
  await using next = await NodeWorker.start();
  await using front = await TestFront.start([], { clock });
  front.plane.table(tableOf([workerOf([instanceOf(old.port, "old")])]));
  using get = await RawClient.connect(front.port);
  using post = await RawClient.connect(front.port);
  get.send(request("/get"));
  post.send(request("/post", "POST"));
  await until("both", () => old.answers.length === 2);
  front.plane.worker(workerOf([instanceOf(next.port, "new")]), ["old"], 2);
  front.plane.close("old", 1_000);
  clock.pass(750);
  assert.deepEqual(front.toldOf("drained"), []);
  clock.pass(500);
  assert.deepEqual(
    front.toldOf("drained").map(({ instance }) => instance),
    ["old"],
  );
  await get.receive("an answer", (text) => text.endsWith("hello"));
  await post.receive("an answer", (text) => text !== "");
  assert.equal(parseAnswers(post.text)[0]!.status, 502);
  assert.equal(next.whole.length, 1);
  clock.pass(250);
  assert.deepEqual(front.toldOf("trouble"), [], "it was we who closed");
});

test("an address that changes: nothing new goes to the one before; what is in flight there ends, or is cut with the rest", async () => {
  const clock = new HandClock();
  await using before = await RawWorker.start((socket, received) => {
    if (received.startsWith("GET")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  });
  await using after = await NodeWorker.start();
  await using front = await TestFront.start([], { clock });
  const at = (port: number): FrontWorker => workerOf([instanceOf(port, "elsewhere")], { kind: "url" });
  front.plane.table(tableOf([at(before.port)]));
  using post = await RawClient.connect(front.port);
  post.send(request("/post", "POST"));
  await until("the request", () => before.received.length === 1);
  using get = await RawClient.connect(front.port);
  await get.ask(request("/"), "hello");
  front.plane.worker(at(after.port), [], 2);
  await until("the end of the one that waits", () => before.sockets[1]!.destroyed);
  await get.ask(request("/"), "hello");
  assert.equal(after.whole.length, 1);
  assert.equal(before.sockets[0]!.destroyed, false);
  front.plane.closeAll(0);
  clock.pass(250);
  await post.receive("an answer", (text) => text !== "");
  assert.equal(parseAnswers(post.text)[0]!.status, 502);
});

test("close all: at every worker's instances, and at those of sessions", async () => {
  const clock = new HandClock();
  await using one = await startGated();
  await using other = await startGated();
  await using session = await startGated();
  await using front = await TestFront.start([], {
    clock,
    resolve: ({ path }) =>
      path === "/session"
        ? { kind: "session", name: "fox", host: "127.0.0.1", port: session.port, target: path }
        : { kind: "worker", worker: path === "/one" ? "app" : "other", target: path },
  });
  const workers = [workerOf([instanceOf(one.port)]), workerOf([instanceOf(other.port, "other-1")], { name: "other" })];
  front.plane.table(tableOf(workers));
  const clients: RawClient[] = [];
  for (const path of ["/one", "/other", "/session"]) {
    const client = await RawClient.connect(front.port);
    client.send(request(path, "POST"));
    clients.push(client);
  }
  await until("all", () => [one, other, session].every(({ answers }) => answers.length === 1));
  front.plane.closeAll(1_000);
  clock.pass(750);
  assert.equal(front.records.length, 0);
  clock.pass(500);
  for (const client of clients) {
    await client.receive("an answer", (text) => text !== "");
    assert.equal(parseAnswers(client.text)[0]!.status, 502);
    client.socket.destroy();
  }
});

test("trusted proxies and limits hold from the table on, for open connections too", async () => {
  await using worker = await NodeWorker.start();
  await using front = await TestFront.start([worker.port]);
  using client = await RawClient.connect(front.port);
  const asked = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n\r\n";
  await client.ask(asked, "hello");
  front.plane.table(tableOf([workerOf([instanceOf(worker.port)])], { trustedProxies: ["127.0.0.0/8"] }));
  await client.ask(asked, "hello");
  const [before, after] = worker.whole.map(({ headers }) => [headers["x-forwarded-for"], headers["x-forwarded-proto"]]);
  assert.deepEqual(before, ["127.0.0.1", "http"]);
  assert.deepEqual(after, ["9.9.9.9, 127.0.0.1", "https"]);
});

test("a loop ends with 508 at the eleventh time", async () => {
  // A worker whose instance is the front itself.
  await using front = await TestFront.start();
  front.plane.table(tableOf([workerOf([instanceOf(front.port)])]));
  using client = await RawClient.connect(front.port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  assert.equal(parseAnswers(await client.closed())[0]!.status, 508);
  assert.equal(front.plane.stats().requests, 11);
});

test("drain: answers end their connections, and it is over when the last has gone", async () => {
  await using worker = await startGated();
  await using front = await TestFront.start([worker.port]);
  using busy = await RawClient.connect(front.port);
  using idle = await RawClient.connect(front.port);
  busy.send(request("/busy"));
  await until("it", () => worker.answers.length === 1 && front.plane.stats().connections === 2);
  let isOver = false;
  const over = front.plane.drain().then(() => {
    isOver = true;
  });
  idle.send(request("/idle"));
  await until("the late one", () => worker.answers.length === 2);
  worker.answers[1]!.end("idle");
  assert.match(await idle.closed(), /connection: close\r\n/);
  assert.equal(isOver, false);
  worker.answers[0]!.end("busy");
  assert.match(await busy.closed(), /connection: close\r\n/);
  await over;
});
