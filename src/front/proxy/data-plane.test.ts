import assert from "node:assert/strict";
import { test } from "node:test";
import { RawClient } from "./testing/raw-client.ts";
import { TestFront } from "./testing/test-front.ts";
import { NodeWorker } from "./testing/workers.ts";

test("a request goes to the worker, and its answer to the client; both connections are kept", async () => {
  await using worker = await NodeWorker.start();
  await using front = await TestFront.start([worker.port]);
  using client = await RawClient.connect(front.port);
  for (let round = 1; round <= 3; round++) {
    const answer = await client.ask(`GET /a%7Eb?q=${round} HTTP/1.1\r\nHost: site.test:80\r\n\r\n`, "hello");
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(answer, /content-length: 5\r\n/);
    assert.doesNotMatch(answer, /connection:/i);
  }
  assert.equal(worker.connectionCount, 1);
  assert.deepEqual(
    worker.whole.map(({ method, url }) => `${method} ${url}`),
    ["GET /a~b?q=1", "GET /a~b?q=2", "GET /a~b?q=3"],
  );
  const { host, via, traceparent, forwarded, ...headers } = worker.whole[0]!.headers;
  assert.equal(host, "site.test:80");
  assert.equal(via, "1.1 warren");
  assert.match(traceparent as string, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  assert.equal(forwarded, 'for=127.0.0.1;host="site.test:80";proto=http');
  assert.equal(headers["x-forwarded-for"], "127.0.0.1");
  assert.equal(headers["x-forwarded-proto"], "http");
  assert.equal(headers["x-forwarded-host"], "site.test:80");
  assert.match(headers["x-request-id"] as string, /^[0-9a-f]{16}$/);
  assert.equal(front.records.length, 3);
  assert.deepEqual(
    { ...front.records[2], durationMs: 0, requestId: "" },
    {
      requestId: "",
      remoteAddress: "127.0.0.1",
      method: "GET",
      isSecure: false,
      host: "site.test:80",
      target: "/a~b?q=3",
      worker: "app",
      instance: "app-1",
      status: 200,
      bytesIn: 0,
      bytesOut: 5,
      durationMs: 0,
    },
  );
  client.socket.end();
  await front.settled();
});
