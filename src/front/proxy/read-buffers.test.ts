import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { test } from "node:test";
import { ReadBuffers } from "./read-buffers.ts";
import { until } from "./testing/deadline.ts";
import { TestFront } from "./testing/test-front.ts";

test("read buffers: used again unless something of it is held, and then when the last is released", () => {
  const buffers = new ReadBuffers();
  const first = buffers.take();
  assert.equal(
    buffers.use(first, () => {}),
    first,
  );

  const releases: (() => void)[] = [];
  const second = buffers.use(first, () => {
    for (let count = 0; count < 2; count++) releases.push(buffers.hold(first.bytes.subarray(10, 20))!);
    assert.equal(buffers.hold(Buffer.alloc(9)), undefined, "bytes of somebody else");
  });
  assert.notEqual(second, first);
  releases[0]!();
  assert.notEqual(buffers.take(), first, "one still waits");
  releases[1]!();
  assert.equal(buffers.take(), first);
  assert.equal(buffers.hold(second.bytes), undefined, "nothing is being read");
});

test("answers: large ones that wait for their clients are what the worker sent", async () => {
  const answers = Array.from({ length: 3 }, (_, at) => patterned(at));
  const worker = http.createServer((request, response) => response.end(answers[Number(request.url!.slice(1))]));
  worker.listen(0, "127.0.0.1");
  await once(worker, "listening");
  try {
    await using front = await TestFront.start([(worker.address() as AddressInfo).port]);
    const clients = answers.map(() => net.connect({ port: front.port, host: "127.0.0.1" }));
    for (const [at, client] of clients.entries())
      client.write(`GET /${at} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
    // Nobody reads: the system's buffers are full, and what the front has read waits.
    await until(
      "what waits",
      () => front.sockets.filter((socket) => socket.writableLength > 0).length === answers.length,
    );
    for (const [at, client] of clients.entries()) {
      const body = Buffer.concat(await client.toArray()).subarray(-ANSWER_BYTES);
      assert.ok(body.equals(answers[at]!), `answer ${at} came changed`);
    }
  } finally {
    worker.closeAllConnections();
    worker.close();
  }
});

/** More than the system takes for two connections without being read. */
const ANSWER_BYTES = 32 * 1024 * 1024;

/** Unlike any other, at every place. */
function patterned(seed: number): Buffer {
  const words = new Uint32Array(ANSWER_BYTES / 4);
  for (let at = 0; at < words.length; at++) words[at] = at * 8 + seed;
  return Buffer.from(words.buffer);
}
