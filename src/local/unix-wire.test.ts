import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { dialUnix } from "./unix-wire.ts";

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
