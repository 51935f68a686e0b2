import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { LineConnection } from "./line-connection.ts";

/** Both ends of a connection; the first is the server's. */
async function pair(ending: AsyncDisposableStack): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  ending.defer(() => void server.close());
  const { port } = server.address() as { port: number };
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const far = connect(port, "127.0.0.1");
  const [near] = await accepted;
  ending.defer(() => void near.destroy());
  ending.defer(() => void far.destroy());
  return [near, far];
}

const handlers = { onLine: async () => {}, onTooLong: () => {}, onClose: () => {} };

test("what is said in one turn leaves together, at its end", async () => {
  await using ending = new AsyncDisposableStack();
  const [near, far] = await pair(ending);
  const connection = new LineConnection(near, handlers);
  const come = once(far, "data");
  connection.send({ id: 1 });
  connection.send({ id: 2 });
  assert.equal(connection.queuedBytes, 18);
  await Promise.resolve();
  assert.equal(connection.queuedBytes, 18, "answers that are ready by then too");
  assert.equal(String((await come)[0]), '{"id":1}\n{"id":2}\n');
  assert.equal(connection.queuedBytes, 0);
});

test("what was said before the end comes before it", async () => {
  await using ending = new AsyncDisposableStack();
  const [near, far] = await pair(ending);
  const connection = new LineConnection(near, handlers);
  let text = "";
  far.on("data", (chunk) => {
    text += chunk;
  });
  const closed = once(far, "close");
  connection.send({ id: 1 });
  connection.end();
  await closed;
  assert.equal(text, '{"id":1}\n');
});
