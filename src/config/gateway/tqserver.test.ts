import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { loadGateway } from "./load-gateway.ts";
import { temporaryProject } from "./project-fixture.ts";

/** TQServer's own example, with every key that its code reads. */
const SERVER = `
server:
  port: 8090
  read_timeout_seconds: 20
  write_timeout_seconds: 40
  idle_timeout_seconds: 120
  log_file: logs/tqserver_{date}.log
workers:
  directory: apps
  port_range_start: 9100
  port_range_end: 9199
  startup_delay_ms: 100
  restart_delay_ms: 100
  shutdown_grace_period_ms: 500
  health_check_wait_timeout_ms: 7000
  health_check_timeout_ms: 250
file_watcher:
  debounce_ms: 50
metrics:
  enabled: true
  path: /metrics
socks5:
  enabled: true
  port: 1080
  log_file: x
  log_format: json
  https_inspection: { enabled: true, ca_cert: a, ca_key: b, auto_generate: true, log_body: true, max_body_size: 1 }
`;
const GO = `
path: /api
name: API worker
type: go
enabled: "true"
log_file: logs/{name}.log
logging:
  log_file: logs/{name}_{date}.log
go: { go_max_procs: 2, go_mem_limit: 128MiB, read_timeout_seconds: 30, write_timeout_seconds: 30, idle_timeout_seconds: 120, max_requests: 1000 }
scaling: { min_workers: 2, max_workers: 5, queue_threshold: 10, scale_down_delay: 60 }
runtime: go
timeouts: { read: 3 }
document_root: x
`;
const FILES = {
  "config/server.yaml": SERVER,
  "apps/api/config/worker.yaml": GO,
  "apps/api/src/main.go": "",
  "apps/page/config/worker.yaml": "path: /\ntype: bun\nbun: { entrypoint: server.ts, env: { A: 1 } }\n",
  "apps/page/server.ts": "",
  "apps/page/package.json": "{}",
  "apps/dev/config/worker.yaml": "path: /dev\ntype: bun\nenabled: development\n",
  "apps/dev/index.ts": "",
};

test("TQServer: config/server.yaml does what it says", async () => {
  await using project = await temporaryProject(FILES);
  const config = await loadGateway(project.dir);
  assert.deepEqual([config.port, config.workersDir, config.hasPublicMetrics], [8090, join(project.dir, "apps"), true]);
  assert.deepEqual(config.ports, { from: 9100, to: 9199 });
  assert.deepEqual(config.limits, { headMs: 20_000, bodyIdleMs: 20_000, answerMs: 40_000, idleMs: 120_000 });
  const [api] = config.workers;
  assert.deepEqual([api?.startTimeoutMs, api?.health.timeoutMs, api?.stopGraceMs], [7_000, 250, 500]);
});

test("TQServer: go and bun workers are commands, stripped of their path", async () => {
  await using project = await temporaryProject(FILES);
  const [api, dev, page] = (await loadGateway(project.dir)).workers;
  assert.deepEqual([api?.name, api?.type, api?.path, api?.strip, api?.instances], ["api", "command", "/api", true, 2]);
  assert.deepEqual([api?.build, api?.command], [["go", "build", "-o", "bin/api", "./src"], ["bin/api"]]);
  assert.deepEqual(api?.env, {
    ...{ GOMAXPROCS: "2", GOMEMLIMIT: "128MiB", WORKER_READ_TIMEOUT_SECONDS: "30" },
    ...{ WORKER_WRITE_TIMEOUT_SECONDS: "30", WORKER_IDLE_TIMEOUT_SECONDS: "120" },
  });
  assert.deepEqual([dev?.build, dev?.command], [undefined, ["bun", "run", "index.ts"]]);
  assert.deepEqual(
    [page?.build, page?.command, page?.env],
    [["bun", "install"], ["bun", "run", "server.ts"], { A: "1" }],
  );
});

test("TQServer: all that does nothing is named in one warning, with the reason", async () => {
  await using project = await temporaryProject(FILES);
  const { warnings } = await loadGateway(project.dir);
  assert.equal(warnings.length, 1);
  const keys = [
    ...["server.log_file", "workers.startup_delay_ms", "workers.restart_delay_ms", "socks5", "socks5.https_inspection"],
    ...["name", "log_file", "logging", "go.max_requests", "scaling.max_workers", "scaling.queue_threshold"],
    ...["scaling.scale_down_delay", "runtime", "timeouts", "document_root"],
  ];
  for (const key of keys) assert.match(warnings[0]!, new RegExp(`[ ]${key.replace(".", "[.]")} \\([^)]+\\)`), key);
  assert.doesNotMatch(warnings[0]!, /debounce|metrics/, "they are what we do anyway");
});

test("TQServer: warren.yaml goes before it, and strip can be said", async () => {
  await using project = await temporaryProject({
    ...FILES,
    "warren.yaml": "gateway: { port: 1, public_metrics: false, ports: 9300-9399, limits: { answer: 1s } }\n",
  });
  await project.write({
    "apps/page/config/worker.yaml": "path: /\ntype: bun\nstrip: false\nbun: { entrypoint: server.ts }\n",
  });
  const config = await loadGateway(project.dir);
  assert.deepEqual([config.port, config.hasPublicMetrics, config.ports.from], [1, false, 9300]);
  assert.equal(config.limits.answerMs, 1_000);
  assert.equal(config.workers.find(({ name }) => name === "page")?.strip, false);
});

test("TQServer: an unknown key is a problem as everywhere, php one that says what to do", async () => {
  await using project = await temporaryProject({
    "config/server.yaml": "server: { prot: 1 }\nworkers: { port_range_start: 9200, port_range_end: 9100 }\n",
    "workers/old/config/worker.yaml": "path: /old\ntype: php\nphp: { pool: { manager: dynamic } }\n",
    "workers/x/config/worker.yaml": "path: /x\ntype: bun\nbun: { entry: a.ts }\n",
    "workers/x/index.ts": "",
  });
  assert.deepEqual(await project.problems(), [
    'config/server.yaml:1:11 server.prot: there is no key "prot" here; did you mean "port"?',
    "config/server.yaml:2:52 workers.port_range_end: begins at 9200, after its end 9100",
    'workers/old/config/worker.yaml:2:7 type: php (by php-fpm) is not implemented; php can serve by itself: "type: command" and "command: php -S 127.0.0.1:$PORT -t public"',
    'workers/x/config/worker.yaml:3:8 bun.entry: there is no key "entry" here',
  ]);
});
