import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { dialUnix, dialUnixBytes } from "./unix-wire.ts";

test("wire: lines both ways, and its end told once", async () => {
  const directory = await mkdtemp(join(tmpdir(), "warren-wire-"));
  const path = join(directory, "s");
  await assert.rejects(dialUnix(path, { onLine: () => {}, onClose: () => {} }), { code: "ENOENT" });
  const { promise: accepted, resolve } = Promise.withResolvers<net.Socket>();
  const listener = net.createServer(resolve);
  await new Promise<void>((listening) => listener.listen(path, listening));
  const lines: string[] = [];
  let closes = 0;
  const second = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const wire = await dialUnix(path, {
    onLine: (line) => {
      lines.push(line);
      if (lines.length === 2) second.resolve();
    },
    onClose: () => {
      closes += 1;
      closed.resolve();
    },
  });
  const peer = await accepted;
  peer.write("one\ntw");
  peer.write("o\n");
  await second.promise;
  assert.deepEqual(lines, ["one", "two"]);
  const heard = new Promise<string>((got) => peer.once("data", (chunk) => got(String(chunk))));
  wire.send('{"id":1}');
  assert.equal(await heard, '{"id":1}\n');
  wire.close();
  peer.on("end", () => peer.end());
  await closed.promise;
  wire.send("after"); // does not throw
  assert.equal(closes, 1);
  await new Promise((done) => listener.close(done));
  await rm(directory, { recursive: true });
});

test("byte wire: bytes both ways as they are; paused it says nothing, and its end is told once", async () => {
  const directory = await mkdtemp(join(tmpdir(), "warren-wire-"));
  const path = join(directory, "s");
  await assert.rejects(dialUnixBytes(path, { onBytes: () => {}, onClose: () => {} }), { code: "ENOENT" });
  const { promise: accepted, resolve } = Promise.withResolvers<net.Socket>();
  const listener = net.createServer(resolve);
  await new Promise<void>((listening) => listener.listen(path, listening));
  const closed = Promise.withResolvers<void>();
  let got = Buffer.alloc(0);
  let closes = 0;
  let wake = (): void => {};
  const wire = await dialUnixBytes(path, {
    onBytes: (bytes) => {
      got = Buffer.concat([got, bytes]);
      wake();
    },
    onClose: () => {
      closes += 1;
      closed.resolve();
    },
  });
  const peer = await accepted;
  const heard = new Promise<Buffer>((resolve) => peer.once("data", resolve));
  wire.send(Uint8Array.of(0, 10, 255));
  assert.deepEqual([...(await heard)], [0, 10, 255]);
  wire.pause();
  await new Promise((written) => peer.write(Uint8Array.of(1, 10), written));
  assert.equal(got.length, 0);
  const more = new Promise<void>((resolve) => {
    wake = resolve;
  });
  wire.resume();
  await more;
  assert.deepEqual([...got], [1, 10]);
  wire.close();
  await closed.promise;
  wire.send(Uint8Array.of(1)); // does not throw
  assert.equal(closes, 1);
  peer.destroy();
  await new Promise((done) => listener.close(done));
  await rm(directory, { recursive: true });
});
