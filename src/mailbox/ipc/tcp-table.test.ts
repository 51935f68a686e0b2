import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { test } from "node:test";
import { endsOf, kernelEnd, readTable, SharedTcpTable, type TcpEnds, tcpConnection } from "./tcp-table.ts";

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
    server,
    port,
    clients,
    [Symbol.dispose]() {
      for (const socket of [...clients, ...accepted]) socket.destroy();
      server.close();
    },
  };
}

/** Both ends as the socket that was accepted has them. */
function acceptedEnds(client: net.Socket): TcpEnds {
  const { local, remote } = endsOf(client)!;
  return { local: remote, remote: local };
}

test("tcp table: whoever comes from another address with the server's own port is who they are", { skip }, async () => {
  using one = await connected(0);
  const accepted = Promise.withResolvers<net.Socket>();
  one.server.once("connection", accepted.resolve);
  const client = net.connect({ port: one.port, host: "127.0.0.1", localAddress: "127.0.0.2", localPort: one.port });
  await once(client, "connect");
  const there = await tcpConnection(endsOf(await accepted.promise)!);
  const [row] = [...(await readTable())!.values()].filter((fields) => fields[1] === kernelEnd(endsOf(client)!.local));
  assert.ok(there?.theirs && there.theirs.inode > 0);
  assert.equal(String(there.theirs.inode), row?.[9], "the client's socket, not our own");
  assert.notEqual(there.theirs.inode, there.ours?.inode);
  client.destroy();
});

test("tcp table: an IPv4 client of a server for both is found, and one of IPv6", { skip }, async (t) => {
  const server = net.createServer().listen(0, "::");
  const failed = await Promise.race([once(server, "listening").then(() => undefined), once(server, "error")]);
  if (failed) return t.skip("no IPv6 here");
  const { port } = server.address() as AddressInfo;
  for (const host of ["127.0.0.1", "::1"]) {
    const came = once(server, "connection") as Promise<[net.Socket]>;
    const client = net.connect(port, host);
    const [socket] = await came;
    const found = await tcpConnection(endsOf(socket)!);
    assert.deepEqual([found?.theirs?.uid, found?.ours?.state], [process.getuid!(), "established"], host);
    client.destroy();
    socket.destroy();
  }
  server.close();
});

test("tcp table: addresses as the kernel writes them, on a machine that has the low byte first", { skip }, () => {
  for (const [address, wanted] of [
    ["127.0.0.1", "0100007F"],
    ["10.1.2.3", "0302010A"],
    ["::ffff:10.1.2.3", "0302010A"],
    ["::1", "00000000000000000000000001000000"],
    ["::", "00000000000000000000000000000000"],
    ["2001:db8::8:800:200c:417a", "B80D012000000000000808007A410C20"],
    ["fe80::1%eth0", "000080FE000000000000000001000000"],
    ["1:2:3:4:5:6:7:8", "0200010004000300060005000800" + "0700"],
  ] as const)
    assert.equal(kernelEnd({ address, port: 8080 }), `${wanted}:1F90`, address);
});

test("tcp table: both ends of a connection, whose they are, and what is unread", { skip }, async () => {
  using one = await connected(1);
  const [client] = one.clients;
  const there = await tcpConnection(acceptedEnds(client!));
  assert.deepEqual([there?.ours?.state, there?.theirs?.uid], ["established", process.getuid!()]);
  assert.ok(there!.theirs!.inode > 0);
  const nobody = { ...acceptedEnds(client!), remote: { address: "127.0.0.1", port: 1 } };
  assert.deepEqual(await tcpConnection(nobody), { ours: undefined, theirs: undefined });
});

test("tcp table: of many who ask at once one reading is for the first, and one for all others", { skip }, async () => {
  using many = await connected(300);
  let readCount = 0;
  const table = new SharedTcpTable(() => {
    readCount += 1;
    return readTable();
  });
  const first = table.connection(acceptedEnds(many.clients[0]!));
  while (readCount === 0) await null;
  const found = await Promise.all(many.clients.map((client) => table.connection(acceptedEnds(client))));
  assert.equal((await first)?.theirs?.uid, process.getuid!());
  assert.ok(found.every((one) => one?.theirs?.uid === process.getuid!()));
  assert.equal(readCount, 2);
});

test("tcp table: whoever came after a reading had begun is found in the next; one that fails is the only one", async () => {
  const row = ["", "0100007F:1F90", "0100007F:C350", "01", "0:0", "", "", "7", "0", "9"];
  const ends: TcpEnds = { local: { address: "127.0.0.1", port: 8080 }, remote: { address: "127.0.0.1", port: 50_000 } };
  const readings = [Promise.withResolvers<Map<string, string[]>>(), Promise.withResolvers<Map<string, string[]>>()];
  let readCount = 0;
  const table = new SharedTcpTable(() => readings[readCount++]!.promise);
  const early = table.connection(ends);
  while (readCount === 0) await null;
  const late = table.connection(ends);
  readings[0]!.reject(new Error("no room"));
  await assert.rejects(early, /no room/);
  readings[1]!.resolve(new Map([["0100007F:1F90 0100007F:C350", row]]));
  assert.equal((await late)?.ours?.uid, 7);
});
