import assert from "node:assert/strict";
import type http from "node:http";
import type net from "node:net";
import { test } from "node:test";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { parseAnswers } from "./testing/answers.ts";
import { until, within } from "./testing/deadline.ts";
import { RawClient } from "./testing/raw-client.ts";
import { TestFront, tableOf } from "./testing/test-front.ts";
import { NodeWorker, RawWorker } from "./testing/workers.ts";

const request = (fields = "", method = "GET", version = "HTTP/1.1"): string =>
  `${method} /a ${version}\r\nHost: a\r\n${fields}\r\n`;

/** A worker that answers each request with these bytes, in pieces; `ends`: and closes. */
const answering = (bytes: string, { size = bytes.length, ends = false } = {}): Promise<RawWorker> =>
  RawWorker.start((socket, received) => {
    if (received.endsWith("\r\n\r\n")) void sendPieces(socket, bytes, size, ends);
  });

async function sendPieces(socket: net.Socket, bytes: string, size: number, ends: boolean): Promise<void> {
  for (let at = 0; at < bytes.length && !socket.destroyed; at += size) {
    socket.write(bytes.slice(at, at + size), "latin1");
    if (size < bytes.length) await new Promise((resolve) => setImmediate(resolve));
  }
  if (ends) socket.end();
}

interface Expected {
  status: number;
  body?: string;
  headers?: Record<string, string | undefined>;
  trailers?: string;
  isWhole?: boolean;
}

interface Case {
  name: string;
  sent: string;
  ends?: boolean;
  method?: string;
  version?: string;
  answers: Expected[];
  /** The client's connection goes on. */
  goesOn: boolean;
  trouble?: string;
}

const OK = "HTTP/1.1 200 OK\r\n";
const LOST: Expected = { status: 502, headers: { connection: undefined } };

const CASES: Case[] = [
  {
    name: "a length",
    sent: `${OK}Content-Length: 3\r\n\r\nabc`,
    answers: [{ status: 200, body: "abc" }],
    goesOn: true,
  },
  {
    name: "chunks and trailers",
    sent: `${OK}Transfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\n1\r\nc\r\n0\r\nX-Sum: 6\r\nSet-Cookie: no\r\n\r\n`,
    answers: [{ status: 200, body: "abc", trailers: "X-Sum: 6\r\n", headers: { "transfer-encoding": "chunked" } }],
    goesOn: true,
  },
  {
    name: "until the end of the connection",
    sent: `${OK}A: b\r\n\r\nabc`,
    ends: true,
    answers: [{ status: 200, body: "abc", headers: { "transfer-encoding": "chunked" } }],
    goesOn: true,
  },
  {
    name: "until the end of the connection, to HTTP/1.0",
    sent: `${OK}A: b\r\n\r\nabc`,
    ends: true,
    version: "HTTP/1.0",
    answers: [{ status: 200, body: "abc", headers: { "transfer-encoding": undefined, connection: "close" } }],
    goesOn: false,
  },
  {
    name: "chunks, to HTTP/1.0",
    sent: `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n`,
    version: "HTTP/1.0",
    answers: [{ status: 200, body: "abc", headers: { "transfer-encoding": undefined, connection: "close" } }],
    goesOn: false,
  },
  {
    name: "of HTTP/1.0",
    sent: "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    answers: [{ status: 200, body: "abc" }],
    goesOn: true,
  },
  {
    name: "HEAD with a length",
    method: "HEAD",
    sent: `${OK}Content-Length: 3\r\n\r\n`,
    answers: [{ status: 200, body: "", headers: { "content-length": "3" } }],
    goesOn: true,
  },
  {
    name: "HEAD with chunks",
    method: "HEAD",
    sent: `${OK}Transfer-Encoding: chunked\r\n\r\n`,
    answers: [{ status: 200, body: "" }],
    goesOn: true,
  },
  {
    name: "204 with a length",
    sent: "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    answers: [{ status: 204, headers: { "content-length": undefined } }],
    goesOn: true,
  },
  {
    name: "304 with a length",
    sent: "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\nETag: x\r\n\r\n",
    answers: [{ status: 304, headers: { etag: "x" } }],
    goesOn: true,
  },
  {
    name: "interim answers",
    sent: `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${OK}Content-Length: 3\r\n\r\nabc`,
    answers: [{ status: 103, headers: { link: "</a>" } }, { status: 102 }, { status: 200, body: "abc" }],
    goesOn: true,
  },
  {
    name: "interim answers, to HTTP/1.0",
    sent: `HTTP/1.1 103 Early Hints\r\n\r\n${OK}Content-Length: 3\r\n\r\nabc`,
    version: "HTTP/1.0",
    answers: [{ status: 200, body: "abc" }],
    goesOn: false,
  },
  {
    name: "the worker's connection fields stay with it",
    sent: `${OK}Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nContent-Length: 3\r\n\r\nabc`,
    answers: [{ status: 200, headers: { connection: undefined, "x-hop": undefined, "keep-alive": undefined } }],
    goesOn: true,
  },
  { name: "no HTTP", sent: "hello there, this is no answer\r\n\r\n", answers: [LOST], goesOn: true, trouble: "bad" },
  {
    name: "two lengths",
    sent: `${OK}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`,
    answers: [LOST],
    goesOn: true,
    trouble: "bad",
  },
  {
    name: "a length and chunks",
    sent: `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    answers: [LOST],
    goesOn: true,
    trouble: "bad",
  },
  {
    name: "a switch that nobody asked for",
    sent: "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    answers: [LOST],
    goesOn: true,
    trouble: "bad",
  },
  {
    name: "interim answers without end",
    sent: "HTTP/1.1 102 Processing\r\n\r\n".repeat(33),
    answers: [...Array.from({ length: 32 }, () => ({ status: 102 })), LOST],
    goesOn: true,
    trouble: "bad",
  },
  {
    name: "a head that is too long",
    sent: `${OK}A: ${"a".repeat(70_000)}\r\n\r\n`,
    answers: [LOST],
    goesOn: true,
    trouble: "bad",
  },
  {
    name: "more than it says",
    sent: `${OK}Content-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
    answers: [{ status: 200, body: "abc" }],
    goesOn: true,
    trouble: "bad",
  },
  {
    name: "less than it says",
    sent: `${OK}Content-Length: 9\r\n\r\nabc`,
    ends: true,
    answers: [{ status: 200, body: "abc", isWhole: false }],
    goesOn: false,
    trouble: "reset",
  },
  {
    name: "chunks without the last",
    sent: `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
    ends: true,
    answers: [{ status: 200, body: "abc", isWhole: false }],
    goesOn: false,
    trouble: "reset",
  },
  {
    name: "a bad chunk",
    sent: `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n`,
    answers: [{ status: 200, body: "abc", isWhole: false }],
    goesOn: false,
    trouble: "bad",
  },
  { name: "half a head", sent: `${OK}Content-Le`, ends: true, answers: [LOST], goesOn: true, trouble: "reset" },
];

async function run(one: Case, size: number): Promise<void> {
  await using worker = await answering(one.sent, { size, ends: one.ends ?? false });
  await using front = await TestFront.start([worker.port]);
  using client = await RawClient.connect(front.port);
  const method = one.method ?? "GET";
  client.send(request("", method, one.version));
  await until(one.name, () => front.records.length === 1);
  if (one.goesOn) {
    // The next on the same connection is answered by the front itself: what the worker sent is over.
    client.send("GET / HTTP/1.1\r\n\r\n");
  }
  const answers = parseAnswers(await client.closed(), [method]);
  const own = one.goesOn ? answers.splice(-1) : [];
  if (one.goesOn) assert.equal(own[0]?.status, 400, one.name);
  assert.equal(answers.length, one.answers.length, `${one.name}: ${JSON.stringify(client.text.slice(0, 400))}`);
  for (const [index, expected] of one.answers.entries()) {
    const answer = answers[index]!;
    assert.equal(answer.status, expected.status, one.name);
    if (expected.body !== undefined) assert.equal(answer.body, expected.body, one.name);
    assert.equal(answer.trailers, expected.trailers ?? "", one.name);
    assert.equal(answer.isWhole, expected.isWhole ?? true, one.name);
    for (const [name, value] of Object.entries(expected.headers ?? {}))
      assert.equal(answer.headers.get(name), value, `${one.name}: ${name}`);
  }
  await front.settled();
  // The instance leaves the table: what was seen of it is told before it is forgotten.
  front.plane.table(tableOf([]));
  const { total, ...kinds } = front.toldOf("trouble")[0] ?? { total: 0 };
  const kind = Object.entries(kinds).find(([, count]) => count === 1)?.[0];
  assert.equal(kind, one.trouble, one.name);
  assert.equal(total, one.trouble === undefined ? 0 : 1, one.name);
}

test("answers: each framing, to each kind of client, and what is no answer", async () => {
  for (const one of CASES) await run(one, one.sent.length);
});

test("answers: byte by byte they are what they are at once", async () => {
  for (const one of CASES.filter(({ sent }) => sent.length < 1_000)) await run(one, 1);
});

test("answers: a connection that must not be used again is not", async () => {
  for (const sent of [
    `${OK}Content-Length: 3\r\nConnection: close\r\n\r\nabc`,
    "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    `${OK}Content-Length: 3\r\nKeep-Alive: timeout=1\r\n\r\nabc`,
    `${OK}Content-Length: 3\r\n\r\nabcd`,
  ]) {
    await using worker = await answering(sent);
    await using front = await TestFront.start([worker.port]);
    using client = await RawClient.connect(front.port);
    await client.ask(request(), "abc");
    await client.ask(request(), "abc");
    assert.equal(worker.sockets.length, 2, sent);
  }
});

test("events pass as they are written, each before the next exists", async () => {
  const next: PromiseWithResolvers<void>[] = [];
  await using worker = await NodeWorker.start((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const write = (count: number): void => {
      response.write(`data: ${count}\n\n`);
      const gate = Promise.withResolvers<void>();
      next.push(gate);
      void gate.promise.then(() => (count === 3 ? response.end() : write(count + 1)));
    };
    write(1);
  });
  await using front = await TestFront.start([worker.port]);
  using client = await RawClient.connect(front.port);
  client.send(request());
  for (const count of [1, 2, 3]) {
    await client.receive("an event", (text) => text.includes(`data: ${count}\n\n`));
    assert.equal(next.length, count);
    next[count - 1]!.resolve();
  }
  await client.receive("the end", (text) => text.endsWith("0\r\n\r\n"));
});

/** Events that come when a test says so, for a client of which always so much seems to be under way: over TLS each write is, for a moment. */
async function eventsUnderWay(underWayBytes: () => number) {
  const clock = new HandClock();
  const responses: http.ServerResponse[] = [];
  const worker = await NodeWorker.start((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: 0\n\n");
    responses.push(response);
  });
  const front = await TestFront.start([worker.port], { clock });
  const client = await RawClient.connect(front.port);
  client.send(request());
  await client.receive("the first event", (text) => text.includes("data: 0\n\n"));
  Object.defineProperty(front.sockets[0], "writableLength", { get: underWayBytes });
  const event = async (count: number): Promise<void> => {
    responses[0]!.write(`data: ${count}\n\n`);
    await client.receive("an event", (text) => text.includes(`data: ${count}\n\n`));
  };
  const stop = async (): Promise<void> => {
    client[Symbol.dispose]();
    await front[Symbol.asyncDispose]();
    await worker[Symbol.asyncDispose]();
  };
  return { clock, client, event, [Symbol.asyncDispose]: stop };
}

test("a stream is not cut while its client takes it, though at each look some of it is under way", async () => {
  await using stream = await eventsUnderWay(() => 14);
  for (let count = 1; count <= 40; count++) {
    await stream.event(count);
    stream.clock.pass(10_000);
  }
  assert.equal(stream.client.isEnded, false);
});

test("a stream whose client has taken nothing for 300 s is cut, whatever has come for it", async () => {
  let queuedBytes = 14;
  await using stream = await eventsUnderWay(() => queuedBytes);
  for (let count = 1; count <= 29; count++) {
    await stream.event(count);
    queuedBytes += 14;
    stream.clock.pass(10_000);
  }
  assert.equal(stream.client.isEnded, false);
  stream.clock.pass(20_000);
  await stream.client.closed();
});

test("trailers go on both ways, and TE is ours to send", async () => {
  await using worker = await NodeWorker.start((_request, response) => {
    response.writeHead(200, { trailer: "x-sum" });
    response.write("abc");
    response.addTrailers({ "x-sum": "6" });
    response.end();
  });
  await using front = await TestFront.start([worker.port]);
  using client = await RawClient.connect(front.port);
  client.send(
    "POST /t HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Digest: d\r\nHost: evil\r\n\r\n",
  );
  await client.receive("trailers", (text) => text.endsWith("x-sum: 6\r\n\r\n"));
  const [seen] = worker.whole;
  assert.equal(seen!.body, "ab");
  assert.deepEqual({ ...seen!.trailers }, { "x-digest": "d" });
  assert.equal(seen!.headers.te, "trailers");
  assert.equal(seen!.headers.host, "a");
});

test("Expect: 100-continue is the worker's to answer, and the body comes after it", async () => {
  await using worker = await NodeWorker.start((_request, response, seen) => response.end(`got ${seen.body}`));
  await using front = await TestFront.start([worker.port]);
  using client = await RawClient.connect(front.port);
  client.send(request("Expect: 100-continue\r\nContent-Length: 3\r\n", "POST"));
  await client.receive("100", (text) => text === "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  await client.receive("the answer", (text) => text.endsWith("got abc"));
  assert.equal(worker.whole[0]!.headers.expect, "100-continue");
});

test("an answer before the body's end is read by the client, and the connection closes", async () => {
  await using worker = await RawWorker.start((socket, received) => {
    if (received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
  });
  await using front = await TestFront.start([worker.port]);
  using client = await RawClient.connect(front.port);
  client.send(request("Content-Length: 3000000\r\n", "POST"));
  await client.receive("the answer", (text) => text.endsWith("no"));
  client.send(Buffer.alloc(3_000_000));
  const [answer] = parseAnswers(await client.closed());
  assert.equal(answer!.status, 413);
  assert.equal(answer!.headers.get("connection"), "close");
  assert.equal(client.error, undefined, "no reset");
});

test("5 MB go up in both framings, whole", async () => {
  await using worker = await NodeWorker.start((_request, response, seen) => {
    response.end(`${seen.body.length} ${seen.body.at(-1)}`);
  });
  await using front = await TestFront.start([worker.port]);
  using client = await RawClient.connect(front.port);
  const body = Buffer.alloc(5_000_000, "x");
  body.write("y", body.length - 1);
  client.send(request(`Content-Length: ${body.length}\r\n`, "POST"));
  client.send(body);
  await client.receive("the first", (text) => text.endsWith("5000000 y"));
  client.send(request("Transfer-Encoding: chunked\r\n", "POST"));
  for (let at = 0; at < body.length; at += 70_000) {
    const piece = body.subarray(at, at + 70_000);
    client.send(`${piece.length.toString(16)}\r\n`);
    client.send(piece);
    client.send("\r\n");
  }
  client.send("0\r\n\r\n");
  await until("the second", () => parseAnswers(client.text).length === 2 && client.text.endsWith("5000000 y"));
  assert.equal(front.records[1]!.bytesIn, 5_000_000);
});

const MB_20 = 20 * 1024 * 1024;
const MAX_QUEUED = 256 * 1024 + 2 * 64 * 1024;

test("20 MB for a client that does not read stay with the worker, and come whole when it does", async () => {
  await using worker = await NodeWorker.start((_request, response) => {
    response.writeHead(200, { "content-length": MB_20 });
    response.end(Buffer.alloc(MB_20, "z"));
  });
  await using front = await TestFront.start([worker.port]);
  using client = await RawClient.connect(front.port);
  client.socket.pause();
  client.send(request());
  // What the kernel takes behind the last read is not read anew, so that the queue may rest below its mark.
  let queued = 0;
  let turnsAtRest = 0;
  await until("a queue at rest", () => {
    const length = front.sockets[0]?.writableLength ?? 0;
    turnsAtRest = length > 0 && length === queued ? turnsAtRest + 1 : 0;
    queued = length;
    return turnsAtRest === 500;
  });
  assert.ok(queued > 0 && queued < MB_20 / 4, `${queued} are queued: the rest is with the worker`);
  let most = 0;
  client.socket.on("data", () => {
    most = Math.max(most, front.sockets[0]!.writableLength);
  });
  client.socket.resume();
  await until("the whole", () => client.receivedBytes >= MB_20);
  assert.ok(Math.max(queued, most) <= MAX_QUEUED, `${queued} ${most}`);
  assert.equal(parseAnswers(client.text)[0]!.body.length, MB_20);
});

test("a body for a worker that does not read stays with the client", async () => {
  let isReading = false;
  await using worker = await RawWorker.start((socket) => {
    if (!isReading) socket.pause();
  });
  await using front = await TestFront.start([worker.port]);
  using client = await RawClient.connect(front.port);
  client.send(request(`Content-Length: ${MB_20}\r\n`, "POST"));
  client.send(Buffer.alloc(MB_20));
  await until("a client that is not read", () => front.sockets[0]?.isPaused() === true);
  for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(
    client.socket.writableLength > MB_20 / 4,
    `${client.socket.writableLength} of 20 MB are still the client's`,
  );
  isReading = true;
  worker.sockets[0]!.resume();
  await until("the body", () => worker.received[0]!.length > MB_20);
});

test("a client that goes ends its request at the worker, at once: before an answer, and within one", async () => {
  const closed: PromiseWithResolvers<void>[] = [];
  await using worker = await NodeWorker.start((incoming, response) => {
    const gate = Promise.withResolvers<void>();
    closed.push(gate);
    response.on("close", () => gate.resolve());
    if (incoming.url === "/within") response.write("begun");
  });
  await using front = await TestFront.start([worker.port]);
  for (const path of ["/before", "/within"]) {
    using client = await RawClient.connect(front.port);
    client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const index = closed.length;
    await until("the request", () => closed.length === index + 1);
    if (path === "/within") await client.receive("a part", (text) => text.includes("begun"));
    client.socket.end();
    await within("the worker's notice", closed[index]!.promise);
  }
  await front.settled();
  assert.deepEqual(
    front.records.map(({ status }) => status),
    [0, 200],
  );
});

test("pipelined answers come in order, and the second is not asked for before the first is whole", async () => {
  const gate = Promise.withResolvers<void>();
  await using worker = await NodeWorker.start((incoming, response) => {
    if (incoming.url === "/slow") void gate.promise.then(() => response.end("slow"));
    else response.end("fast");
  });
  await using front = await TestFront.start([worker.port]);
  using client = await RawClient.connect(front.port);
  client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /fast HTTP/1.1\r\nHost: a\r\n\r\n");
  await until("the first", () => worker.whole.length === 1);
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(worker.whole.length, 1);
  gate.resolve();
  await client.receive("both", (text) => text.endsWith("fast"));
  assert.deepEqual(
    parseAnswers(client.text).map(({ body }) => body),
    ["slow", "fast"],
  );
});

test("2,000 pipelined requests in one piece", async () => {
  await using worker = await NodeWorker.start((_request, response) => response.end("x"));
  await using front = await TestFront.start([worker.port]);
  using client = await RawClient.connect(front.port);
  client.send(request().repeat(2_000));
  await until("all answers", () => front.records.length === 2_000);
  client.send(request("Connection: close\r\n"));
  assert.equal(parseAnswers(await client.closed()).length, 2_001);
});
