import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { ConnectionFixture } from "./connection-fixture.ts";

const MIB = 1024 * 1024;
const aborted = (signal: AbortSignal): Promise<unknown> =>
  signal.aborted ? Promise.resolve() : once(signal, "abort", { signal: AbortSignal.timeout(20_000) });

test("connection: lines come whole and in order, however they were cut; empty ones are nothing", async () => {
  const lines: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  await using fixture = await ConnectionFixture.make({
    onLine: async (line) => {
      lines.push(line);
      if (line === "last") resolve();
    },
  });
  const bytes = Buffer.from("one\n\n  \ntwö\r\nlast\n");
  for (const byte of bytes) fixture.peer.write(Buffer.of(byte));
  await promise;
  assert.deepEqual(lines, ["one", "twö\r", "last"]);
});

test("connection: a client that does not read is cut off at the limit, and others never waited for it", async () => {
  await using fixture = await ConnectionFixture.make();
  fixture.peer.pause();
  const line = "x".repeat(MIB / 4);
  let written = 0;
  while (!fixture.connection.closed.aborted && written < 64) {
    fixture.connection.write(line);
    written++;
    if (written > 24) await new Promise(setImmediate);
    assert.ok(fixture.connection.queuedBytes <= 4 * MIB + line.length + 1);
  }
  await aborted(fixture.connection.closed);
  assert.ok(written < 64);
  fixture.connection.write("after"); // does not throw
});

test("connection: past 256 requests in hand its socket is not read until one is answered", async () => {
  let taken = 0;
  const waiting: (() => void)[] = [];
  const { promise: full, resolve } = Promise.withResolvers<void>();
  const { promise: more, resolve: resolveMore } = Promise.withResolvers<void>();
  await using fixture = await ConnectionFixture.make({
    onLine: () => {
      taken += 1;
      if (taken === 256) resolve();
      if (taken === 356) resolveMore();
      return new Promise((answer) => waiting.push(answer));
    },
  });
  fixture.peer.write("x\n".repeat(256));
  await full;
  fixture.peer.write("y\n".repeat(100));
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.equal(taken, 256);
  for (const answer of waiting.splice(0)) answer();
  await more;
});

test("connection: a line that is too long is told once, and what follows it goes nowhere", async () => {
  const lines: string[] = [];
  let tooLong = 0;
  await using fixture = await ConnectionFixture.make({
    onLine: async (line) => void lines.push(line),
    onTooLong: (connection) => {
      tooLong += 1;
      connection.send({ refused: true });
      connection.end();
    },
  });
  fixture.read();
  fixture.peer.write("fine\n");
  fixture.peer.write(`${"x".repeat(MIB + 1)}\nnot read\n`);
  assert.deepEqual(await fixture.received(1), [{ refused: true }]);
  await aborted(fixture.connection.closed);
  assert.deepEqual([lines, tooLong], [["fine"], 1]);
});

test("connection: end writes what is queued first", async () => {
  await using fixture = await ConnectionFixture.make();
  for (let count = 0; count < 100; count++) fixture.connection.send({ count, text: "x".repeat(10_000) });
  fixture.connection.end();
  fixture.read();
  assert.equal((await fixture.received(100)).length, 100);
  await aborted(fixture.connection.closed);
});

test("connection: drained waits for what is queued, and for no client that is gone", async () => {
  await using fixture = await ConnectionFixture.make();
  fixture.peer.pause();
  for (let count = 0; count < 8; count++) fixture.connection.write("x".repeat(MIB / 4));
  const drained = fixture.connection.drained();
  fixture.peer.resume();
  await drained;
  assert.equal(fixture.connection.queuedBytes, 0);
  fixture.peer.pause();
  for (let count = 0; count < 8; count++) fixture.connection.write("x".repeat(MIB / 4));
  const gone = fixture.connection.drained();
  fixture.peer.destroy();
  await gone;
});
