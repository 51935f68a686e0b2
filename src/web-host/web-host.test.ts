import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { WebSocket } from "ws";
import { isWarrenError, WarrenError } from "../protocol/errors.ts";
import type { ConnectUnit } from "../remote/network.ts";
import { decodeLive, encodeLive, type LiveFrame } from "../sealing/live.ts";
import { Access } from "./access.ts";
import { WebHost } from "./web-host.ts";

/** A host whose servers echo, after they have said what they hold a page to. */
async function host(connect: ConnectUnit = echo) {
  const access = new Access();
  const files = new Map([["/", { bytes: Buffer.from("<p>app"), type: "text/html", isImmutable: false }]]);
  let usedCount = 0;
  const web = new WebHost({
    port: 0,
    files,
    access,
    connect,
    greeting: { scopes: ["view", "type"], by: "ann" },
    onUsed: () => {
      usedCount += 1;
    },
  });
  await web.listen();
  return { web, access, used: () => usedCount, [Symbol.asyncDispose]: async () => web.close() };
}

const echo: ConnectUnit = async (target, { onBytes, onClosed }) => {
  let isGreeted = false;
  return {
    write(bytes, onTaken) {
      queueMicrotask(onTaken);
      const text = Buffer.from(bytes).toString();
      if (isGreeted) return queueMicrotask(() => onBytes(Buffer.from(`${target}:${text}`)));
      isGreeted = true;
      const { payload } = JSON.parse(text);
      queueMicrotask(() =>
        onBytes(Buffer.from(`${JSON.stringify({ success: true, data: { scopes: payload.scopes } })}\n`)),
      );
    },
    pause() {},
    resume() {},
    close: () => queueMicrotask(onClosed),
  };
};

interface Asked {
  path?: string;
  method?: string;
  headers?: http.OutgoingHttpHeaders;
  body?: string;
}
function ask(port: number, { path = "/", method = "GET", headers = {}, body }: Asked = {}) {
  return new Promise<{ status: number; headers: http.IncomingHttpHeaders; text: string }>((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (more: string) => {
        text += more;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    request.on("error", reject).end(body);
  });
}

interface Offered {
  pass?: string;
  origin?: string;
  name?: string;
}
/** Resolves with how the WebSocket was answered. */
async function knock(port: number, { pass, origin, name = `127.0.0.1:${port}` }: Offered) {
  const protocols = ["warren.web.1", ...(pass === undefined ? [] : [`pass.${pass}`])];
  const socket = new WebSocket(`ws://127.0.0.1:${port}/web/v1`, protocols, {
    headers: { host: name, ...(origin === undefined ? {} : { origin }) },
  });
  socket.on("error", () => {});
  const answer = await Promise.race([
    once(socket, "unexpected-response").then(([, response]) => (response as http.IncomingMessage).statusCode!),
    once(socket, "open").then(() => "open" as const),
  ]);
  return { socket, answer };
}

test("web host: only this machine's own names are answered, with a policy on everything", async () => {
  await using one = await host();
  const { port } = one.web;
  const { status, headers, text } = await ask(port);
  assert.deepEqual([status, text], [200, "<p>app"]);
  assert.match(String(headers["content-security-policy"]), /default-src 'none'.*require-trusted-types-for 'script'/);
  assert.equal(headers["access-control-allow-origin"], undefined);
  for (const name of [`evil.example:${port}`, "127.0.0.1:1", "evil.example", `127.0.0.1.evil.example:${port}`])
    assert.equal((await ask(port, { headers: { host: name } })).status, 421, name);
  assert.equal((await ask(port, { headers: { host: `localhost:${port}` } })).status, 200);
  assert.equal((await ask(port, { path: "/../../etc/passwd" })).status, 404);
  assert.equal((await ask(port, { method: "PUT" })).status, 405);
  const hasIPv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));
  if (!hasIPv6) return;
  const six = net.connect(port, "::1"); // what a browser may take for "localhost"
  await once(six, "connect");
  six.destroy();
});

test("web host: whose WebSocket is refused is cut off behind the answer, also when they stay half open", async () => {
  await using one = await host();
  const { port } = one.web;
  const name = `Host: 127.0.0.1:${port}\r\n`;
  const asks: [string, number][] = [
    ["GET /web/v1 HTTP/1.1\r\nHost: evil.example\r\n", 421],
    [`GET /elsewhere HTTP/1.1\r\n${name}`, 404],
    [`GET /web/v1 HTTP/1.1\r\n${name}Origin: http://evil.example\r\n`, 403],
    [`GET /web/v1 HTTP/1.1\r\n${name}Origin: http://127.0.0.1:${port}\r\n`, 401],
  ];
  for (const [head, status] of asks) {
    const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const ended = once(socket, "close", { signal: AbortSignal.timeout(10_000) });
    let answer = "";
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString();
    });
    const writeOn = (): void => void socket.write("x", (error) => error || setImmediate(writeOn));
    socket.on("end", writeOn);
    socket.write(`${head}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    await assert
      .rejects(ended, { syscall: "write" }, "nobody has the other end any more")
      .finally(() => socket.destroy());
    assert.ok(answer.startsWith(`HTTP/1.1 ${status} `), answer);
  }
});

test("web host: a token gives a pass once, to the app's own page alone", async () => {
  await using one = await host();
  const { port } = one.web;
  const token = one.access.newToken();
  const origin = `http://127.0.0.1:${port}`;
  const exchange = (headers: http.OutgoingHttpHeaders, body: string, method = "POST") =>
    ask(port, { path: "/web/v1/pass", method, headers, body });
  for (const foreign of [
    {},
    { origin: "null" },
    { origin: "http://evil.example" },
    { origin: `http://localhost:${port}` },
  ])
    assert.equal((await exchange(foreign, token)).status, 403, JSON.stringify(foreign));
  assert.equal((await exchange({ origin }, "another")).status, 403);
  assert.equal((await exchange({ origin }, token, "GET")).status, 403);
  const { status, text, headers } = await exchange({ origin }, token);
  assert.deepEqual([status, headers["cache-control"], one.access.isPass(text), one.used()], [200, "no-store", true, 1]);
  assert.equal((await exchange({ origin }, token)).status, 403, "once");
});

test("web host: a WebSocket needs the page's origin and a pass", async () => {
  await using one = await host();
  const { port } = one.web;
  const origin = `http://127.0.0.1:${port}`;
  const pass = one.access.exchange(one.access.newToken())!;
  assert.equal((await knock(port, { pass })).answer, 403);
  assert.equal((await knock(port, { pass, origin: "http://evil.example" })).answer, 403);
  assert.equal((await knock(port, { pass, origin, name: `evil.example:${port}` })).answer, 421);
  assert.equal((await knock(port, { origin })).answer, 401);
  const wrong = await knock(port, { pass: "x", origin });
  assert.equal((await once(wrong.socket, "close"))[0], 4401);
  const right = await knock(port, { pass, origin });
  assert.equal(right.answer, "open");
  right.socket.terminate();
});

/** An open socket, with what it was sent. */
async function page(one: Awaited<ReturnType<typeof host>>) {
  const { port } = one.web;
  const pass = one.access.exchange(one.access.newToken())!;
  const { socket } = await knock(port, { pass, origin: `http://127.0.0.1:${port}` });
  const frames: LiveFrame[] = [];
  const watchers = new Set<() => void>();
  socket.on("message", (bytes) => {
    frames.push(decodeLive(new Uint8Array(bytes as Buffer)));
    for (const look of watchers) look();
  });
  const until = (is: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!is()) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
      look();
    });
  const data = (stream: number): string =>
    frames
      .flatMap((frame) =>
        frame.kind === "data" && frame.stream === stream ? [Buffer.from(frame.bytes).toString()] : [],
      )
      .join("");
  return { socket, frames, until, data, send: (frame: LiveFrame) => socket.send(encodeLive(frame)) };
}

test("web host: streams go to their targets, each by itself, after the server has said what it holds the page to", async () => {
  await using one = await host();
  const { send, until, data, frames, socket } = await page(one);
  send({ kind: "open", stream: 1, target: "primary" });
  send({ kind: "data", stream: 1, bytes: Buffer.from("a") });
  send({ kind: "open", stream: 2, target: "fox" });
  send({ kind: "data", stream: 2, bytes: Buffer.from("b") });
  await until(() => data(1) !== "" && data(2) !== "");
  assert.deepEqual([data(1), data(2)], ["primary:a", "fox:b"], "the greeting's answer is not the page's");
  send({ kind: "ping", token: 7 });
  await until(() => frames.some(({ kind }) => kind === "pong"));
  send({ kind: "close", stream: 2, code: "", sentence: "" });
  send({ kind: "data", stream: 1, bytes: Buffer.from("c") });
  await until(() => data(1) === "primary:aprimary:c");
  socket.terminate();
});

test("web host: what cannot be reached is said on its stream; a page that breaks the form is cut off", async () => {
  await using one = await host(() => Promise.reject(new WarrenError("NO_SERVER", "No server is running.")));
  const { send, until, frames, socket } = await page(one);
  send({ kind: "open", stream: 1, target: "primary" });
  await until(() => frames.length > 0);
  assert.deepEqual(frames, [{ kind: "close", stream: 1, code: "NO_SERVER", sentence: "No server is running." }]);
  const closed = once(socket, "close");
  socket.send(Uint8Array.of(99, 1, 2));
  assert.equal((await closed)[0], 1002);
  const other = await page(one);
  const left = once(other.socket, "close");
  other.socket.send("text");
  assert.equal((await left)[0], 1002);
});

test("web host: a page has at most 64 streams; one more is refused, and the others go on", async () => {
  const { promise: never } = Promise.withResolvers<never>();
  await using one = await host((target, events) => (target === "primary" ? echo(target, events) : never));
  const { send, until, data, frames, socket } = await page(one);
  for (let stream = 1; stream <= 64; stream++)
    send({ kind: "open", stream, target: stream === 1 ? "primary" : "slow" });
  send({ kind: "open", stream: 65, target: "primary" });
  await until(() => frames.some(({ kind }) => kind === "close"));
  const refused = frames.find(({ kind }) => kind === "close");
  assert.deepEqual(refused?.kind === "close" && [refused.stream, refused.code], [65, "STREAMS_FULL"]);
  send({ kind: "data", stream: 1, bytes: Buffer.from("a") });
  await until(() => data(1) === "primary:a");
  socket.terminate();
});

test("web host: a port that is taken is said, with what to type", async () => {
  await using one = await host();
  const files = new Map();
  const second = new WebHost({
    port: one.web.port,
    files,
    access: new Access(),
    connect: echo,
    greeting: { scopes: ["view"], by: "ann" },
    onUsed() {},
  });
  await assert.rejects(
    second.listen(),
    (error) => isWarrenError(error, "PORT_TAKEN") && error.fix === "warren web --port 0",
  );
});
