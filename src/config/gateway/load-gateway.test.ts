import assert from "node:assert/strict";
import { rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { isWarrenError } from "../../protocol/errors.ts";
import type { ProjectConfig } from "../../protocol/gateway-config.ts";
import { findGateway, loadGateway, readGateway } from "./load-gateway.ts";
import { temporaryProject } from "./project-fixture.ts";

const INDEX = { "workers/index/src/main.ts": "" };

test("gateway: folders of workers need no configuration", async () => {
  await using project = await temporaryProject({
    ...INDEX,
    "workers/api/src/main.mjs": "",
    "workers/docs/public/index.html": "",
  });
  const config = await loadGateway(project.dir);
  const { host, port, mode, ports, hasPublicMetrics } = config;
  assert.deepEqual(
    { host, port, mode, ports, hasPublicMetrics },
    {
      ...{ host: "127.0.0.1", port: 8080, mode: "dev" },
      ...{ ports: { from: 9000, to: 9999 }, hasPublicMetrics: false },
    },
  );
  assert.deepEqual(config.routes, [
    { path: "/api", kind: "worker", worker: "api", strip: false },
    { path: "/docs", kind: "worker", worker: "docs", strip: false },
    { path: "/", kind: "worker", worker: "index", strip: false },
  ]);
  assert.deepEqual(
    config.workers.map(({ name, type, entry, instances }) => [name, type, entry, instances]),
    [
      ["api", "node", join(project.dir, "workers/api/src/main.mjs"), 1],
      ["docs", "static", undefined, 0],
      ["index", "node", join(project.dir, "workers/index/src/main.ts"), 1],
    ],
  );
  assert.deepEqual(config.warnings, []);
});

test("gateway: what the control plane takes is what is loaded", async () => {
  await using project = await temporaryProject(INDEX);
  const config: ProjectConfig = await loadGateway(project.dir);
  assert.deepEqual(JSON.parse(JSON.stringify(config)), config, "plain JSON");
});

test("gateway: every key of warren.yaml and worker.yaml arrives", async () => {
  await using project = await temporaryProject({
    "warren.yaml": `
gateway:
  host: "0.0.0.0"
  port: 0
  mode: prod
  workers: apps
  public: static
  ports: 9100-9199
  redirects: [{ path: /old, to: "https://example.org/new", host: [a.org, "*.b.org"], status: 308 }]
  rewrites: { /v1: "/api?version=1" }
  trusted_proxies: [10.0.0.0/8, "::1"]
  public_metrics: true
  live_reload: false
  keep: 3
  allow_env: [AWS_*]
  limits: { head: 1s, body: 2s, idle: 3s, answer: 4s, body_size: 1MB }
`,
    "apps/api/worker.yaml": `
path: /api/
host: API.example.org
methods: [GET, POST]
strip: true
rewrite: { /api/old: /api/new }
type: command
build: make out
command: ./out --port $PORT
takes_socket: true
instances: 2
env: { A: own, N: 1.10 }
env_file: .env
allow_env: [TOKEN]
health: { path: "/up?x=1", interval: 5s, timeout: 1s, rise: 2, fall: 4 }
drain: 1m
grace: 2s
start_timeout: 3s
build_timeout: 4s
probation: 5s
hold: 6s
memory: 64MB
keep: 7
live_reload: true
watch: [../../shared/**]
ignore: [uploads, "data/*.db"]
public: assets
`,
    "apps/api/.env": "A=file\nB=2\nPORT=3000\n",
    "shared/a.ts": "",
    "apps/out/worker.yaml": "url: https://example.org\n",
  });
  const config = await loadGateway(project.dir);
  const { workers, routes, watched, ...rest } = config;
  assert.deepEqual(rest, {
    ...{
      dir: project.dir,
      project: "site",
      host: "0.0.0.0",
      port: 0,
      mode: "prod",
      hasPublicMetrics: true,
      warnings: [],
    },
    ...{
      workersDir: join(project.dir, "apps"),
      publicDir: join(project.dir, "static"),
      ports: { from: 9100, to: 9199 },
    },
    rules: routes.slice(-3),
    trustedProxies: ["10.0.0.0/8", "::1"],
    limits: { headMs: 1_000, bodyIdleMs: 2_000, idleMs: 3_000, answerMs: 4_000, bodyBytesMax: 1024 ** 2 },
  });
  assert.deepEqual(routes, [
    { host: "api.example.org", path: "/api", methods: ["GET", "POST"], kind: "worker", worker: "api", strip: true },
    { host: "api.example.org", path: "/api/old", kind: "rewrite", to: "/api/new" },
    { path: "/out", kind: "worker", worker: "out", strip: false },
    { path: "/v1", kind: "rewrite", to: "/api?version=1" },
    { host: "a.org", path: "/old", kind: "redirect", to: "https://example.org/new", status: 308 },
    { host: "*.b.org", path: "/old", kind: "redirect", to: "https://example.org/new", status: 308 },
  ]);
  const dir = join(project.dir, "apps/api");
  assert.deepEqual(workers[0], {
    ...{
      name: "api",
      dir,
      file: join(dir, "worker.yaml"),
      type: "command",
      path: "/api",
      route: "api.example.org/api",
    },
    ...{ hosts: ["api.example.org"], methods: ["GET", "POST"], strip: true, rules: [routes[1]], hasSources: true },
    ...{ build: ["make", "out"], command: ["sh", "-c", "./out --port $PORT"], takesSocket: true, instances: 2 },
    ...{ publicDir: join(dir, "assets"), env: { A: "own", B: "2", N: "1.10" }, allowEnv: ["AWS_*", "TOKEN"] },
    ...{ sharedDirs: [join(project.dir, "shared")], isLive: true, keepCount: 7, memoryBytesMax: 64 * 1024 ** 2 },
    ignore: ["uploads", "data/*.db"],
    health: { path: "/up?x=1", isConfigured: true, intervalMs: 5_000, timeoutMs: 1_000, rise: 2, fall: 4 },
    ...{
      drainMs: 60_000,
      stopGraceMs: 2_000,
      startTimeoutMs: 3_000,
      buildTimeoutMs: 4_000,
      probationMs: 5_000,
      holdMs: 6_000,
    },
  });
  assert.deepEqual(workers[1]?.target, { host: "example.org", port: 443, isTls: true });
  for (const file of ["warren.yaml", "apps", "apps/api/worker.yaml", "apps/api/.env", "apps/out/config/worker.yaml"])
    assert.ok(watched.includes(join(project.dir, file)), file);
});

test("gateway: a worker that is not enabled in this mode is not there", async () => {
  await using project = await temporaryProject({
    ...INDEX,
    "workers/metrics/worker.yaml": "enabled: development\n",
    "workers/metrics/src/main.ts": "",
    "workers/off/worker.yaml": 'enabled: "false"\ntype: php\n',
  });
  const names = async (mode: "dev" | "prod") =>
    (await loadGateway(project.dir, { mode })).workers.map(({ name }) => name);
  assert.deepEqual(await names("dev"), ["index", "metrics"]);
  assert.deepEqual(await names("prod"), ["index"]);
  assert.equal((await loadGateway(project.dir, { mode: "prod" })).mode, "prod");
});

test("gateway: a folder that is no worker is said, and breaks nothing; one of a tool is not looked at", async () => {
  await using project = await temporaryProject({
    ...INDEX,
    "workers/shared/lib.ts": "",
    "workers/half/src/other.ts": "",
    "workers/half/public/a.css": "",
    "workers/node_modules/x/src/main.ts": "",
    "workers/.git/src/main.ts": "",
    "workers/README.md": "",
  });
  const { workers, warnings } = await loadGateway(project.dir);
  assert.deepEqual(
    workers.map(({ name }) => name),
    ["index"],
  );
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0]!,
    /^No worker, as there is no worker\.yaml, src\/main\.ts,.*: workers\/half, workers\/shared\.$/,
  );
});

test("gateway: a worker whose entry is gone for a moment does not become another kind, or none", async () => {
  await using project = await temporaryProject({
    ...INDEX,
    "workers/index/public/a.css": "",
    "workers/index/bin/index-abc.mjs": "",
    "workers/index/bin/index": "-> index-abc.mjs",
  });
  await rm(join(project.dir, "workers/index/src"), { recursive: true });
  assert.deepEqual(
    await project.problems(),
    ["workers/index:1:1 entry: src/main.ts does not exist in workers/index"].map((text) =>
      text.replace("in workers", `in ${project.dir}/workers`).replace(`${project.dir}/`, ""),
    ),
  );
  const [worker] = (await loadGateway(project.dir, { mode: "prod" })).workers;
  assert.deepEqual([worker?.type, worker?.hasSources], ["node", false], "in production what was built is enough");
});

test("gateway: nothing there at all says what to make", async () => {
  await using project = await temporaryProject({ "workers/": "", "warren.yaml": "gateway: { port: 1 }\n" });
  await assert.rejects(loadGateway(project.dir), (error) => {
    assert.ok(isWarrenError(error, "NO_WORKERS"));
    assert.equal(error.fix, "warren init site");
    assert.match(error.message, /a worker is a folder workers\/<name>/);
    assert.ok((error.detail?.watched as string[]).includes(join(project.dir, "workers")));
    return true;
  });
  await project.write({ "server/public/index.html": "" });
  assert.deepEqual((await loadGateway(project.dir)).workers, [], "files of the project's own are something to serve");
});

test("gateway: problems of all files come in one error, each with file, line, column, field and suggestion", async () => {
  await using project = await temporaryProject({
    "warren.yaml":
      "jobs:\n  api: { comand: x }\ngateway:\n  prot: 80\n  host: localhost\n  trusted_proxies: [10.0.0.0/40]\n",
    "workers/api/worker.yaml": "path: api\nentry: src/man.ts\nhealht: { path: /up }\ninterval: 3\n",
    "workers/api/src/main.ts": "",
    "workers/Big_One/src/main.ts": "",
  });
  assert.deepEqual(await project.problems(), [
    'warren.yaml:2:10 jobs.api.comand: there is no key "comand" here; did you mean "command"?',
    'warren.yaml:4:3 gateway.prot: there is no key "prot" here; did you mean "port"?',
    'warren.yaml:5:9 gateway.host: must be an IP address, not "localhost"; did you mean "127.0.0.1"?',
    'warren.yaml:6:21 gateway.trusted_proxies[0]: must be an address or a network such as 10.0.0.0/8, not "10.0.0.0/40"',
    `workers/Big_One:1:1 the folder's name is the worker's, and "Big_One" is not a name: a lower-case letter, then at most 31 of a-z, 0-9 and -; did you mean "big-one"?`,
    'workers/api/worker.yaml:1:7 path: must be a path such as /api, not "api"; did you mean "/api"?',
    'workers/api/worker.yaml:2:8 entry: src/man.ts does not exist in workers/api; did you mean "entry: src/main.ts"?',
    'workers/api/worker.yaml:3:1 healht: there is no key "healht" here; did you mean "health"?',
    'workers/api/worker.yaml:4:1 interval: there is no key "interval" here',
  ]);
  const { config, problems } = await readGateway(project.dir);
  assert.equal(config, undefined);
  assert.equal(problems.length, 9);
});

test("gateway: a bad value of a worker is one problem, where it stands", async () => {
  await using project = await temporaryProject({ ...INDEX, "workers/x/": "", "shared/a.ts": "", "outside.ts": "" });
  const cases: readonly (readonly [text: string, expected: RegExp])[] = [
    ["", /worker.yaml:1:1 x does not say what it is: it has no "type", .*src\/main\.ts/],
    ["- a", /1:1 must be a map, not a list/],
    ["type: php", /1:7 type: php \(by php-fpm\) is not implemented; .*php -S/],
    ["type: ruby", /1:7 type: must be one of node, command/],
    ["type: command", /has no "command"; .*\$PORT/],
    ['command: "a \'b"', /command: the single quote .* is not closed/],
    ["entry: ../index/src/main.ts", /entry: .*lies outside of/],
    ["entry: src/main.ts\ncommand: x", /entry: is for workers of type node, and this one is of type command/],
    ["url: localhost:3000", /url: must be a URL .*; did you mean "http:\/\/localhost:3000"/],
    ["url: http://a/b", /url: .* has a path.*; did you mean "http:\/\/a"/],
    ["url: http://me:secret@a", /url: holds a name or a password/],
    ["url: http://127.0.0.1:8080", /url: 127.0.0.1:8080 is this gateway itself/],
    ["url: http://a\ninstances: 2", /instances: is for processes, and a worker of type url has none/],
    ["type: static", /public: .*does not exist, and it is all that a static worker has/],
    ["command: x\npublic: .", /public: workers\/x is the folder of the sources/],
    ["command: x\npublic: src", /public: workers\/x\/src is a folder of sources/],
    ["command: x\npublic: private/a", /public: workers\/x\/private\/a is a folder of/],
    ["command: x\npublic: ../../..", /public: .*leads out of/],
    ["command: x\npath: /a//b", /path: "\/a\/\/b" has an empty segment; did you mean "\/a\/b"/],
    ["command: x\npath: /a/../b", /path: .* has a dot segment/],
    ["command: x\npath: /a%2fb", /path: .*an encoded slash/],
    ["command: x\npath: /a?b", /path: .* has a \?, .*did you mean "\/a"/],
    ["command: x\npath: /a/*", /path: .* is a pattern; .*did you mean "\/a"/],
    ["command: x\npath: /health", /path: \/health is the gateway's own/],
    ["command: x\npath: /.warren/x", /path: \/\.warren\/x is the gateway's own/],
    ["command: x\nhost: a.org:80", /host: .* has a port; .*did you mean "a.org"/],
    ["command: x\nhost: http://a.org/", /host: .* is a URL, .*did you mean "a.org"/],
    ["command: x\nhost: '*'", /host: "\*" is every host/],
    ["command: x\nhost: a b", /host: must be a host name/],
    ["command: x\nmethods: get", /methods: .*did you mean "GET"/],
    ["command: x\nenv: { PORT: 1 }", /env.PORT: PORT is given by the gateway/],
    ["command: x\nenv_file: [no.env]", /env_file\[0\]: .*no.env does not exist/],
    ["command: x\nwatch: [../../shared/*.ts]", /watch\[0\]: .* is a pattern; .*did you mean "..\/..\/shared"/],
    ["command: x\nwatch: [/usr]", /watch\[0\]: "\/usr" lies outside of the project/],
    ["command: x\nwatch: [..]", /watch\[0\]: ".." holds the worker itself/],
    ["command: x\nwatch: [../../outside.ts]", /watch\[0\]: .* is not a folder/],
    ["command: x\nname: My Worker", /name: "My Worker" is not a name: .*did you mean "my-worker"/],
    ["command: x\npath: /x\nname: index", /name: index is the name of .*workers\/index already/],
    ["command: x\nhealth: { path: up }", /health.path: .*did you mean "\/up"/],
    ["command: x\nredirect: { /a: 'ftp://x' }", /redirect.\/a: must be a path or an http/],
    [
      "command: x\nredirect: [{ path: /a, to: /b, status: 304 }]",
      /redirect\[0\].status: must be 301, 302, 307 or 308, not 304/,
    ],
    ["command: x\nrewrite: { /a: 'https://x' }", /rewrite.\/a: .*is a URL; a rewrite stays here/],
    ["command: x\ninstances: 600", /instances: must be a whole number from 1 to 100/],
  ];
  for (const [text, expected] of cases) {
    await project.write({ "workers/x/worker.yaml": text });
    const problems = await project.problems();
    assert.equal(problems.length, 1, `${text}:\n${problems.join("\n")}`);
    assert.match(problems[0]!, expected, text);
  }
});

test("gateway: a file that cannot be read is a problem like another", async () => {
  await using project = await temporaryProject({ ...INDEX, "workers/index/worker.yaml/": "" });
  const [problem] = await project.problems();
  assert.match(problem!, /^workers\/index\/worker.yaml:1:1 cannot be read: EISDIR/);
  await rm(join(project.dir, "workers/index/worker.yaml"), { recursive: true });
  await project.write({ "workers/index/worker.yaml": "#".repeat(300_000) });
  assert.match((await project.problems())[0]!, /cannot be read: it is larger than 262144 bytes/);
});

test("gateway: a symlinked worker must not lead out of the project, nor be another worker's folder", async () => {
  await using project = await temporaryProject({
    ...INDEX,
    "apps/api/src/main.ts": "",
    "workers/api": "-> ../apps/api",
  });
  assert.deepEqual(
    (await loadGateway(project.dir)).workers.map(({ name }) => name),
    ["api", "index"],
  );
  await symlink("index", join(project.dir, "workers/same"));
  assert.deepEqual(await project.problems(), ["workers/same:1:1 is the same folder as workers/index"]);
  await rm(join(project.dir, "workers/same"));
  await project.write({ "../elsewhere/src/main.ts": "", "workers/out": "-> ../../elsewhere" });
  assert.match((await project.problems())[0]!, /^workers\/out:1:1 leads out of the project, to .*elsewhere$/);
});

test("gateway: a public folder that is a symlink to sources, or out of the project, is refused", async () => {
  for (const target of ["src", ".", "../../../elsewhere", "../../.git"]) {
    await using project = await temporaryProject({
      ...{ ...INDEX, "../elsewhere/a": "", ".git/config": "" },
      "workers/index/public": `-> ${target}`,
    });
    assert.match((await project.problems())[0]!, /^workers\/index:1:1 public: /, target);
  }
});

test("gateway: an entry that is a symlink out of its worker is refused", async () => {
  await using project = await temporaryProject({
    "secret.ts": "",
    "workers/index/src/main.ts": "-> ../../../secret.ts",
  });
  assert.match((await project.problems())[0]!, /entry: src\/main\.ts lies outside of/);
});

test("gateway: two files for one thing are a problem", async () => {
  await using project = await temporaryProject({
    ...INDEX,
    ...{ "warren.yaml": "gateway: {}", "warren.yml": "gateway: {}" },
    ...{ "workers/index/worker.yaml": "path: /", "workers/index/config/worker.yaml": "path: /" },
  });
  assert.deepEqual(await project.problems(), [
    "warren.yml:1:1 warren.yaml stands beside it; keep one",
    "workers/index/worker.yaml:1:1 config/worker.yaml is there too; keep one",
  ]);
});

test("findGateway: the nearest folder upwards with a section, TQServer's file or a worker", async () => {
  await using project = await temporaryProject({
    "warren.yaml": "jobs: { a: { command: x } }\n",
    "plain/workers/mail/send.py": "",
    "inner/workers/index/src/main.ts": "",
    "inner/deep/x": "",
    "tq/config/server.yaml": "server: { port: 1 }\n",
    "tq/workers/index/src/main.ts": "",
  });
  const find = async (from: string) => (await findGateway(join(project.dir, from)))?.slice(project.dir.length);
  assert.equal(await find("inner/deep"), "/inner");
  assert.equal(await find("tq"), "/tq");
  assert.equal(await find("plain"), undefined, "a folder that happens to be called workers is no gateway");
  await project.write({ "warren.yaml": "gateway: { redirects: { /: 'https://example.org' } }\n" });
  assert.equal(await find("plain"), "");
});

test("examples: their workers are a gateway", async () => {
  const { workers, warnings } = await loadGateway(join(import.meta.dirname, "../../../examples"));
  assert.deepEqual(
    workers.map(({ name, type, path }) => [name, type, path]),
    [
      ["guide", "static", "/guide"],
      ["index", "node", "/"],
    ],
  );
  assert.deepEqual(warnings, []);
});

test("gateway: the project itself is a worker", async () => {
  await using project = await temporaryProject({
    "warren.yaml": `gateway: { app: { command: node app.js, ignore: [uploads], env: { A: 1 } } }`,
    "app.js": "",
    "workers/api/src/main.ts": "",
  });
  const { workers, routes } = await loadGateway(project.dir);
  const app = workers.find(({ name }) => name === "app");
  assert.deepEqual(
    { dir: app?.dir, type: app?.type, command: app?.command, env: app?.env, publicDir: app?.publicDir },
    {
      ...{ dir: project.dir, type: "command", command: ["node", "app.js"], env: { A: "1" } },
      publicDir: join(project.dir, "public"),
    },
  );
  assert.deepEqual(app?.ignore, ["workers", "server/public", "warren.yaml", "warren.yml", "uploads"]);
  assert.deepEqual(
    routes.map(({ path, ...route }) => [path, route.kind === "worker" && route.worker]),
    [
      ["/api", "api"],
      ["/", "app"],
    ],
  );
});

test("gateway: what is wrong with the project's own worker is told once, at its place", async () => {
  await using project = await temporaryProject({
    "warren.yaml": `jobs: { web: { command: "true" } }\ngateway:\n  app:\n    name: web\n    command: node app.js\n    path: api\n    public: .\n`,
  });
  const { config, problems } = await readGateway(project.dir);
  assert.equal(config, undefined);
  assert.deepEqual(
    problems.map(({ field, line }) => [field, line]),
    [
      ["gateway.app.name", 4],
      ["gateway.app.path", 6],
      ["gateway.app.public", 7],
    ],
  );
});
