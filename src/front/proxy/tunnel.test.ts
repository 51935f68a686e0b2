import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { parseAnswers } from "./testing/answers.ts";
import { until } from "./testing/deadline.ts";
import { RawClient } from "./testing/raw-client.ts";
import { instanceOf, TestFront, tableOf, workerOf } from "./testing/test-front.ts";
import { CLOSE, encodeFrame, openWebSocket, TEXT, type WebSocketEnd, WebSocketWorker } from "./testing/websocket.ts";
import { NodeWorker } from "./testing/workers.ts";
import { closeFrame, FrameTracker } from "./websocket-frames.ts";

test("frames: where they end is found at every tear, for every form of length", () => {
  const frames = [
    encodeFrame(TEXT, Buffer.from("hi"), false),
    encodeFrame(TEXT, Buffer.alloc(0), true),
    encodeFrame(2, Buffer.alloc(126), true),
    encodeFrame(2, Buffer.alloc(70_000), false),
    closeFrame(1012, false),
  ];
  const ends = frames.map((_frame, index) => frames.slice(0, index + 1).reduce((sum, { length }) => sum + length, 0));
  const all = Buffer.concat(frames);
  for (const size of [1, 2, 3, 7, 1_000, all.length]) {
    const tracker = new FrameTracker();
    const found: number[] = [];
    for (let at = 0; at < all.length; at += size) {
      const piece = all.subarray(at, at + size);
      for (let position = 0; position < piece.length; ) {
        position = tracker.advance(piece, position, true);
        if (tracker.isAtBoundary) found.push(at + position);
      }
    }
    assert.deepEqual(found, ends, String(size));
    assert.equal(tracker.hasClosed, true);
  }
});

test("a WebSocket: echo both ways, large and small, early bytes too; in flight until it closes", async () => {
  await using worker = await WebSocketWorker.start();
  await using front = await TestFront.start([worker.port]);
  const socket = await openWebSocket(front.port, encodeFrame(TEXT, Buffer.from("early"), true));
  await until("the early one", () => socket.texts.length === 1);
  socket.send(TEXT, "hello");
  socket.send(TEXT, "x".repeat(3_000_000));
  await until("the echo", () => socket.texts.length === 3);
  assert.deepEqual(
    socket.texts.map((text) => text.length),
    [5, 5, 3_000_000],
  );
  assert.match(worker.requests[0]!, /\r\nconnection: Upgrade\r\nupgrade: websocket/);
  assert.deepEqual(front.plane.stats().inFlight, { "app-1": 1 });
  assert.deepEqual(front.plane.stats().tunnels, { "app-1": 1 });
  assert.equal(front.records.length, 0);
  socket.send(CLOSE, Buffer.from([0x03, 0xe8]));
  await until("the end", () => socket.isClosed);
  await front.settled();
  assert.equal(socket.closeCode, 1000);
  assert.equal(front.records[0]!.status, 101);
  assert.ok(front.records[0]!.bytesOut > 3_000_000);
});

test("a WebSocket that the worker refuses is an answer like any other", async () => {
  await using worker = await NodeWorker.start();
  await using front = await TestFront.start([worker.port]);
  using client = await RawClient.connect(front.port);
  const asked = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  client.send(`${asked}GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  assert.deepEqual(
    parseAnswers(await client.closed()).map(({ status }) => status),
    [200, 200],
  );
});

test("either end that goes takes the other with it", async () => {
  await using worker = await WebSocketWorker.start();
  await using front = await TestFront.start([worker.port]);
  const first = await openWebSocket(front.port);
  await until("the worker's end", () => worker.ends.length === 1);
  first.socket.destroy();
  await until("the worker's close", () => worker.ends[0]!.isClosed);
  const second = await openWebSocket(front.port);
  await until("the worker's end", () => worker.ends.length === 2);
  worker.ends[1]!.socket.destroy();
  await until("the client's close", () => second.isClosed);
  await front.settled();
  assert.equal(front.records.length, 2);
});

test("close: WebSockets get 1012, spread, between two frames, and then nothing more of the worker's", async () => {
  const clock = new HandClock();
  await using worker = await WebSocketWorker.start(() => {});
  await using front = await TestFront.start([], { clock });
  front.plane.table(tableOf([workerOf([instanceOf(worker.port)])]));
  const sockets: WebSocketEnd[] = [];
  for (let index = 0; index < 4; index++) {
    sockets.push(await openWebSocket(front.port));
    await until("the worker's end", () => worker.ends.length === index + 1);
  }
  const [amid] = worker.ends;
  const frame = encodeFrame(TEXT, Buffer.from("half and half"), false);
  amid!.socket.write(frame.subarray(0, 6));
  await until("half a frame", () => front.sockets[0]!.bytesWritten > 0 && sockets[0]!.socket.bytesRead > 130);
  front.plane.worker(workerOf([]), ["app-1"], 2);
  front.plane.close("app-1", 1_000);
  for (let round = 0; round < 4; round++) {
    await until("its turn", () => sockets.slice(1, round + 1).every(({ closeCode }) => closeCode === 1012));
    assert.ok(sockets.slice(round + 1).every(({ closeCode }) => closeCode === undefined));
    clock.pass(250);
  }
  assert.deepEqual(front.toldOf("drained"), []);
  // The first is amid a frame: what follows it is thrown away, and the close comes after it.
  assert.equal(sockets[0]!.closeCode, undefined);
  amid!.socket.write(Buffer.concat([frame.subarray(6), encodeFrame(TEXT, Buffer.from("too late"), false)]));
  await until("its close", () => sockets[0]!.closeCode === 1012);
  amid!.send(TEXT, "later still");
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  await until("the worker is told", () => worker.ends.every(({ closeCode }) => closeCode === 1001));
  // The clients answer as they should, the last one never does.
  for (const socket of sockets.slice(0, 3)) socket.send(CLOSE, Buffer.from([0x03, 0xf4]));
  await until("their ends", () => sockets.slice(0, 3).every(({ isClosed }) => isClosed));
  assert.deepEqual(sockets[0]!.texts, ["half and half"]);
  assert.equal(sockets[0]!.frames.at(-1)!.opcode, CLOSE);
  assert.equal(sockets[3]!.isClosed, false);
  clock.pass(5_500);
  await until("the last one's end", () => sockets[3]!.isClosed);
  await until("drained", () => front.toldOf("drained").length === 1);
});

test("a client that does not read holds up its worker, not the front's memory", async () => {
  await using worker = await WebSocketWorker.start(() => {});
  await using front = await TestFront.start([worker.port]);
  const client = await openWebSocket(front.port);
  await until("the worker's end", () => worker.ends.length === 1);
  client.socket.pause();
  const bytes = Buffer.alloc(1024 * 1024);
  const end = worker.ends[0]!;
  for (let count = 0; count < 20; count++) end.send(2, bytes);
  await until("a full queue", () => front.sockets[0]!.writableLength > 256 * 1024);
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(front.sockets[0]!.writableLength < 512 * 1024);
  client.socket.resume();
  await until("all of it", () => client.frames.length === 20);
  client.socket.destroy();
});
