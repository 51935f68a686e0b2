import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../../platform/clock.ts";
import { silentLog } from "../../platform/log.ts";
import { Listeners } from "./listeners.ts";

async function taken(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

test("the port of the leader before is waited for, while that one's process ends", async () => {
  const dir = mkdtempSync(join(tmpdir(), "warren-listeners-"));
  const { server, port } = await taken();
  const listeners = (options: { port: number; lastPort?: number }): Listeners =>
    new Listeners({
      ...options,
      socketPath: join(dir, "mail.sock"),
      clock: systemClock,
      log: silentLog,
      onConnection: (socket) => socket.destroy(),
    });
  // Another's, of which nobody knows that it will be given up, costs no time; one that stays another's is given up after a while.
  assert.equal(await listeners({ port }).bind(), undefined);
  assert.equal(await listeners({ port, lastPort: port }).bind(), undefined);
  const elsewhere = listeners({ port: 0, lastPort: port });
  assert.notEqual(await elsewhere.bind(), port);
  const next = listeners({ port: 0, lastPort: port });
  const bound = next.bind();
  server.close();
  assert.equal(await bound, port);
  for (const one of [elsewhere, next]) {
    await one.open();
    one.close();
  }
  rmSync(dir, { recursive: true });
});
