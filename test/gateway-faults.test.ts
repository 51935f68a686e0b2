import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import net from "node:net";
import { test } from "node:test";
import { Site, saying } from "./harness/site.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** A gateway among clients that mean it no good: whoever else comes is served, and its memory stays bounded. */
const TIMEOUT_MS = 90_000;
/** Twice as many are together fewer than a front admits with 20,000 descriptors: past that it closes those that wait. */
const CLIENTS = process.env.WARREN_PROOF ? 4_000 : 500;
const SITE = { "workers/index/src/main.ts": saying("one") };
/** Answers when it has read the request whole. */
const READING = `import { createServer } from "node:http";
createServer((request, response) => {
  request.resume().on("end", () => response.end("one")).on("error", () => {});
}).listen(process.env.PORT);
`;
/** Idle connections cost some 10 KiB each, of which the kernel's part is not counted here. */
const CONNECTION_BYTES_MAX = 64 * 1024;
const SLACK_BYTES = 24 * 1024 * 1024;

/** Raw clients that are cut when the test ends. */
class Crowd implements Disposable {
  readonly sockets: net.Socket[] = [];
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** Connections on which `said` is sent, and then whatever the test says. */
  async join(count: number, said: string): Promise<net.Socket[]> {
    const joined = Array.from({ length: count }, () => net.connect(this.#port, "127.0.0.1"));
    this.sockets.push(...joined);
    await Promise.all(
      joined.map(
        (socket) =>
          new Promise<void>((resolve, reject) => {
            socket.once("error", reject);
            socket.once("connect", () => {
              socket.off("error", reject);
              socket.on("error", () => {});
              socket.resume();
              if (said !== "") socket.write(said);
              resolve();
            });
          }),
      ),
    );
    return joined;
  }

  [Symbol.dispose](): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

const residentBytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;

test(
  "gateway: idle connections and dripping heads by the hundred, while others are served",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make({ ...SITE, "warren.yaml": "gateway: { limits: { head: 3s } }\n" });
    const { front } = await site.up();
    await site.text("/");
    const before = residentBytes(front!.pid);
    using crowd = new Crowd(site.port);
    const idle = await crowd.join(CLIENTS, "");
    const slow = await crowd.join(CLIENTS, "GET / HTTP/1.1\r\n");
    for (let round = 0; round < 10; round++) {
      for (const socket of slow) if (!socket.destroyed) socket.write(`x-${round}: y\r\n`);
      assert.match(await site.text(`/${round}`), /^one /);
    }
    const grown = residentBytes(front!.pid) - before;
    assert.ok(
      grown < 2 * CLIENTS * CONNECTION_BYTES_MAX + SLACK_BYTES,
      `${grown} bytes for ${2 * CLIENTS} connections`,
    );
    await waitUntil(
      () => {
        for (const socket of slow) if (!socket.destroyed) socket.write("x");
        return slow.every(({ destroyed, readableEnded }) => destroyed || readableEnded);
      },
      { what: "the end of those that drip", everyMs: 50, deadlineMs: 30_000 },
    );
    assert.ok(
      idle.every(({ destroyed }) => !destroyed),
      "who only waits may stay",
    );
    assert.match(await site.text("/after"), /^one /);
    assert.equal((await site.status()).front?.pid, front!.pid);
  },
);

test(
  "gateway: huge heads, targets and bodies are refused, and the next request is served",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make({
      "workers/index/src/main.ts": READING,
      "warren.yaml": "gateway: { limits: { body_size: 1MB } }\n",
    });
    const { front } = await site.up();
    await site.text("/");
    const before = residentBytes(front!.pid);
    const big = "x".repeat(64 * 1024);
    const cases: [string, string, number][] = [
      ["a head", `GET / HTTP/1.1\r\nHost: a\r\nX: ${big}\r\n\r\n`, 431],
      ["fields", `GET / HTTP/1.1\r\nHost: a\r\n${"X: y\r\n".repeat(101)}\r\n`, 431],
      ["a target", `GET /${big} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
      ["a first line without an end", big.repeat(2), 414],
      ["a body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000000000\r\n\r\n", 413],
      [
        "a body in chunks",
        `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${`10000\r\n${big}\r\n`.repeat(40)}`,
        413,
      ],
      ["a chunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400],
    ];
    for (const [name, request, status] of cases) {
      assert.equal(await statusOf(site.port, request), status, name);
      assert.equal(await site.text("/"), "one", name);
    }
    assert.ok(residentBytes(front!.pid) - before < SLACK_BYTES);
  },
);

test(
  "gateway: a large answer to a client that does not read costs the front little",
  { timeout: TIMEOUT_MS },
  async () => {
    const bytes = 200 * 1024 * 1024;
    const worker = `import { createServer } from "node:http";
import { Readable } from "node:stream";
createServer((_request, response) => {
  const chunk = Buffer.alloc(65536, 120);
  let left = ${bytes};
  const body = new Readable({ read() { left -= chunk.length; this.push(left < 0 ? null : chunk); } });
  response.writeHead(200, { "content-length": ${bytes} });
  body.pipe(response);
}).listen(process.env.PORT);
`;
    await using site = await Site.make({ "workers/index/src/main.ts": worker });
    const { front } = await site.up();
    using crowd = new Crowd(site.port);
    const before = residentBytes(front!.pid);
    const [socket] = await crowd.join(1, "");
    let received = 0;
    let most = 0;
    socket!.pause();
    socket!.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (received % (8 * 1024 * 1024) < chunk.length) most = Math.max(most, residentBytes(front!.pid) - before);
    });
    socket!.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    socket!.pause();
    const levels: number[] = [];
    await waitUntil(
      () => {
        levels.push(residentBytes(front!.pid));
        return levels.length > 20 && levels.slice(-10).every((level) => level === levels.at(-1));
      },
      { what: "a front that takes no more", everyMs: 20 },
    );
    assert.equal(received, 0);
    most = Math.max(...levels) - before;
    socket!.resume();
    await waitUntil(() => received > bytes, { what: "all of it", deadlineMs: 60_000 });
    assert.ok(most < SLACK_BYTES, `${most} bytes`);
  },
);

/** Of the answer to what is sent in one piece. */
function statusOf(port: number, request: string): Promise<number> {
  return new Promise((resolve) => {
    let text = "";
    const socket = net.connect(port, "127.0.0.1", () => socket.write(request));
    const done = (): void => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0));
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (!text.includes("\r\n\r\n")) return;
      done();
      socket.destroy();
    });
    socket.on("error", done);
    socket.on("close", done);
  });
}
