import assert from "node:assert/strict";
import { test } from "node:test";
import type { FrontTable, FrontWorker, WorkerHealth } from "../../protocol/front-messages.ts";
import { healthDocument } from "./health.ts";

const worker = (name: string, state: FrontWorker["state"], reason?: string): FrontWorker => ({
  name,
  kind: "http",
  state,
  instances: state === "serving" ? [{ id: `${name}-1`, version: "v1", host: "127.0.0.1", port: 9000 }] : [],
  isLive: false,
  ...(reason === undefined ? {} : { reason }),
});

const table = (...workers: FrontWorker[]): FrontTable => ({
  format: 1,
  revision: 1,
  mode: "prod",
  project: "site",
  routes: [],
  workers,
  draining: [],
  trustedProxies: [],
  hasPublicMetrics: false,
  sessions: [],
});

const told = (...states: string[]): WorkerHealth[] =>
  states.map((state, at) => ({ worker: `w${at}`, state, instances: [] }));

test("health: healthy when all are, unhealthy when none works, else degraded; who was stopped does not count", () => {
  const status = (...states: string[]) =>
    healthDocument(table(...states.map((_, at) => worker(`w${at}`, "serving"))), told(...states)).status;
  assert.equal(status("healthy", "healthy"), "healthy");
  assert.equal(status("healthy", "stopped"), "healthy");
  assert.equal(status(), "healthy");
  assert.equal(status("healthy", "crash_looping"), "degraded");
  assert.equal(status("building"), "degraded");
  assert.equal(status("paused", "failed"), "degraded");
  assert.equal(status("failed", "unhealthy", "crash_looping", "stopped"), "unhealthy");
});

test("health: what no server has told is said as the front sees it", () => {
  const workers = [worker("a", "serving"), worker("b", "gone", "out of ports")];
  assert.deepEqual(healthDocument(table(...workers), []), {
    status: "degraded",
    project: "site",
    mode: "prod",
    workers: {
      a: { state: "healthy", instances: [{ id: "a-1", version: "v1", state: "healthy" }] },
      b: { state: "unhealthy", reason: "out of ports", instances: [] },
    },
  });
});

test("health: of a worker that the table does not have nothing is said", () => {
  assert.deepEqual(Object.keys(healthDocument(table(), told("healthy")).workers), []);
});
