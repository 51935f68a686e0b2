import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { FrontDoor } from "./front-door.ts";
import { HUB_LIMITS } from "./limits.ts";
import { TestHub } from "./testing/test-hub.ts";

test("front door: who asks for a WebSocket elsewhere is cut off behind the answer, also when they stay half open", async () => {
  await using site = await TestHub.open();
  const door = new FrontDoor({
    facts: () => ({ key: "", fingerprint: "", label: "", version: "" }),
    files: () => new Map(),
    hub: site.hub,
    limits: HUB_LIMITS,
    isBehindProxy: false,
  });
  const port = await door.listen("127.0.0.1", 0);
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  try {
    const ended = once(socket, "close", { signal: AbortSignal.timeout(10_000) });
    let answer = "";
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString();
    });
    socket.write("GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    const writeOn = (): void => void socket.write("x", (error) => error || setImmediate(writeOn));
    socket.on("end", writeOn);
    await assert.rejects(ended, { syscall: "write" }, "nobody has the other end any more");
    assert.match(answer, /^HTTP\/1.1 404/);
  } finally {
    socket.destroy();
    door.close();
  }
});
