import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AccessFile, AccessLog } from "./access-log.ts";
import { Observer } from "./observer.ts";

test("observer: an exchange is counted and written down; what is asked for has both the counts and the moment", async () => {
  const directory = mkdtempSync(join(tmpdir(), "warren-observer-"));
  try {
    const path = join(directory, "access.log");
    const observer = new Observer({
      accessLog: new AccessLog(new AccessFile(path)),
      gauges: () => ({ connections: 1, inFlight: { "api-1": 1 }, waiting: {}, liveClients: 2 }),
    });
    const record = { requestId: "r1", remoteAddress: "::1", method: "GET", host: "x", target: "/a", instance: "api-1" };
    observer.record({ ...record, worker: "api", status: 502, bytesIn: 0, bytesOut: 5, durationMs: 2 });
    const stats = observer.stats();
    assert.equal(stats.requests, 1);
    assert.deepEqual(stats.inFlight, { "api-1": 1 });
    assert.equal(stats.workers.front?.failed, 1, "no table has told of that worker");
    assert.match(stats.metrics, /^warren_gateway_live_clients 2$/m);
    await observer.close();
    assert.equal(JSON.parse(readFileSync(path, "utf8")).status, 502);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
