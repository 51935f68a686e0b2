import assert from "node:assert/strict";
import { test } from "node:test";
import type { FrontTable } from "../../protocol/front-messages.ts";
import { Metrics } from "./metrics.ts";
import { parsePrometheus } from "./testing/prometheus-text.ts";

const table = (...names: string[]): FrontTable => ({
  format: 1,
  revision: 1,
  mode: "dev",
  project: "site",
  routes: [],
  workers: names.map((name) => ({
    name,
    kind: "http",
    state: "serving",
    instances: [{ id: `${name}-1`, version: "v1", host: "127.0.0.1", port: 9000 }],
    isLive: false,
  })),
  draining: [],
  trustedProxies: [],
  hasPublicMetrics: false,
  sessions: [],
});

function record(
  metrics: Metrics,
  worker: string | undefined,
  method: string,
  status: number,
  durationMs: number,
  bytesIn: number,
  bytesOut: number,
  target = "/",
): void {
  const rest = { requestId: "r", remoteAddress: "127.0.0.1", host: "x", instance: undefined };
  metrics.record({ ...rest, worker, method, status, durationMs, bytesIn, bytesOut, target });
}

const gauges = { connections: 3, inFlight: { "api-1": 2 }, waiting: { api: 1 }, liveClients: 0, droppedLines: 0 };

/** A sample's value by its name and labels. */
function samples(text: string): Map<string, number> {
  const found = parsePrometheus(text).flatMap((family) => family.samples);
  return new Map(
    found.map(({ name, labels, value }) => {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
      return [`${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`}`, value];
    }),
  );
}

test("metrics: requests by worker, method and class; durations cumulative; gauges by worker", () => {
  const metrics = new Metrics();
  metrics.applyTable(table("api"));
  record(metrics, "api", "GET", 200, 0.1, 0, 100);
  record(metrics, "api", "GET", 204, 3, 5, 10);
  record(metrics, "api", "BREW", 503, 70_000, 0, 10);
  record(metrics, undefined, "GET", 404, 1, 0, 10);
  record(metrics, "api", "GET", 101, 9_000, 0, 10);
  record(metrics, undefined, "GET", 200, 9_000, 0, 10, "/.warren/live?worker=api");
  const found = samples(metrics.text(gauges));
  const value = (name: string) => found.get(`warren_gateway_${name}`);
  assert.equal(value('requests_total{worker="api",method="GET",status="2xx"}'), 2);
  assert.equal(value('requests_total{worker="api",method="other",status="5xx"}'), 1);
  assert.equal(value('requests_total{worker="front",method="GET",status="4xx"}'), 1);
  assert.equal(value('request_duration_seconds_bucket{worker="api",le="0.000128"}'), 1);
  assert.equal(value('request_duration_seconds_bucket{worker="api",le="0.004096"}'), 2);
  assert.equal(value('request_duration_seconds_bucket{worker="api",le="+Inf"}'), 3);
  assert.equal(value('request_duration_seconds_count{worker="api"}'), 3);
  assert.equal(value('request_duration_seconds_count{worker="front"}'), 1, "how long a page was open does not count");
  assert.equal(value('sent_bytes_total{worker="api"}'), 130);
  assert.equal(value('in_flight{worker="api"}'), 2);
  assert.equal(value('waiting{worker="api"}'), 1);
  assert.equal(value("connections"), 3);
});

test("metrics: labels come from the table alone, and go with it; counts of those that stay go on", () => {
  const metrics = new Metrics();
  metrics.applyTable(table("api", "old"));
  record(metrics, "api", "GET", 200, 1, 0, 0);
  record(metrics, "old", "GET", 200, 1, 0, 0);
  for (let at = 0; at < 1_000; at++) record(metrics, `made-up-${at}`, `METHOD${at}`, 200, 1, 0, 0);
  metrics.applyTable(table("api", "new"));
  assert.deepEqual(Object.keys(metrics.workerStats()).sort(), ["api", "front", "new"]);
  assert.equal(metrics.workerStats().api?.requests, 1);
  assert.equal(metrics.workerStats().front?.requests, 1_000);
  assert.equal(metrics.requests, 1_002);
  assert.ok(metrics.text(gauges).split("\n").length < 150);
});

test("metrics: the text holds whatever a worker is called, and does not grow with what clients ask for", () => {
  const metrics = new Metrics();
  const odd = 'a "b"\\n\n{x="y"} é';
  metrics.applyTable(table("api", odd));
  record(metrics, odd, "GET", 200, 1, 1, 1);
  const before = parsePrometheus(metrics.text(gauges));
  assert.ok(before.some(({ samples: found }) => found.some(({ labels }) => labels.worker === odd)));
  for (let at = 0; at < 10_000; at++) record(metrics, "api", "GET", 200, at / 10, 0, 0, `/path-${at}?query=${at}`);
  const after = metrics.text(gauges);
  const countOf = (families: typeof before) => families.reduce((sum, { samples: found }) => sum + found.length, 0);
  assert.equal(countOf(parsePrometheus(after)), countOf(before) + 1, "one more: GET of api");
  assert.doesNotMatch(after, /path-|query/);
});

test("metrics: what reads them in tests refuses what is not the format", () => {
  const head = "# HELP a_total A.\n# TYPE a_total counter\n";
  parsePrometheus(`${head}a_total{b="c\\n"} 1\n`);
  for (const bad of [
    `${head}a_total 1`,
    `${head}a_total{b="c"d="e"} 1\n`,
    `${head}a_total{b="\\x"} 1\n`,
    `${head}a_total 1\na_total 2\n`,
    `${head}b_total 1\n`,
    `${head}${head}`,
    "# TYPE a_total counter\n",
    "# HELP a A.\n# TYPE a counter\n",
    '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
  ])
    assert.throws(() => parsePrometheus(bad), bad);
});
