import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { until } from "./testing/deadline.ts";
import { RawClient } from "./testing/raw-client.ts";
import { instanceOf, TestFront, tableOf, workerOf } from "./testing/test-front.ts";
import { NodeWorker, RawWorker } from "./testing/workers.ts";

const LENGTH = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
const CHUNKED = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/** Sends `part` each second of the front's time, and sees that it has come there before the next. */
async function drip(
  { front, clock, worker }: { front: TestFront; clock: HandClock; worker: NodeWorker },
  { head, part, seconds, partBytes }: { head: string; part: string; seconds: number; partBytes: number },
): Promise<RawClient> {
  const client = await RawClient.connect(front.port);
  const bodyBytes = (): number => worker.seen.at(-1)?.body.length ?? 0;
  const requestCount = worker.seen.length;
  client.send(head);
  client.send(part);
  await until("the request", () => worker.seen.length > requestCount && bodyBytes() >= partBytes);
  for (let second = 1; second < seconds && front.records.length === 0; second++) {
    clock.pass(1_000);
    client.send(part);
    await until("the part", () => bodyBytes() >= partBytes * (second + 1) || front.records.length > 0);
  }
  return client;
}

async function slowFront(limits = {}) {
  const clock = new HandClock();
  const worker = await NodeWorker.start();
  const front = await TestFront.start([worker.port], { clock });
  front.plane.table(tableOf([workerOf([instanceOf(worker.port)])], { limits }));
  const stop = async (): Promise<void> => {
    await front[Symbol.asyncDispose]();
    await worker[Symbol.asyncDispose]();
  };
  return { clock, worker, front, [Symbol.asyncDispose]: stop };
}

test("a body that drips for ever meets a limit, in both framings: 408, and the worker is let go", async () => {
  for (const [head, part] of [
    [LENGTH, "x"],
    [CHUNKED, "1\r\nx\r\n"],
  ] as const) {
    await using slow = await slowFront();
    using client = await drip(slow, { head, part, seconds: 40, partBytes: 1 });
    assert.match(await client.closed(), /^HTTP\/1\.1 408 [\s\S]*the body comes too slowly/);
    await slow.front.settled();
    assert.deepEqual([slow.front.records.length, slow.front.records[0]!.status], [1, 408]);
  }
});

test("a body over a bad line passes, however long it takes; and any passes where there is no limit", async () => {
  const cases = [
    { limits: {}, part: "x".repeat(150) },
    { limits: { bodyBytesPerS: 0 }, part: "x" },
    { limits: { bodyBytesPerS: 0.5 }, part: "x" },
  ];
  for (const { limits, part } of cases) {
    await using slow = await slowFront(limits);
    const head = LENGTH.replace("1000000", String(200 * part.length));
    using client = await drip(slow, { head, part, seconds: 200, partBytes: part.length });
    await client.receive("an answer", (text) => text.endsWith("hello"));
    assert.equal(slow.worker.whole[0]!.body.length, 200 * part.length);
  }
});

test("a body that its worker does not take is not the client's fault", async () => {
  const clock = new HandClock();
  await using worker = await RawWorker.start();
  worker.server.on("connection", (socket) => void socket.pause());
  await using front = await TestFront.start([worker.port], { clock });
  front.plane.table(tableOf([workerOf([instanceOf(worker.port)])], { limits: { answerMs: 1e9 } }));
  using client = await RawClient.connect(front.port);
  client.send(`${LENGTH.replace("1000000", "60000000")}${"x".repeat(20_000_000)}`);
  let [readBytes, sameCount] = [0, 0];
  await until("nothing more is read", () => {
    const { bytesRead = 0 } = front.sockets[0] ?? {};
    sameCount = bytesRead === readBytes ? sameCount + 1 : 0;
    readBytes = bytesRead;
    return readBytes > 100_000 && sameCount > 500;
  });
  for (let minute = 0; minute < 10; minute++) clock.pass(60_000);
  assert.equal(client.text, "");
  assert.equal(front.records.length, 0);
});
