import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import tls from "node:tls";
import { fingerprint, makeCertificate } from "../../../test/harness/self-signed.ts";
import { until } from "../proxy/testing/deadline.ts";
import { RawClient } from "../proxy/testing/raw-client.ts";
import { encodeFrame, TEXT, WebSocketEnd, WebSocketWorker } from "../proxy/testing/websocket.ts";
import { NodeWorker, RawWorker } from "../proxy/testing/workers.ts";
import { SecureFront, textOf } from "./testing/secure-front.ts";

const GET = "GET /a?b=c HTTP/1.1\r\nHost: site.test:8443\r\n\r\n";
const answered = (text: string): boolean => text.endsWith("hello");

test("TLS: a request by https, several on one connection; the worker is told", async () => {
  await using worker = await NodeWorker.start();
  await using front = await SecureFront.start(worker.port);
  const socket = await front.connect();
  assert.equal(socket.alpnProtocol, "http/1.1");
  assert.equal(socket.getProtocol(), "TLSv1.3");
  for (let round = 0; round < 3; round++) {
    socket.write(GET);
    assert.match(await textOf(socket, answered), /^HTTP\/1\.1 200 OK\r\n/);
  }
  const { headers } = worker.whole[2]!;
  assert.equal(headers["x-forwarded-proto"], "https");
  assert.equal(headers.forwarded, 'for=127.0.0.1;host="site.test:8443";proto=https');
  assert.deepEqual(
    front.records.map(({ isSecure, status }) => [isSecure, status]),
    Array(3).fill([true, 200]),
  );
  socket.end();
  await until("rest", () => front.plane.connectionCount === 0 && front.door.pendingCount === 0);
});

test("TLS: the certificate of the host that a client names: exact, wildcard for one label, else the first", async () => {
  await using worker = await NodeWorker.start();
  const made = {
    first: makeCertificate({ hosts: ["first.test"] }),
    wild: makeCertificate({ hosts: ["*.b.test"] }),
    exact: makeCertificate({ hosts: ["x.b.test", "*.c.test"] }),
  };
  await using front = await SecureFront.start(worker.port, made);
  const cases: [string, keyof typeof made][] = [
    ["first.test", "first"],
    ["x.b.test", "exact"],
    ["X.B.TEST", "exact"],
    ["y.b.test", "wild"],
    ["z.y.b.test", "first"],
    ["b.test", "first"],
    ["q.c.test", "exact"],
    ["other.test", "first"],
    ["", "first"],
  ];
  for (const [name, expected] of cases)
    assert.equal(await front.fingerprint(name), fingerprint(made[expected]), name || "no name");
});

test("TLS: what is older than 1.2 is refused, and so is a client that speaks only another protocol", async () => {
  await using worker = await NodeWorker.start();
  await using front = await SecureFront.start(worker.port);
  const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  await assert.rejects(front.connect(old), { code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" });
  await assert.rejects(front.connect({ ALPNProtocols: ["h2"] }), {
    code: "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
  });
  const socket = await front.connect({ maxVersion: "TLSv1.2" });
  assert.equal(socket.getProtocol(), "TLSv1.2");
  socket.destroy();
  await until("both", () => front.door.state()?.failedHandshakes === 2);
});

test("TLS: a session is taken up again, also after its certificate was renewed", async () => {
  await using worker = await NodeWorker.start();
  await using front = await SecureFront.start(worker.port);
  const first = await front.connect({ maxVersion: "TLSv1.2" });
  const session = first.getSession()!;
  first.destroy();
  const second = await front.connect({ maxVersion: "TLSv1.2", session });
  assert.equal(second.isSessionReused(), true);
  second.destroy();
  front.write("site", makeCertificate({ hosts: ["site.test"] }));
  front.clock.pass(2_000);
  await until("the new one", () => front.logged.filter((line) => line.startsWith("certificate_taken")).length === 2);
  const third = await front.connect({ maxVersion: "TLSv1.2", session });
  assert.equal(third.isSessionReused(), true);
  third.destroy();
});

test("plain HTTP on a port with TLS: redirected, served or refused; what came securely to a trusted proxy passes", async () => {
  await using worker = await NodeWorker.start();
  await using front = await SecureFront.start(worker.port);
  const ask = async (fields = "", host = "site.test:8080"): Promise<string> => {
    using client = await RawClient.connect(front.port);
    client.send(`POST /a%20b?c=d HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: 0\r\n${fields}\r\n`);
    return await client.closed();
  };
  const redirected = await ask();
  assert.match(redirected, /^HTTP\/1\.1 308 Permanent Redirect\r\n/);
  assert.match(redirected, /\r\nlocation: https:\/\/site\.test:8080\/a%20b\?c=d\r\n/);
  assert.match(redirected, /\r\ncache-control: no-store\r\n/);
  assert.match(await ask("X-Forwarded-Proto: https\r\n"), /^HTTP\/1\.1 308 /, "from whom we do not trust");
  assert.match(await ask("", "fox.localhost:8080"), /^HTTP\/1\.1 200 /, "no certificate names it, and nobody listens");
  assert.match(await ask("Forwarded: for=1.2.3.4\r\n", "fox.localhost"), /^HTTP\/1\.1 308 /, "it came through a proxy");
  front.tell({ trustedProxies: ["127.0.0.1"] });
  assert.match(await ask("X-Forwarded-Proto: https\r\n"), /^HTTP\/1\.1 200 /);
  assert.match(await ask('Forwarded: for=1.2.3.4;proto="https"\r\n'), /^HTTP\/1\.1 200 /);
  assert.match(await ask("X-Forwarded-Proto: http\r\n"), /^HTTP\/1\.1 308 /);
  front.tell({ tls: front.tlsOf(["site"], "refuse") });
  assert.match(await ask(), /^HTTP\/1\.1 400 [\s\S]*by https/);
  front.tell({ tls: front.tlsOf(["site"], "serve") });
  assert.match(await ask(), /^HTTP\/1\.1 200 /);
  assert.equal(worker.whole.length, 4);
});

test("TLS that comes and goes with the table: what is open stays, what is new goes by it", async () => {
  await using worker = await NodeWorker.start();
  await using front = await SecureFront.start(worker.port, {}, { tls: undefined });
  using client = await RawClient.connect(front.port);
  await client.ask(GET, "hello");
  front.write("site", makeCertificate({ hosts: ["site.test"] }));
  front.tell({ tls: front.tlsOf(["site"], "serve") });
  const socket = await front.connect(); // at once: it waits until the certificate has been read
  await client.ask(GET, "hello");
  front.tell({ tls: undefined });
  using late = await RawClient.connect(front.port);
  await late.ask(GET, "hello");
  await assert.rejects(front.connect());
  socket.write(GET);
  assert.match(await textOf(socket, answered), /200 OK/);
  socket.destroy();
});

test("the first byte: torn requests, silence, garbage, a handshake that never ends, and half a one that closes", async () => {
  await using worker = await NodeWorker.start();
  await using front = await SecureFront.start(worker.port, undefined, {});
  front.tell({ tls: front.tlsOf(["site"], "serve") });
  using torn = await RawClient.connect(front.port);
  for (const byte of GET) torn.send(byte);
  await torn.receive("an answer", answered);

  using garbage = await RawClient.connect(front.port);
  garbage.send("\0\x01\x02garbage\r\n\r\n");
  assert.match(await garbage.closed(), /^HTTP\/1\.1 400 /);
  using broken = await RawClient.connect(front.port);
  broken.send(Buffer.from([0x16, 9, 9, 0, 4, 1, 2, 3, 4]));
  await until("its end", () => broken.isClosed || broken.isEnded);
  assert.equal(front.door.state()?.failedHandshakes, 1);

  using half = await RawClient.connect(front.port);
  half.send(Buffer.from([0x16, 3, 1]));
  half.socket.end();
  await until("its end", () => half.isClosed);

  using silent = await RawClient.connect(front.port);
  using dripping = await RawClient.connect(front.port);
  dripping.send(Buffer.from([0x16]));
  await until("both", () => front.door.pendingCount === 2);
  await until("its first byte", () => front.logged.length > 0);
  for (let second = 0; second < 12; second++) {
    if (!dripping.isEnded) dripping.send(Buffer.from([3]));
    await new Promise((resolve) => setImmediate(resolve));
    front.clock.pass(1_000);
  }
  await until("the end of the handshake", () => dripping.isEnded || dripping.isClosed);
  assert.equal(silent.isEnded, false);
  front.clock.pass(65_000);
  await until("the end of silence", () => silent.isEnded);
  await until("rest", () => front.door.pendingCount === 0);
  using next = await RawClient.connect(front.port);
  assert.match(await next.ask(GET, "hello"), /200 OK/);
});

test("TLS: an answer that is cut does not look whole", async () => {
  await using worker = await RawWorker.start((socket, received) => {
    if (!received.endsWith("\r\n\r\n")) return;
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", () => socket.resetAndDestroy());
  });
  await using front = await SecureFront.start(worker.port);
  const socket = await front.connect();
  let errorCode: string | undefined;
  socket.on("error", (error: NodeJS.ErrnoException) => {
    errorCode = error.code;
  });
  // By HTTP/1.0 the end of the answer is the end of the connection.
  socket.write("GET / HTTP/1.0\r\nHost: site.test\r\n\r\n");
  assert.match(await textOf(socket, () => false), /hello$/);
  await until("a reset", () => errorCode !== undefined);
  assert.equal(errorCode, "ECONNRESET");
});

test("TLS: WebSockets, large bodies both ways, and backpressure", async () => {
  await using worker = await WebSocketWorker.start();
  await using front = await SecureFront.start(worker.port);
  const socket = await front.connect();
  socket.write(
    "GET / HTTP/1.1\r\nHost: site.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  assert.match(await textOf(socket, (text) => text.endsWith("\r\n\r\n")), /^HTTP\/1\.1 101 /);
  const end = new WebSocketEnd(socket, true);
  socket.write(encodeFrame(TEXT, Buffer.from("x".repeat(3_000_000)), true));
  await until("the echo", () => end.texts.length === 1);
  assert.equal(end.texts[0]!.length, 3_000_000);
  socket.destroy();
  await until("rest", () => front.plane.connectionCount === 0);

  await using upload = await NodeWorker.start((_request, response, { body }) => response.end(body));
  await using other = await SecureFront.start(upload.port);
  const client = await other.connect();
  const body = "y".repeat(2_000_000);
  client.write(
    `POST / HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  assert.ok((await textOf(client, () => false)).endsWith(`\r\n\r\n${body}`));
});

test("TLS: handshakes by the hundred that never end, while others are served", async () => {
  await using worker = await NodeWorker.start();
  await using front = await SecureFront.start(worker.port);
  const hello = await clientHello();
  const clients: net.Socket[] = [];
  for (let index = 0; index < 300; index++) {
    const client = net.connect(front.port, "127.0.0.1");
    client.on("error", () => {});
    client.write(index % 2 === 0 ? hello.subarray(0, 40) : hello);
    clients.push(client);
  }
  await until("all of them", () => front.door.pendingCount === 300);
  const socket = await front.connect();
  socket.write(GET);
  assert.match(await textOf(socket, answered), /200 OK/);
  front.clock.pass(11_000);
  await until("their end", () => front.door.pendingCount === 0);
  assert.equal(front.door.state()?.failedHandshakes, 300);
  socket.write(GET);
  assert.match(await textOf(socket, answered), /200 OK/);
  socket.destroy();
  for (const client of clients) client.destroy();
});

/** What a client says first. */
async function clientHello(): Promise<Buffer> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  const socket = tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  socket.on("error", () => {});
  const [accepted] = (await new Promise((resolve) => server.once("connection", (one) => resolve([one])))) as [
    net.Socket,
  ];
  const hello = await new Promise<Buffer>((resolve) => accepted.once("data", resolve));
  socket.destroy();
  accepted.destroy();
  server.close();
  return hello;
}
