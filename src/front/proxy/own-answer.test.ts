import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import type { Resolver, Responder, ResponseWriter } from "./responder.ts";
import { parseAnswers } from "./testing/answers.ts";
import { until, within } from "./testing/deadline.ts";
import { RawClient } from "./testing/raw-client.ts";
import { instanceOf, TestFront, tableOf, workerOf } from "./testing/test-front.ts";
import { NodeWorker } from "./testing/workers.ts";

const request = (fields = "", method = "GET", version = "HTTP/1.1"): string =>
  `${method} /a ${version}\r\nHost: a\r\n${fields}\r\n`;
const CLOSE = "Connection: close\r\n";
const responding = (respond: Responder): { resolve: Resolver } => ({ resolve: () => ({ kind: "responder", respond }) });

async function answerTo(sent: string, resolve: Resolver, method = "GET") {
  await using front = await TestFront.start([], { resolve });
  using client = await RawClient.connect(front.port);
  client.send(sent);
  const answers = parseAnswers(await client.closed(), [method]);
  assert.equal(answers.length, 1);
  await front.settled();
  return { ...answers[0]!, error: client.error };
}

test("an answer of our own: with its length and date; HEAD without its body; UTF-8", async () => {
  const resolve: Resolver = () => ({
    kind: "answer",
    answer: {
      status: 404,
      headers: [
        ["x-a", "b"],
        ["content-length", "99"],
      ],
      body: "né",
    },
  });
  const answer = await answerTo(request(CLOSE), resolve);
  assert.equal(answer.status, 404);
  assert.equal(Buffer.from(answer.body, "latin1").toString(), "né");
  assert.equal(answer.headers.get("content-length"), "3");
  assert.match(answer.headers.get("date")!, /GMT$/);
  const head = await answerTo(request(CLOSE, "HEAD"), resolve, "HEAD");
  assert.equal(head.headers.get("content-length"), "3");
});

test("answers of our own keep the connection, but for a request with a body, which nobody reads", async () => {
  await using front = await TestFront.start([], {
    resolve: () => ({ kind: "answer", answer: { status: 200, headers: [], body: "own" } }),
  });
  using client = await RawClient.connect(front.port);
  await client.ask(request(), "own");
  await client.ask(request(), "own");
  client.send(request("Content-Length: 1000000\r\n", "POST"));
  await client.receive("the third", (text) => text.split("own").length === 4);
  client.send(Buffer.alloc(1_000_000));
  assert.match(await client.closed(), /connection: close/);
  assert.equal(client.error, undefined);
});

test("a responder: chunks without a length, close in HTTP/1.0, exactly what it says with one", async () => {
  const chunked = responding((_request, response) => {
    response.head(200, [["content-type", "text/plain"]]);
    response.write("ab");
    response.write(Buffer.from("c"));
    response.end("d");
  });
  const one = await answerTo(request(CLOSE), chunked.resolve);
  assert.equal(one.body, "abcd");
  assert.equal(one.headers.get("transfer-encoding"), "chunked");
  const old = await answerTo(request("", "GET", "HTTP/1.0"), chunked.resolve);
  assert.equal(old.body, "abcd");
  const head = await answerTo(request(CLOSE, "HEAD"), chunked.resolve, "HEAD");
  assert.equal(head.body, "");
  const sized = (text: string) =>
    responding((_request, response) => {
      response.head(200, [["content-length", "3"]]);
      response.end(text);
    }).resolve;
  assert.equal((await answerTo(request(CLOSE), sized("abc"))).isWhole, true);
  assert.equal((await answerTo(request(CLOSE), sized("ab"))).isWhole, false);
  assert.equal((await answerTo(request(CLOSE), sized("abcd"))).body, "");
});

test("a responder that throws, at once or later: 500 before its head, cut after it", async () => {
  const thrown: Responder[] = [
    () => {
      throw new Error("at once");
    },
    async () => {
      await Promise.resolve();
      throw new Error("later");
    },
    (_request, response) => response.end("no head"),
    (_request, response) => response.head(200, [["bad name", "x"]]),
    (_request, response) => response.head(200, [["x", "a\r\nb: c"]]),
  ];
  for (const respond of thrown) assert.equal((await answerTo(request(CLOSE), responding(respond).resolve)).status, 500);
  const amid = await answerTo(
    request(),
    responding(async (_request, response) => {
      response.head(200, []);
      response.write("abc");
      await Promise.resolve();
      throw new Error("amid");
    }).resolve,
  );
  assert.equal(amid.status, 200);
  assert.equal(amid.isWhole, false);
});

test("a responder is held up by a client that does not read, and hears of one that goes", async () => {
  let writer: ResponseWriter | undefined;
  let written = 0;
  const ended = Promise.withResolvers<void>();
  const { resolve } = responding(async (_request, response) => {
    writer = response;
    response.head(200, []);
    response.signal.addEventListener("abort", () => ended.resolve(), { once: true });
    while (response.isOpen) {
      written += 65_536;
      if (!response.write(Buffer.alloc(65_536))) await response.ready();
    }
  });
  await using front = await TestFront.start([], { resolve });
  using client = await RawClient.connect(front.port);
  client.socket.pause();
  client.send(request());
  await until("a full queue", () => (writer?.queuedBytes ?? 0) > 256 * 1024);
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  const before = written;
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(written, before);
  assert.ok(writer!.queuedBytes < 512 * 1024);
  client.socket.resume();
  await until("more", () => written > before + 1_000_000);
  client.socket.destroy();
  await within("the abort", ended.promise);
  assert.equal(writer!.isOpen, false);
  assert.equal(writer!.write("x"), false);
  await front.settled();
});

test("a client that pipelines and does not read is not answered on and on", async () => {
  await using front = await TestFront.start([], {
    resolve: () => ({ kind: "answer", answer: { status: 200, headers: [], body: "x".repeat(10_000) } }),
  });
  using client = await RawClient.connect(front.port);
  client.socket.pause();
  client.send(request().repeat(4_000));
  await until("a client that is not read", () => front.sockets[0]?.isPaused() === true);
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(front.sockets[0]!.writableLength < 512 * 1024, `${front.sockets[0]!.writableLength}`);
  client.socket.resume();
  await until("all answers", () => front.records.length === 4_000 && client.receivedBytes > 40_000_000);
});

const LARGE_BYTES = 20 * 1024 * 1024;

/** A client that has asked for more than the system takes, and does not read yet. */
async function unread(fields = "") {
  const clock = new HandClock();
  const front = await TestFront.start([], {
    clock,
    resolve: () => ({ kind: "answer", answer: { status: 200, headers: [], body: Buffer.alloc(LARGE_BYTES) } }),
  });
  const client = await RawClient.connect(front.port);
  client.socket.pause();
  client.send(request(fields));
  await until("the answer", () => front.records.length === 1);
  const whole = async (): Promise<void> => {
    client.socket.resume();
    await until("the whole", () => client.receivedBytes > LARGE_BYTES || client.isClosed);
    assert.ok(client.receivedBytes > LARGE_BYTES);
    await until("an empty queue", () => front.sockets[0]!.writableLength === 0);
  };
  const stop = async (): Promise<void> => {
    client[Symbol.dispose]();
    await front[Symbol.asyncDispose]();
  };
  return { clock, front, client, whole, [Symbol.asyncDispose]: stop };
}

test("a connection whose answer has not gone is not idle; it is from then on", async () => {
  await using reader = await unread();
  reader.clock.pass(290_000);
  await reader.whole();
  reader.clock.pass(74_000);
  assert.equal(reader.client.isEnded, false);
  reader.clock.pass(2_000);
  await reader.client.closed();
  await reader.front.settled();
});

test("an answer that ends its connection is read to its end, however slowly", async () => {
  await using reader = await unread(CLOSE);
  reader.clock.pass(290_000);
  await reader.whole();
  await reader.client.closed();
  await reader.front.settled();
});

test("a client that has not taken its answer after 300 s is cut off", async () => {
  for (const fields of ["", CLOSE]) {
    await using reader = await unread(fields);
    reader.clock.pass(299_000);
    assert.equal(reader.front.plane.connectionCount, 1);
    reader.clock.pass(2_000);
    await reader.front.settled();
  }
});

test("a transform: its length is known or not, its fields are changed, and a request's too", async () => {
  await using worker = await NodeWorker.start((incoming, response) => {
    response.setHeader("etag", "x");
    if (incoming.url === "/chunked") response.write("<p>");
    response.end("</p>");
  });
  for (const [path, addedBytes, expected] of [
    ["/", 1, "length"],
    ["/", undefined, "chunked"],
    ["/chunked", 1, "chunked"],
  ] as const) {
    await using front = await TestFront.start([], {
      resolve: () => ({
        kind: "worker",
        worker: "app",
        target: path,
        edits: [
          ["accept-encoding", "identity"],
          ["cookie", undefined],
        ],
        transform: (asked, { status, field }) => {
          assert.equal(status, 200);
          assert.equal(field("etag"), "x");
          assert.equal(asked.field("accept-encoding"), "gzip");
          return {
            addedBytes,
            edits: [
              ["etag", undefined],
              ["x-changed", "yes"],
            ],
            push: (chunk) => Buffer.from(chunk.toString().toUpperCase()),
            end: () => Buffer.from("!"),
          };
        },
      }),
    });
    front.plane.table(tableOf([workerOf([instanceOf(worker.port)])]));
    using client = await RawClient.connect(front.port);
    client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nCookie: c\r\n${CLOSE}\r\n`);
    const [answer] = parseAnswers(await client.closed());
    assert.equal(answer!.body, path === "/" ? "</P>!" : "<P></P>!");
    assert.equal(answer!.headers.has("content-length"), expected === "length");
    assert.equal(answer!.headers.get("x-changed"), "yes");
    assert.equal(answer!.headers.has("etag"), false);
    const { headers } = worker.whole.at(-1)!;
    assert.equal(headers["accept-encoding"], "identity");
    assert.equal(headers.cookie, undefined);
  }
});

test("a transform that throws ends its own exchange, and nothing else", async () => {
  await using worker = await NodeWorker.start();
  for (const broken of ["push", "end"] as const) {
    await using front = await TestFront.start([], {
      resolve: ({ path }) => ({
        kind: "worker",
        worker: "app",
        target: path,
        transform: () =>
          path === "/good"
            ? undefined
            : {
                addedBytes: 0,
                push: (chunk) => (broken === "push" ? fail() : chunk),
                end: () => fail(),
              },
      }),
    });
    front.plane.table(tableOf([workerOf([instanceOf(worker.port)])]));
    using client = await RawClient.connect(front.port);
    client.send(request());
    await client.closed();
    using other = await RawClient.connect(front.port);
    await other.ask("GET /good HTTP/1.1\r\nHost: a\r\n\r\n", "hello");
    assert.deepEqual(front.plane.stats().inFlight, {});
  }
});

function fail(): never {
  throw new Error("a transform's mistake");
}
