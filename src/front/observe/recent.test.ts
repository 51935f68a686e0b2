import assert from "node:assert/strict";
import { test } from "node:test";
import { Recent } from "./recent.ts";

function recentAt() {
  const now = { ms: 5_000_000 };
  const recent = new Recent({ wallMs: () => now.ms, monotonicMs: () => now.ms, timer: () => () => {} });
  const record = (worker: string | undefined, target = "/", status = 200, durationMs = 1) =>
    recent.record({
      requestId: "r",
      remoteAddress: "::1",
      method: "GET",
      host: "x",
      target,
      worker,
      instance: undefined,
      status,
      bytesIn: 0,
      bytesOut: 0,
      durationMs,
      isSecure: false,
    });
  return { now, recent, record };
}

test("recent: a rate of the last ten whole seconds, durations of the last minute or two", () => {
  const { now, recent, record } = recentAt();
  recent.keep([{ name: "api" }]);
  for (let second = 0; second < 30; second++) {
    for (let at = 0; at < 5; at++) record("api", "/", 200, second < 29 ? 1 : 100);
    now.ms += 1_000;
  }
  assert.equal(recent.of("api").perSecond, 5);
  assert.ok(recent.of("api").p50Ms < 2 && recent.of("api").p99Ms >= 100);
  record("api");
  assert.equal(recent.of("api").perSecond, 5, "the present second does not count");
  now.ms += 5_000;
  assert.ok(recent.of("api").perSecond < 5);
  now.ms += 60_000;
  assert.equal(recent.of("api").perSecond, 0);
  assert.ok(recent.of("api").p99Ms >= 100, "a minute old");
  now.ms += 180_000;
  assert.deepEqual(recent.of("api"), { perSecond: 0, p50Ms: 0, p99Ms: 0 });
});

test("recent: the last exchanges and the last failures; who looks at us is left out; names are the table's", () => {
  const { recent, record } = recentAt();
  recent.keep([{ name: "api" }]);
  for (let at = 0; at < 1_000; at++) record(`made-up-${at}`, `/${at}`, at % 10 === 0 ? 503 : 200);
  record(undefined, "/.warren/");
  record("api", "/last", 101, 900_000);
  const targets = recent.exchanges().map(({ exchange }) => exchange.target);
  assert.deepEqual([targets.length, targets[0], targets[1]], [50, "/last", "/999"]);
  const failures = recent.failures().map(({ exchange }) => exchange.target);
  assert.deepEqual([failures.length, failures[0], failures[19]], [20, "/990", "/800"]);
  assert.equal(recent.of("made-up-3").p99Ms, 0);
  assert.equal(recent.of("api").p99Ms, 0, "how long a WebSocket was open is no duration");
});
