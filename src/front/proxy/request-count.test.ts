import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../platform/testing/hand-clock.ts";
import { parseAnswers } from "./testing/answers.ts";
import { DEADLINE_MS } from "./testing/deadline.ts";
import { hasNginx, NginxWorker } from "./testing/nginx-worker.ts";
import { RawClient } from "./testing/raw-client.ts";
import { requestStream } from "./testing/request-stream.ts";
import { StrictWorker } from "./testing/strict-worker.ts";
import { instanceOf, TestFront, tableOf, workerOf } from "./testing/test-front.ts";
import { NodeWorker } from "./testing/workers.ts";

/** Streams in each of the two tests; more by REQUEST_STREAMS, from another one by REQUEST_SEED. */
const STREAMS = Number(process.env.REQUEST_STREAMS ?? 1_000);
const FIRST_SEED = Number(process.env.REQUEST_SEED ?? 1);

interface Journal {
  /** Requests read whole, in order. */
  whole: { method: string; url: string; body: string }[];
  /** Heads read. */
  headCount: () => number;
}

/** Sends one stream, and lets time pass for as long as it hangs: only heads and bodies that do not come have a deadline. */
async function send(front: TestFront, clock: HandClock, pieces: string[]): Promise<string> {
  using client = await RawClient.connect(front.port);
  for (const piece of pieces) {
    client.send(piece);
    if (pieces.length < 50) await new Promise((resolve) => setImmediate(resolve));
  }
  const endMs = performance.now() + DEADLINE_MS;
  for (let turn = 1; !client.isEnded && !client.isClosed; turn++) {
    if (performance.now() > endMs) throw new Error("the stream hangs");
    if (turn % 50 === 0) clock.pass(31_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { text } = client;
  client.socket.end();
  await front.settled();
  return text;
}

async function runSeed(seed: number, front: TestFront, clock: HandClock, journal: Journal): Promise<void> {
  front.records.length = 0;
  journal.whole.length = 0;
  const before = journal.headCount();
  const pieces = requestStream(seed);
  const name = `seed ${seed}: ${JSON.stringify(pieces.join(""))}`;
  const text = await send(front, clock, pieces);
  const sentOn = front.records.filter(({ instance }) => instance !== undefined);
  const answered = sentOn.filter(({ status }) => status === 200);
  assert.deepEqual(
    journal.whole.map(({ method, url, body }) => `${method} ${url} ${body.length}`),
    answered.map(({ method, target, bytesIn }) => `${method} ${target} ${bytesIn}`),
    name,
  );
  assert.ok(journal.headCount() - before <= sentOn.length, name);
  const methods = front.records.map(({ method }) => method);
  const statuses = parseAnswers(text, methods).flatMap(({ status }) => (status >= 200 ? [status] : []));
  assert.deepEqual(
    statuses,
    front.records.map(({ status }) => status),
    name,
  );
}

async function runAll(port: number, journal: Journal, faults: () => string[]): Promise<number> {
  const clock = new HandClock();
  await using front = await TestFront.start([], { clock });
  const limits = { answerMs: 1e12, idleMs: 1e12 };
  front.plane.table(tableOf([workerOf([instanceOf(port)])], { limits }));
  let wholeCount = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + STREAMS; seed++) {
    await runSeed(seed, front, clock, journal);
    assert.deepEqual(faults(), [], `seed ${seed}`);
    wholeCount += journal.whole.length;
  }
  return wholeCount;
}

test("request count: node:http sees exactly the requests that we count, whatever the bytes", async () => {
  const faults: string[] = [];
  await using worker = await NodeWorker.start((_request, response) => response.end("ok"));
  worker.server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    // It knows the methods of a list only, and takes a body that we gave up for bad; anything else is bad bytes of ours.
    const { code = "" } = error;
    if (code.startsWith("HPE_") && code !== "HPE_INVALID_METHOD" && code !== "HPE_INVALID_EOF_STATE") faults.push(code);
    socket.destroy();
  });
  const journal: Journal = { whole: worker.whole, headCount: () => worker.seen.length };
  const count = await runAll(worker.port, journal, () => faults);
  assert.ok(count > STREAMS, `${count} requests in ${STREAMS} streams`);
});

test("request count: a worker that takes only what we may write sees the same", async () => {
  await using worker = await StrictWorker.start();
  const journal: Journal = { whole: worker.whole, headCount: () => worker.heads.length };
  const count = await runAll(worker.port, journal, () => worker.faults);
  assert.ok(count > STREAMS, `${count} requests in ${STREAMS} streams`);
});

test(
  "request count: nginx sees exactly the requests that it answered through us",
  {
    skip: hasNginx() ? false : "nginx is not installed",
  },
  async () => {
    const clock = new HandClock();
    await using worker = await NginxWorker.start();
    await using front = await TestFront.start([], { clock });
    front.plane.table(tableOf([workerOf([instanceOf(worker.port)])], { limits: { answerMs: 1e12, idleMs: 1e12 } }));
    const sent: { line: string; isAnswered: boolean }[] = [];
    for (let seed = FIRST_SEED; seed < FIRST_SEED + STREAMS; seed++) {
      front.records.length = 0;
      await send(front, clock, requestStream(seed));
      for (const { status, method, target, instance } of front.records)
        if (instance !== undefined) sent.push({ line: `${method} ${target} HTTP/1.1`, isAnswered: status === 200 });
    }
    await worker.stop();
    // It answers before it has read a body; one that then turns out to be bad has its answer from us, and is in its journal or not.
    const answered = sent.filter(({ isAnswered }) => isAnswered);
    let next = 0;
    for (const line of worker.seen) {
      while (next < sent.length && sent[next]!.line !== line) {
        assert.ok(!sent[next]!.isAnswered, `nginx did not see request ${next}: ${sent[next]!.line}, but ${line}`);
        next += 1;
      }
      assert.ok(next < sent.length, `nginx saw ${line}, which was not sent`);
      next += 1;
    }
    assert.ok(!sent.slice(next).some(({ isAnswered }) => isAnswered), "nginx has not seen the last ones");
    assert.ok(answered.length > STREAMS, `${answered.length} requests in ${STREAMS} streams`);
  },
);
