import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { test } from "node:test";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { parseAnswers } from "./testing/answers.ts";
import { until } from "./testing/deadline.ts";
import { RawClient } from "./testing/raw-client.ts";
import { instanceOf, TestFront, tableOf, workerOf } from "./testing/test-front.ts";
import { NodeWorker, RawWorker } from "./testing/workers.ts";

const request = (method: string, fields = ""): string => `${method} /a HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A port at which nobody listens. */
async function deadPort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Requests that a worker has begun to read, by their heads. */
const runs = (worker: RawWorker): number => worker.received.join("").split(" HTTP/1.1\r\n").length - 1;

interface DeathCase {
  name: string;
  method: string;
  body?: string;
  /** What the worker does with the first request, before it is gone. */
  dies: (socket: net.Socket) => void;
  /** What the client gets; "cut": an answer that is not whole. */
  gets: number | "cut";
  /** How often the two workers together begin to read it. */
  runs: number;
}

const reset = (socket: net.Socket) => socket.resetAndDestroy();
const DEATHS: DeathCase[] = [
  { name: "GET, reset before an answer", method: "GET", dies: reset, gets: 200, runs: 2 },
  { name: "GET, closed before an answer", method: "GET", dies: (socket) => socket.end(), gets: 200, runs: 2 },
  { name: "HEAD, reset", method: "HEAD", dies: reset, gets: 200, runs: 2 },
  { name: "OPTIONS, reset", method: "OPTIONS", dies: reset, gets: 200, runs: 2 },
  { name: "GET with a body, reset", method: "GET", body: "abc", dies: reset, gets: 502, runs: 1 },
  { name: "POST, reset", method: "POST", dies: reset, gets: 502, runs: 1 },
  { name: "POST with a body, reset", method: "POST", body: "abc", dies: reset, gets: 502, runs: 1 },
  { name: "PUT, closed", method: "PUT", body: "abc", dies: (socket) => socket.end(), gets: 502, runs: 1 },
  { name: "DELETE, reset", method: "DELETE", dies: reset, gets: 502, runs: 1 },
  {
    name: "GET, reset after one byte of an answer",
    method: "GET",
    dies: (socket) => socket.write("H", () => socket.end()),
    gets: 502,
    runs: 1,
  },
  {
    name: "GET, reset after an interim answer",
    method: "GET",
    dies: (socket) => socket.write("HTTP/1.1 103 Early Hints\r\n\r\n", () => socket.end()),
    gets: 502,
    runs: 1,
  },
  {
    name: "GET, closed within the body",
    method: "GET",
    dies: (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", () => socket.end()),
    gets: "cut",
    runs: 1,
  },
];

test("a worker that dies: what the client gets, and how often the request is run, in each phase", async () => {
  for (const { name, method, body = "", dies, gets, runs: expectedRuns } of DEATHS) {
    let isDead = false;
    await using first = await RawWorker.start((socket, received) => {
      if (isDead || !received.endsWith(`\r\n\r\n${body}`)) return;
      isDead = true;
      dies(socket);
    });
    await using second = await RawWorker.start((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write(method === "HEAD" ? OK.slice(0, -2) : OK);
    });
    await using front = await TestFront.start([first.port]);
    using client = await RawClient.connect(front.port);
    // From here on the next one serves; what is in flight is the first one's.
    client.send(request(method, body === "" ? "" : `Content-Length: ${body.length}\r\n`) + body);
    front.plane.table(tableOf([workerOf([instanceOf(first.port)])]));
    await until("the request at the first", () => runs(first) === 1);
    front.plane.table(tableOf([workerOf([instanceOf(second.port, "app-2")])], { draining: ["app-1"] }));
    await until(name, () => front.records.length === 1);
    client.socket.end();
    const answers = parseAnswers(await client.closed(), [method]).filter(({ status }) => status >= 200);
    assert.equal(answers.length, 1, name);
    assert.equal(answers[0]!.isWhole ? answers[0]!.status : "cut", gets, name);
    assert.equal(runs(first) + runs(second), expectedRuns, name);
    assert.deepEqual(
      front.toldOf("drained").map(({ instance }) => instance),
      ["app-1"],
      name,
    );
  }
});

test("a request that ends whoever reads it ends two at most", async () => {
  const killed = (socket: net.Socket, received: string): void => {
    if (received.endsWith("\r\n\r\n")) socket.resetAndDestroy();
  };
  await using first = await RawWorker.start(killed);
  await using second = await RawWorker.start(killed);
  await using third = await RawWorker.start(killed);
  const workers = [first, second, third];
  await using front = await TestFront.start(workers.map(({ port }) => port));
  using client = await RawClient.connect(front.port);
  client.send(request("GET", "Connection: close\r\n"));
  assert.equal(parseAnswers(await client.closed())[0]!.status, 502);
  assert.deepEqual(workers.map(runs).sort(), [0, 1, 1]);
});

test("one that lives and loses each connection of a request gets it three times at most, and another's program twice", async () => {
  for (const [worker, times] of [
    [{}, 3],
    [{ kind: "url" }, 2],
  ] as const) {
    await using loser = await RawWorker.start((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.resetAndDestroy();
    });
    await using front = await TestFront.start([loser.port]);
    front.plane.table(tableOf([workerOf([instanceOf(loser.port)], worker)]));
    using client = await RawClient.connect(front.port);
    client.send(request("GET", "Connection: close\r\n"));
    assert.equal(parseAnswers(await client.closed())[0]!.status, 502);
    assert.equal(runs(loser), times);
  }
});

test("a worker that takes a connection while it dies: what has no effect waits for its successor", async () => {
  await using dying = await RawWorker.start((socket, received) => {
    if (!received.endsWith("\r\n\r\n")) return;
    if (runs(dying) === 1) return void socket.write(OK);
    if (runs(dying) === 3) dying.server.close();
    socket.resetAndDestroy();
  });
  await using front = await TestFront.start([dying.port]);
  using client = await RawClient.connect(front.port);
  await client.ask(request("GET"), "ok");
  client.send(request("GET", "Connection: close\r\n"));
  await until(
    "the request to wait, or to be given up",
    () => front.toldOf("waiting").length + front.records.length > 1,
  );
  await using next = await RawWorker.start((socket, received) => {
    if (received.endsWith("\r\n\r\n")) socket.write(OK);
  });
  front.plane.table(tableOf([workerOf([instanceOf(next.port, "app-2")])]));
  assert.equal(parseAnswers(await client.closed()).at(-1)!.status, 200);
  assert.deepEqual([runs(dying), runs(next)], [3, 1]);
});

test("a worker that is killed takes all its connections along: what has no effect waits for the next one", async () => {
  let isDying = false;
  const dying = await RawWorker.start((socket, received) => {
    if (!received.endsWith("\r\n\r\n")) return;
    // Those that wait in the gateway are as dead as the first; the system has not told of them yet.
    if (isDying) return void socket.resetAndDestroy();
    if (runs(dying) === 2) for (const each of dying.sockets) each.write(OK); // both at a time, so that there are two
  });
  const port = dying.port;
  await using front = await TestFront.start([port]);
  const clients = [await RawClient.connect(front.port), await RawClient.connect(front.port)];
  await Promise.all(clients.map((one) => one.ask(request("GET"), "ok")));
  isDying = true;
  dying.server.close(); // takes no more; what is open stays
  clients[0]!.send(request("GET", "Connection: close\r\n"));
  const waits = (): boolean => front.toldOf("waiting").length > 0;
  await until("the request to wait, or to be given up", () => waits() || front.records.length === 3);
  await using next = await RawWorker.start((socket, received) => {
    if (received.endsWith("\r\n\r\n")) socket.write(OK);
  });
  front.plane.table(tableOf([workerOf([instanceOf(next.port, "app-2")])]));
  assert.equal(parseAnswers(await clients[0]!.closed()).at(-1)!.status, 200);
  assert.deepEqual([runs(dying), runs(next)], [3, 1]);
  for (const one of clients) one[Symbol.dispose]();
});

test("an answer before the request's end: what is half sent is followed by nobody's request", async () => {
  await using worker = await RawWorker.start((socket, received) => {
    if (received.includes("POST") && received.endsWith("half")) socket.write(OK);
    if (received.startsWith("GET")) socket.write(OK);
  });
  await using front = await TestFront.start([worker.port]);
  using client = await RawClient.connect(front.port);
  client.send(`${request("POST", "Content-Length: 100\r\n")}half`);
  await client.receive("the answer", (text) => text.endsWith("ok"));
  using other = await RawClient.connect(front.port);
  await other.ask(request("GET"), "ok");
  assert.equal(worker.received.length, 2);
  assert.doesNotMatch(worker.received[0]!, /GET/);
});

test("an answer that breaks off is cut by a reset where its end would be taken for the whole", async () => {
  await using worker = await RawWorker.start((socket) => {
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  });
  await using front = await TestFront.start([worker.port]);
  using client = await RawClient.connect(front.port);
  client.send("GET / HTTP/1.0\r\n\r\n");
  await client.receive("a part", (text) => text.endsWith("abc"));
  worker.sockets[0]!.end();
  await until("the cut", () => client.isClosed);
  assert.equal(client.error, "ECONNRESET");
});

test("a refused connection: any method goes to the next instance, body and all, once", async () => {
  await using worker = await NodeWorker.start((_request, response, seen) => response.end(`got ${seen.body}`));
  const dead = await deadPort();
  await using front = await TestFront.start();
  front.plane.table(tableOf([workerOf([instanceOf(dead, "dead"), instanceOf(worker.port, "alive")])]));
  for (let round = 0; round < 4; round++) {
    using client = await RawClient.connect(front.port);
    await client.ask(`${request("POST", "Content-Length: 3\r\n")}abc`, "got abc");
  }
  assert.equal(worker.whole.length, 4);
  assert.deepEqual(front.plane.stats().inFlight, {});
});

test("nobody takes a connection: requests wait, in order, and go on when somebody does", async () => {
  const clock = new HandClock();
  const port = await deadPort();
  await using front = await TestFront.start([port], { clock });
  const clients: RawClient[] = [];
  for (let index = 0; index < 3; index++) {
    const client = await RawClient.connect(front.port);
    clients.push(client);
    client.send(`${`POST /${index} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n`}x`);
    await until("one more that waits", () => front.plane.stats().waiting.app === index + 1);
  }
  clock.pass(250);
  await until("a try", () => front.plane.stats().inFlight["app-1"] === undefined);
  assert.deepEqual(front.plane.stats().waiting, { app: 3 });
  assert.deepEqual(
    front.toldOf("waiting").map(({ count }) => count),
    [1],
  );
  await using worker = await RawWorker.start((socket, received) => {
    if (received.endsWith("\r\n\r\nx")) socket.write(OK);
  }, port);
  clock.pass(250);
  for (const client of clients) await client.receive("an answer", (text) => text.endsWith("ok"));
  assert.equal(worker.received.length, 3);
  assert.match(worker.received[0]!, /^POST \/0 /);
  assert.deepEqual(
    front.toldOf("waiting").map(({ count }) => count),
    [1, 0],
  );
  clock.pass(250);
  assert.ok(front.toldOf("trouble")[0]!.refused >= 1);
  for (const client of clients) client[Symbol.dispose]();
});

test("nobody takes a connection for 30 s: 503, and when to come again", async () => {
  const clock = new HandClock();
  await using front = await TestFront.start([await deadPort()], { clock });
  using client = await RawClient.connect(front.port);
  client.send(request("POST", "Content-Length: 1\r\n"));
  await until("one that waits", () => front.plane.stats().waiting.app === 1);
  // A try at each look; it has to be over before the next.
  for (let ms = 0; ms < 30_500; ms += 250) {
    clock.pass(250);
    await until("the try's end", () => front.inFlight === 0);
  }
  const [answer] = parseAnswers(await client.closed());
  assert.equal(answer!.status, 503);
  assert.equal(answer!.headers.get("retry-after"), "1");
  assert.equal(front.plane.stats().waiting.app, undefined);
});

test("what is elsewhere, or a session's program, is not waited for", async () => {
  const dead = await deadPort();
  await using front = await TestFront.start([], {
    resolve: ({ path }) =>
      path === "/session"
        ? { kind: "session", name: "fox", host: "127.0.0.1", port: dead, target: "/" }
        : { kind: "worker", worker: "app", target: path },
  });
  front.plane.table(tableOf([workerOf([instanceOf(dead)], { kind: "url" })]));
  for (const [path, status] of [
    ["/session", 503],
    ["/url", 502],
  ] as const) {
    using client = await RawClient.connect(front.port);
    client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    assert.equal(parseAnswers(await client.closed())[0]!.status, status, path);
  }
});

test("a session's program is found at either address of localhost, whatever the method", async (t) => {
  const program = http.createServer(async (incoming, answer) =>
    answer.end(`${incoming.method} ${Buffer.concat(await incoming.toArray())}`),
  );
  t.after(() => program.close().closeAllConnections());
  program.listen(0, "::1");
  const isThere = await Promise.race([
    once(program, "listening").then(() => true),
    once(program, "error").then(() => false),
  ]);
  if (!isThere) return t.skip("no IPv6 here");
  const { port } = program.address() as AddressInfo;
  const target = { kind: "session", name: "fox", host: "127.0.0.1", otherHost: "::1", port, target: "/" } as const;
  await using front = await TestFront.start([], { resolve: () => target });
  for (const [head, body] of [
    ["POST / HTTP/1.1\r\nContent-Length: 5", "hello"],
    ["GET / HTTP/1.1", ""],
  ]) {
    using client = await RawClient.connect(front.port);
    client.send(`${head}\r\nHost: fox.localhost\r\nConnection: close\r\n\r\n${body}`);
    const [answer] = parseAnswers(await client.closed());
    assert.deepEqual([answer!.status, answer!.body], [200, `${head!.split(" ")[0]} ${body}`]);
  }
});

test("a connection that the worker closes while it is idle is not taken for a request", async () => {
  const sockets: net.Socket[] = [];
  await using worker = await RawWorker.start((socket, received) => {
    if (received.endsWith("\r\n\r\n")) socket.write(OK);
    sockets.push(socket);
  });
  await using front = await TestFront.start([worker.port]);
  using client = await RawClient.connect(front.port);
  for (let round = 1; round <= 3; round++) {
    await client.ask(request("POST"), "ok");
    sockets.at(-1)!.end();
    const accepted = worker.sockets.length;
    await until("the connection's end", () => worker.sockets[accepted - 1]!.closed);
  }
  assert.equal(worker.sockets.length, 3);
});

test("a request that must not be sent twice takes no connection that has rested for a second", async () => {
  const clock = new HandClock();
  await using worker = await RawWorker.start((socket, received) => {
    if (received.endsWith("\r\n\r\n")) socket.write(OK);
  });
  await using front = await TestFront.start([worker.port], { clock });
  using client = await RawClient.connect(front.port);
  await client.ask(request("GET"), "ok");
  clock.pass(1_250);
  await client.ask(request("GET"), "ok");
  assert.equal(worker.sockets.length, 1);
  clock.pass(1_250);
  await client.ask(request("POST"), "ok");
  assert.equal(worker.sockets.length, 2);
  clock.pass(4_250);
  await until("idle connections closed", () => worker.sockets.every(({ closed }) => closed));
});

test("deadlines: each has its answer", async () => {
  const cases: { name: string; sent: string; waits: number; status: number | "closed" }[] = [
    { name: "no request", sent: "", waits: 75_000, status: "closed" },
    { name: "half a head", sent: "GET / HT", waits: 10_000, status: 408 },
    { name: "half a body", sent: `${request("POST", "Content-Length: 3\r\n")}a`, waits: 30_000, status: 408 },
    {
      name: "half a chunk",
      sent: `${request("POST", "Transfer-Encoding: chunked\r\n")}3\r\na`,
      waits: 30_000,
      status: 408,
    },
    { name: "no answer", sent: request("GET", "Connection: close\r\n"), waits: 60_000, status: 504 },
    {
      name: "no body after 100",
      sent: request("POST", "Expect: 100-continue\r\nContent-Length: 3\r\n"),
      waits: 30_000,
      status: 408,
    },
    {
      name: "no 100",
      sent: request("POST", "Expect: 100-continue\r\nContent-Length: 3\r\n"),
      waits: 60_000,
      status: 504,
    },
  ];
  for (const { name, sent, waits, status } of cases) {
    const clock = new HandClock();
    await using worker = await RawWorker.start((socket) => {
      if (name === "no body after 100") socket.write("HTTP/1.1 100 Continue\r\n\r\n");
    });
    await using front = await TestFront.start([worker.port], { clock });
    using client = await RawClient.connect(front.port);
    client.send(sent);
    await until("the bytes", () => front.sockets[0]?.bytesRead === sent.length);
    if (sent.startsWith("GET /a") || sent.startsWith("POST"))
      await until("the request", () => worker.received.join("").includes("\r\n\r\n"));
    if (name === "no body after 100") await client.receive("100", (text) => text.includes("100 Continue"));
    const before = client.text;
    clock.pass(waits - 500);
    assert.equal(client.isEnded, false, name);
    assert.equal(client.text, before, name);
    clock.pass(1_000);
    const text = await client.closed();
    assert.equal(text === "" ? "closed" : parseAnswers(text).at(-1)!.status, status, name);
    await front.settled();
    clock.pass(250);
    assert.equal(
      front.toldOf("trouble").reduce((sum, { late }) => sum + late, 0),
      status === 504 ? 1 : 0,
      name,
    );
  }
});

test("a body that is too large: by its length before it comes, in chunks when it is", async () => {
  await using worker = await NodeWorker.start();
  await using front = await TestFront.start();
  front.plane.table(tableOf([workerOf([instanceOf(worker.port)])], { limits: { bodyBytesMax: 1_000 } }));
  const chunk = `64\r\n${"x".repeat(100)}\r\n`;
  for (const sent of [
    request("POST", "Content-Length: 1001\r\n"),
    `${request("POST", "Transfer-Encoding: chunked\r\n")}${chunk.repeat(11)}0\r\n\r\n`,
  ]) {
    using client = await RawClient.connect(front.port);
    client.send(sent);
    const answers = parseAnswers(await client.closed());
    assert.deepEqual(
      answers.map(({ status }) => status),
      [413],
    );
  }
  assert.equal(worker.whole.length, 0);
});

test("the same failure for a program: the page is somebody else's to make, and its own mistakes do no harm", async () => {
  await using front = await TestFront.start([], {
    explain: (_request, { code, status }) => {
      if (code === "WORKER_UNKNOWN") return { status, headers: [["x-code", code]], body: "page" };
      throw new Error("no page");
    },
    resolve: ({ path }) => {
      if (path === "/throws") throw new Error("no way");
      return { kind: "worker", worker: "app", target: path };
    },
  });
  using client = await RawClient.connect(front.port);
  const page = await client.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "page");
  assert.match(page, /^HTTP\/1\.1 503 Service Unavailable\r\nx-code: WORKER_UNKNOWN\r\n/);
  client.send("GET /throws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  assert.equal(parseAnswers(await client.closed())[1]!.status, 500);
});
