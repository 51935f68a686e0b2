import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readlinkSync, truncateSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { DEADLINE_MS, Front } from "../routing/testing/front.ts";

const noWorker = (): void => {};
const big = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => at % 251));
const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** How many descriptors of ours are a file of that name. */
function openCount(name: string): number {
  const targets = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ""; // the descriptor by which this very directory was read
    }
  });
  return targets.filter((target) => target.endsWith(`/${name}`)).length;
}

test("public files: a large file comes whole and in parts, and a resumed download is the same", async () => {
  await using front = await Front.start(noWorker, { "public/big.bin": big });
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const get = (headers: Record<string, string> = {}) => fetch(`${front.url}/big.bin`, { headers, signal });
  const whole = await get();
  assert.equal(digest(await whole.bytes()), digest(big));
  const tag = whole.headers.get("etag")!;
  const first = await get({ range: "bytes=0-999999" });
  const rest = await get({ range: "bytes=1000000-", "if-range": tag });
  assert.deepEqual([first.status, rest.status], [206, 206]);
  assert.equal(digest(Buffer.concat([await first.bytes(), await rest.bytes()])), digest(big));
  assert.equal((await get({ "if-none-match": tag })).status, 304);
});

test("public files: HEAD tells the length and sends nothing; a document with the script is as long as it says", async () => {
  await using front = await Front.start(noWorker, {
    "public/big.bin": big,
    "public/page.html": `${"x".repeat(300_000)}</body>`,
  });
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const head = await fetch(`${front.url}/big.bin`, { method: "HEAD", signal });
  assert.equal(head.headers.get("content-length"), "3000000");
  assert.equal((await head.bytes()).length, 0);
  const page = await fetch(`${front.url}/page.html`, { signal });
  const text = await page.text();
  assert.match(text, /^x{300000}<script [^>]*><\/script>\n<\/body>$/);
  assert.equal(page.headers.get("content-length"), String(text.length));
});

test("public files: a file is open while a client reads it, and no longer than the client is there", async () => {
  await using front = await Front.start(noWorker, { "public/big.bin": Buffer.alloc(64 * 1024 * 1024) });
  const socket = net.connect({ port: front.port, host: "127.0.0.1" });
  await once(socket, "connect");
  socket.write("GET /big.bin HTTP/1.1\r\nhost: x\r\n\r\n");
  await once(socket, "readable");
  assert.equal(openCount("big.bin"), 1);
  socket.destroy();
  const signal = AbortSignal.timeout(DEADLINE_MS);
  while (openCount("big.bin") > 0) {
    signal.throwIfAborted();
    await new Promise(setImmediate);
  }
});

test("public files: a file that becomes shorter while it is sent breaks off, so nobody takes a part for the whole", async () => {
  await using front = await Front.start(noWorker, { "public/big.bin": Buffer.alloc(64 * 1024 * 1024) });
  const answer = await fetch(`${front.url}/big.bin`, { signal: AbortSignal.timeout(DEADLINE_MS) });
  const reader = answer.body!.getReader();
  await reader.read();
  truncateSync(join(front.directory, "public/big.bin"), 32 * 1024 * 1024);
  const readOn = async () => {
    while (!(await reader.read()).done);
  };
  await assert.rejects(readOn(), { name: "TypeError" });
});
