import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Places } from "../platform/paths.ts";
import { encodeFrame, FRAME, FRAME_PAYLOAD_BYTES_MAX, FrameSplitter } from "../protocol/keeper-frames.ts";
import { KeeperLink } from "./keeper-link.ts";

/** A keeper that says hello, and holds nothing. */
async function smallKeeper() {
  const dir = mkdtempSync(join(tmpdir(), "warren-link-"));
  const socket = join(dir, "keeper.sock");
  const keeperFile = join(dir, "keeper.json");
  const connections: net.Socket[] = [];
  const calls: string[] = [];
  const server = net.createServer((connection) => {
    connections.push(connection.on("error", () => {}));
    const frames = new FrameSplitter();
    connection.on("data", (chunk: Buffer) => {
      for (const { offset, payload } of frames.push(chunk)) {
        calls.push(JSON.parse(Buffer.from(payload).toString()).call);
        const answer = Buffer.from(JSON.stringify({ ok: true, data: {} }));
        connection.write(encodeFrame({ type: FRAME.answer, channel: 0, offset, payload: answer }));
      }
    });
  });
  server.listen(socket);
  await once(server, "listening");
  writeFileSync(keeperFile, JSON.stringify({ socket }));
  return {
    places: { keeperFile } as Places,
    connections,
    calls,
    [Symbol.dispose]() {
      for (const connection of connections) connection.destroy();
      server.close();
      rmSync(dir, { recursive: true });
    },
  };
}

test("keeper link: a call that the keeper would close the connection for is refused here, and the connection stays", async () => {
  using keeper = await smallKeeper();
  const link = new KeeperLink(keeper.places, () => assert.fail("it was not lost"));
  await link.call({ call: "hello" });
  const bytes = FRAME_PAYLOAD_BYTES_MAX + 1;
  await assert.rejects(link.call({ call: "signal", id: "x".repeat(bytes), epoch: 1, signal: 15 }), {
    code: "KEEPER_CALL_TOO_LONG",
  });
  await link.call({ call: "hello" });
  assert.deepEqual([keeper.calls, link.waitsFor], [["hello", "hello"], []]);
  link.close();
});

test("keeper link: a connection that the keeper closes is said to be lost, and one that we close is not", async () => {
  using keeper = await smallKeeper();
  const lost = Promise.withResolvers<void>();
  const link = new KeeperLink(keeper.places, lost.resolve);
  await link.call({ call: "hello" });
  keeper.connections[0]!.destroy();
  await lost.promise;
  const own = new KeeperLink(keeper.places, () => assert.fail("it was closed by us"));
  await own.call({ call: "hello" });
  const closed = once(keeper.connections[1]!, "close");
  own.close();
  await closed;
});
