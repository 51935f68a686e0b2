import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { test } from "node:test";
import { DEADLINE_MS, Front } from "./testing/front.ts";

const html: http.RequestListener = (request, response) => {
  response.writeHead(200, {
    "content-type": "text/html",
    etag: '"w"',
    "x-encoding": request.headers["accept-encoding"],
  });
  response.write("<p>hi");
  response.end(request.url === "/long" ? `${"x".repeat(500_000)}</body>` : "</p></body>");
};

const SCRIPT =
  /<script src="\/\.warren\/live\.js\?worker=index&amp;front=f1&amp;count=0&amp;version=v1" defer><\/script>\n<\/body>$/;

test("front: a worker's document brings the script, chunked or with a length; anything else passes as it is", async () => {
  await using front = await Front.start((request, response) => {
    if (request.url === "/chunked" || request.url === "/long") return html(request, response);
    const type = request.url === "/json" ? "application/json" : "text/html";
    const body = "<p>hi</p></body>";
    response.writeHead(200, { "content-type": type, "content-length": body.length, etag: '"w"' });
    response.end(body);
  });
  const chunked = await front.get("/chunked", { "accept-encoding": "gzip" });
  assert.match(chunked.body, SCRIPT);
  assert.equal(chunked.headers["x-encoding"], "identity");
  assert.equal(chunked.headers.etag, undefined);
  assert.equal(chunked.headers["cache-control"], "no-store");
  const sized = await front.get("/sized");
  assert.match(sized.body, SCRIPT);
  assert.equal(sized.headers["content-length"], String(sized.body.length));
  const long = await front.get("/long");
  assert.match(long.body, SCRIPT);
  assert.equal(long.body.length, 500_000 + chunked.body.length - "</p>".length);
  const json = await front.get("/json");
  assert.equal(json.body, "<p>hi</p></body>");
  assert.equal(json.headers.etag, '"w"');
});

test("front: files, their parts and conditions, pages, redirects, sessions and the gateway's own paths", async () => {
  const files = {
    "public/a.css": "a { }",
    "public/big.txt": "x".repeat(400_000),
    "public/docs/index.html": "docs</body>",
  };
  await using front = await Front.start((request, response) => void response.end(`worker ${request.url}`), files);
  const css = await front.get("/a.css");
  assert.deepEqual([css.status, css.body, css.headers["content-length"]], [200, "a { }", "5"]);
  const unchanged = await front.get("/a.css", { "if-none-match": css.headers.etag! });
  assert.deepEqual([unchanged.status, unchanged.body], [304, ""]);
  const head = await front.get("/big.txt", {}, "HEAD");
  assert.deepEqual([head.status, head.body, head.headers["content-length"]], [200, "", "400000"]);
  assert.equal((await front.get("/a.css", {}, "HEAD")).headers["content-length"], "5");
  assert.equal((await front.get("/big.txt")).body.length, 400_000);
  const part = await front.get("/big.txt", { range: "bytes=100000-299999" });
  assert.deepEqual([part.status, part.body.length], [206, 200_000]);
  assert.equal((await front.get("/big.txt", { range: "bytes=900000-" })).status, 416);
  assert.equal((await front.get("/docs")).headers.location, "/docs/");
  assert.match((await front.get("/docs/")).body, /^docs<script/);
  assert.equal((await front.get("/a.css/x")).body, "worker /a.css/x");
  assert.equal((await front.get("/other?x=1")).body, "worker /other?x=1");
  assert.equal((await front.get("/%2e%2e/access.log")).status, 400);
  assert.deepEqual(
    [(await front.get("/old/x?y=1")).status, (await front.get("/old/x?y=1")).headers.location],
    [301, "/new/x?y=1"],
  );
  assert.equal((await front.get("/old", { host: "fox.localhost" })).body, "worker /old");
  assert.equal(JSON.parse((await front.get("/health")).body).status, "healthy");
  assert.match(
    (await front.get("/metrics")).body,
    /warren_gateway_requests_total\{worker="index",method="GET",status="2xx"\} \d+/,
  );
  assert.match((await front.get("/.warren/live.js")).body, /EventSource/);
  assert.equal((await front.get("/.warren/none")).status, 404);
});

test("front: a failed build is shown until the next good one, to each in his own form, and events say when", async () => {
  await using front = await Front.start((_request, response) => void response.end("good"));
  const place = { file: "workers/index/src/main.ts", line: 1, column: 2, message: "no <b>", frame: ["> 1 │ x"] };
  const failure = {
    worker: "index",
    at: "T1",
    phase: "build",
    message: "1 error",
    places: [place],
    output: [],
  } as const;
  front.tell({ state: "failed", instances: [], failure: { ...failure, places: [place], output: [] } });
  const page = await front.get("/", { accept: "text/html" });
  assert.equal(page.status, 500);
  assert.match(page.body, /main\.ts:1:2.*no &lt;b&gt;.*version=failed\+T1" defer/s);
  assert.equal(JSON.parse((await front.get("/", { accept: "application/json" })).body).failure.at, "T1");
  assert.match((await front.get("/")).body, /^index cannot be built: 1 error\n/);

  const signal = AbortSignal.timeout(DEADLINE_MS);
  const request = http.get({
    host: "127.0.0.1",
    port: front.port,
    path: "/.warren/live?worker=index",
    agent: false,
    signal,
  });
  const [events] = (await once(request, "response")) as [http.IncomingMessage];
  events.setEncoding("utf8");
  const chunks = events[Symbol.asyncIterator]();
  const next = async (): Promise<string> => (await chunks.next()).value;
  assert.match(await next(), /"version":"failed T1"\}\n\n$/);
  front.tell({
    instances: [
      { id: "index-2", version: "v2", host: "127.0.0.1", port: (front.worker.address() as AddressInfo).port },
    ],
  });
  front.live.reload(["index"]);
  assert.match(await next(), /^event: state\ndata: .*"version":"v2"\}\n\n$/);
  assert.equal((await front.get("/")).body, "good");
  front.live.close();
  assert.equal((await chunks.next()).done, true, "the front's end is the stream's");
});

test("front: a request that waits goes where the next table says", async () => {
  await using front = await Front.start((_request, response) => void response.end("worker"), {
    "public/late.txt": "file",
  });
  front.tell({ state: "held", instances: [] });
  const waiting = front.get("/");
  const until = AbortSignal.timeout(DEADLINE_MS);
  while (front.plane.stats().waiting.index !== 1) {
    until.throwIfAborted();
    await new Promise(setImmediate);
  }
  assert.match(front.observer.metricsText(), /^warren_gateway_waiting\{worker="index"\} 1$/m);
  assert.equal((await front.get("/late.txt")).body, "file", "files do not wait");
  front.tell({ state: "gone", reason: "Stopped by a person." });
  const answer = await waiting;
  assert.equal(answer.status, 503);
  assert.match(answer.body, /Stopped by a person/);
});

test("front: a worker that breaks off is a page, counted and written down", async () => {
  await using front = await Front.start((request) => request.socket.destroy());
  const answer = await front.get("/x?secret=1", { accept: "application/json" }, "POST");
  assert.equal(answer.status, 502);
  assert.equal(JSON.parse(answer.body).code, "CONNECTION_LOST");
  const stats = front.observer.stats();
  assert.equal(stats.workers.index?.failed, 1);
  await front.observer.close();
  const line = JSON.parse(readFileSync(front.accessLogPath, "utf8").trim());
  assert.deepEqual([line.method, line.path, line.status, line.worker], ["POST", "/x", 502, "index"]);
});

test("front: a browser that goes is forgotten", async () => {
  await using front = await Front.start((_request, response) => void response.end());
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const request = http.get({ host: "127.0.0.1", port: front.port, path: "/.warren/live?worker=index", agent: false });
  request.on("error", () => {});
  await once(request, "response", { signal });
  assert.equal(front.live.clientCount, 1);
  request.destroy();
  while (front.live.clientCount > 0) {
    signal.throwIfAborted();
    await new Promise(setImmediate);
  }
});

test("front: a browser that never reads its events is dropped, and the data plane has nothing left of it", async () => {
  await using front = await Front.start((_request, response) => void response.end());
  const socket = net.connect({ port: front.port, host: "127.0.0.1" });
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.pause();
  socket.write("GET /.warren/live?worker=index HTTP/1.1\r\nhost: x\r\n\r\n");
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const paths = Array.from({ length: 1_000 }, (_, at) => `/${"x".repeat(100)}${at}.css`);
  for (let wasThere = false; !wasThere || front.live.clientCount > 0; wasThere ||= front.live.clientCount > 0) {
    signal.throwIfAborted();
    front.live.reload(["index"], paths);
    await new Promise(setImmediate);
  }
  socket.destroy();
  while (front.plane.stats().connections > 0) {
    signal.throwIfAborted();
    await new Promise(setImmediate);
  }
});
