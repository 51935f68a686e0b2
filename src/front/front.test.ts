import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { test } from "node:test";
import type { FrontRoute } from "../protocol/front-messages.ts";
import { until, within } from "./proxy/testing/deadline.ts";
import { RawClient } from "./proxy/testing/raw-client.ts";
import { instanceOf, tableOf, workerOf } from "./proxy/testing/test-front.ts";
import { CLOSE, openWebSocket, WebSocketWorker } from "./proxy/testing/websocket.ts";
import { NodeWorker } from "./proxy/testing/workers.ts";
import { FrontProcess } from "./testing/front-process.ts";

const ROUTES: FrontRoute[] = [{ kind: "worker", path: "/", worker: "app", strip: false }];

test("a front that ends leaves its control socket's place at once to the next one, and goes on listening to its server", async () => {
  await using worker = await WebSocketWorker.start();
  await using front = await FrontProcess.start(tableOf([workerOf([instanceOf(worker.port)])], { routes: ROUTES }));
  const socket = await openWebSocket(front.port);
  front.drain();
  await until("a free place", () => !existsSync(front.socketPath));
  assert.equal(front.isOver, false);
  front.tell({ type: "stats", id: 1 });
  await until("an answer", () => front.told.some(({ type }) => type === "stats"));
  const next = net.createServer().listen(front.socketPath);
  await once(next, "listening");
  socket.socket.destroy();
  assert.equal(await front.exited(), 0);
  assert.ok(existsSync(front.socketPath), "the next one's socket is left alone");
  next.close();
});

test("browsers that listen for reloads do not come back to a front that ends", async () => {
  await using front = await FrontProcess.start(tableOf([workerOf([], { isLive: true })], { mode: "dev" }));
  using agent = new Browser(front.port);
  const stream = await agent.listen();
  assert.equal(stream.statusCode, 200);
  stream.resume();
  front.drain();
  await within("the stream's end", once(stream, "end"));
  const again = await agent.listen();
  assert.equal(again.headers.connection, "close");
  again.resume();
  await within("its end", once(again, "end"));
  assert.equal(await front.exited(), 0);
});

test("a front whose time beside the next one is up ends its WebSockets with 1012, and itself", async () => {
  await using worker = await WebSocketWorker.start();
  const table = tableOf([workerOf([instanceOf(worker.port)])], { routes: ROUTES });
  await using front = await FrontProcess.start(table, "--overlap", "15000");
  const socket = await openWebSocket(front.port);
  front.drain();
  await until("the close", () => socket.closeCode === 1012);
  socket.send(CLOSE, Buffer.from([0x03, 0xf4]));
  assert.equal(await front.exited(), 0);
});

test("a front cuts what does not end in its time", async () => {
  await using worker = await NodeWorker.start((_request, response) => void response.write("a"));
  const table = tableOf([workerOf([instanceOf(worker.port)])], { routes: ROUTES });
  await using front = await FrontProcess.start(table, "--overlap", "1500");
  using client = await RawClient.connect(front.port);
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await client.receive("the beginning", (text) => text.includes("\r\n\r\n1\r\na"));
  front.drain();
  assert.equal(await front.exited(), 0);
});

/** One connection to a front, kept as browsers keep it. */
class Browser implements Disposable {
  readonly #port: number;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

  constructor(port: number) {
    this.#port = port;
  }

  async listen(): Promise<http.IncomingMessage> {
    const options = { host: "127.0.0.1", port: this.#port, agent: this.#agent, path: "/.warren/live?worker=app" };
    const [answer] = await within("an answer", once(http.get(options), "response"));
    return answer;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
