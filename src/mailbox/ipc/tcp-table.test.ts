import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { test } from "node:test";
import { readTables, SharedTcpTable, tcpConnection } from "./tcp-table.ts";

const skip = process.platform === "linux" ? false : "the kernel has no such table";

/** A server of this process, and both ends of as many connections to it. */
async function connected(count: number) {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const accepted: net.Socket[] = [];
  server.on("connection", (socket) => accepted.push(socket));
  const clients = Array.from({ length: count }, () => net.connect(port, "127.0.0.1"));
  await Promise.all(clients.map((client) => once(client, "connect")));
  return {
    port,
    clients,
    [Symbol.dispose]() {
      for (const socket of [...clients, ...accepted]) socket.destroy();
      server.close();
    },
  };
}

test("tcp table: both ends of a connection, whose they are, and what is unread", { skip }, async () => {
  using one = await connected(1);
  const [client] = one.clients;
  const there = await tcpConnection(one.port, client!.localPort!);
  assert.deepEqual([there?.ours?.state, there?.theirs?.uid], ["established", process.getuid!()]);
  assert.ok(there!.theirs!.inode > 0);
  assert.deepEqual(await tcpConnection(one.port, 1), { ours: undefined, theirs: undefined });
});

test("tcp table: of many who ask at once one reading is for the first, and one for all others", { skip }, async () => {
  using many = await connected(300);
  let readCount = 0;
  const table = new SharedTcpTable(() => {
    readCount += 1;
    return readTables();
  });
  const first = table.connection(many.port, many.clients[0]!.localPort!);
  while (readCount === 0) await null;
  const found = await Promise.all(many.clients.map(({ localPort }) => table.connection(many.port, localPort!)));
  assert.equal((await first)?.theirs?.uid, process.getuid!());
  assert.ok(found.every((one) => one?.theirs?.uid === process.getuid!()));
  assert.equal(readCount, 2);
});

test("tcp table: whoever came after a reading had begun is found in the next; one that fails is the only one", async () => {
  const row = ["", "0:1F90", "0:C350", "01", "0:0", "", "", "7", "0", "9"];
  const readings = [Promise.withResolvers<Map<string, string[]>[]>(), Promise.withResolvers<Map<string, string[]>[]>()];
  let readCount = 0;
  const table = new SharedTcpTable(() => readings[readCount++]!.promise);
  const early = table.connection(8080, 50_000);
  while (readCount === 0) await null;
  const late = table.connection(8080, 50_000);
  readings[0]!.reject(new Error("no room"));
  await assert.rejects(early, /no room/);
  readings[1]!.resolve([new Map([[":1F90:C350", row]])]);
  assert.equal((await late)?.ours?.uid, 7);
});
