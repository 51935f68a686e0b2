import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readProcess } from "../src/platform/process.ts";
import { killAllOf, killProcess } from "./harness/processes.ts";
import { Site, saying } from "./harness/site.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** The gateway as a whole: `warren up` in a folder with workers, and what happens to it then. */
const TIMEOUT_MS = 90_000;
const INDEX = "workers/index/src/main.ts";
const API = "workers/api/src/main.ts";
const two = { [INDEX]: saying("one"), [API]: saying("api") };
const pidIn = (text: string): number => Number(/(\d+)\n/.exec(text)?.[1]);

test(
  "gateway: up serves each worker under its route; down ends all that it started",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make(two);
    const { workers, url, mode } = await site.up();
    assert.deepEqual(workers.map(({ name, route, state }) => [name, route, state]).sort(), [
      ["api", "/api", "healthy"],
      ["index", "/", "healthy"],
    ]);
    assert.deepEqual([url, mode], [`http://127.0.0.1:${site.port}`, "dev"]);
    assert.match(await site.text("/"), /^one \/ \d+\n$/);
    assert.match(await site.text("/api/x?y=1"), /^api \/api\/x\?y=1 \d+\n$/);
    assert.match(await site.text("/apix"), /^one \/apix /, "on segment boundaries");
    const health = await site.get("/health");
    assert.deepEqual([health.status, JSON.parse(health.body).status], [200, "healthy"]);
    const again = await site.up();
    assert.equal(again.front?.pid, (await site.status()).front?.pid);

    const pids = [pidIn(await site.text("/")), (await site.status()).front!.pid];
    const { status, stdout, stderr } = await site.house.warren(["down"]);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /Ended the gateway of .*: api, index/);
    for (const pid of pids) await waitUntil(() => readProcess(pid) === undefined, { what: `the end of ${pid}` });
    await assert.rejects(site.get("/"), { code: "ECONNREFUSED" });
    const { gateways } = await site.house.client().request("gateway.status", {});
    assert.deepEqual(gateways, []);
    assert.equal((await site.house.warren(["gateway"])).status, 125);
  },
);

test("gateway: a save is served; a broken one is a page until the next good one", { timeout: TIMEOUT_MS }, async () => {
  await using site = await Site.make(two);
  await site.up();
  const api = pidIn(await site.text("/api"));
  site.write(INDEX, saying("two"));
  await waitUntil(async () => (await site.text("/")).startsWith("two"), { what: "the new code" });
  site.write(INDEX, saying("three").replace("createServer((", "createServer(((("));
  const broken = await waitUntil(
    async () => {
      const answer = await site.get("/", { headers: { accept: "text/html" } });
      return answer.status === 500 && answer;
    },
    { what: "the page" },
  );
  assert.match(broken.body, /workers\/index\/src\/main\.ts/);
  const asJson = await site.get("/", { headers: { accept: "application/json" } });
  assert.equal(asJson.status, 500);
  assert.match(asJson.body, /"line": ?5/);
  assert.equal(pidIn(await site.text("/api")), api, "another worker is not touched");
  assert.equal((await site.worker("index")).state, "failed");
  site.write(INDEX, saying("four"));
  await waitUntil(async () => (await site.get("/")).body.startsWith("four"), { what: "the good save" });
  assert.equal(pidIn(await site.text("/api")), api);
});

test("gateway: a worker that is killed is started again, and no request fails", { timeout: TIMEOUT_MS }, async () => {
  await using site = await Site.make(two);
  await site.up();
  const before = pidIn(await site.text("/"));
  process.kill(before, "SIGKILL");
  await waitUntil(() => readProcess(before) === undefined, { what: "its end" });
  const after = pidIn(await site.text("/"));
  assert.notEqual(after, before);
});

test(
  "gateway: the server is killed, reloaded, shut down: requests go on, and nothing is restarted",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make(two);
    const { front } = await site.up();
    const before = pidIn(await site.text("/"));
    killProcess(await site.house.server());
    assert.equal(pidIn(await site.text("/")), before);
    assert.equal((await site.worker("index")).state, "healthy");
    assert.equal((await site.house.warren(["reload"])).status, 0);
    assert.equal(pidIn(await site.text("/")), before);
    assert.deepEqual((await site.status()).front?.pid, front?.pid);
    assert.equal((await site.house.warren(["shutdown"])).status, 0);
    assert.equal(pidIn(await site.text("/")), before, "without any server");
    site.write(INDEX, saying("later"));
    await site.status();
    await waitUntil(async () => (await site.text("/")).startsWith("later"), { what: "what was saved meanwhile" });
  },
);

test(
  "gateway: a front that is killed is replaced on the same port, by the table that it knew",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make(two);
    const { front } = await site.up();
    process.kill(front!.pid, "SIGKILL");
    await waitUntil(() => readProcess(front!.pid) === undefined, { what: "its end" });
    assert.match(await site.text("/api"), /^api/);
    const after = await waitUntil(async () => (await site.status()).front, { what: "the next front" });
    assert.equal(after.generation, 2);
    site.write(INDEX, saying("two"));
    await waitUntil(async () => (await site.text("/")).startsWith("two"), { what: "the new code" });
  },
);

test(
  "gateway: all of it ends at once and the sockets are gone, as at a power cut: the next command brings it back",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make(two);
    await site.up();
    const { home, places } = site.house;
    const pid = pidIn(await site.text("/api"));
    await killAllOf(home);
    for (const one of site.workerProcesses()) process.kill(one.pid, "SIGKILL");
    await waitUntil(() => site.workerProcesses().length === 0, { what: "the end of all instances" });
    rmSync(places.socketDir, { recursive: true });
    await assert.rejects(site.get("/"), { code: "ECONNREFUSED" });

    const { status, stderr } = await site.house.warren(["ping"]); // one that says nothing of workers
    assert.equal(status, 0, stderr);
    await waitUntil(
      async () => {
        site.port = (await site.status()).port;
        return (await site.get("/api").catch(() => undefined))?.status === 200;
      },
      { what: "the answer of a worker that nobody started", deadlineMs: 60_000 },
    );
    assert.notEqual(pidIn(await site.text("/api")), pid);
    assert.match(await site.text("/"), /^one/);
    site.write(INDEX, saying("two"));
    await waitUntil(async () => (await site.text("/")).startsWith("two"), { what: "the new code" });
  },
);

test(
  "gateway: pause holds requests, unpause lets them go, in order; stop and start; verbs of units",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make(two);
    await site.up();
    const say = async (...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await site.house.warren(args);
      assert.equal(status, 0, `${args.join(" ")}: ${stdout}${stderr}`);
      return stdout;
    };
    await say("gateway", "pause", "api");
    const held = site.text("/api/held");
    await site.becomes("api", ({ waiting }) => waiting === 1, "with one that waits");
    assert.equal((await site.worker("api")).state, "paused");
    await say("gateway", "unpause", "api");
    assert.match(await held, /^api/);
    assert.match(await say("stop", "api"), /^api: stopped/);
    assert.equal((await site.get("/api")).status, 503);
    await say("start", "api");
    assert.match(await site.text("/api"), /^api/);
    const pid = pidIn(await site.text("/api"));
    await say("restart", "api");
    await waitUntil(async () => pidIn(await site.text("/api")) !== pid, { what: "another process" });
    const unknown = await site.house.warren(["gateway", "pause", "apo"]);
    assert.equal(unknown.status, 125);
    assert.match(unknown.stderr, /Did you mean api\?/);
  },
);

test("gateway: rollback serves the version before, until the next save", { timeout: TIMEOUT_MS }, async () => {
  await using site = await Site.make(two);
  await site.up();
  site.write(INDEX, saying("two"));
  await waitUntil(async () => (await site.text("/")).startsWith("two"), { what: "the new code" });
  const { status, stderr } = await site.house.warren(["gateway", "rollback", "index"]);
  assert.equal(status, 0, stderr);
  assert.match(await site.text("/"), /^one/, "it is done when it is answered");
  await site.house.warren(["gateway", "mode", "prod"]);
  assert.equal((await site.house.warren(["gateway", "rollback", "index"])).status, 0);
  assert.match(await site.text("/"), /^two/, "in production too, where no request waits for it");
  await site.house.warren(["gateway", "mode", "dev"]);
  site.write(INDEX, saying("three"));
  await waitUntil(async () => (await site.text("/")).startsWith("three"), { what: "the next save" });
  const artefacts = readdirSync(join(site.house.dir, "workers/index/bin"));
  assert.ok(existsSync(join(site.house.dir, "workers/index/bin/index")), artefacts.join());
});

test(
  "gateway: workers come, change and go with their files; a bad file changes nothing",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make(two);
    await site.up();
    const index = pidIn(await site.text("/"));
    site.write("workers/shop/src/main.ts", saying("shop"));
    await waitUntil(async () => (await site.get("/shop")).body.startsWith("shop"), { what: "the new worker" });
    site.write("workers/shop/worker.yaml", "path: /store\n");
    await waitUntil(async () => (await site.get("/store")).body.startsWith("shop"), { what: "its new route" });
    assert.match(await site.text("/shop"), /^one/, "the old route is the index's");
    site.write("workers/shop/worker.yaml", "pth: /store\n");
    const refused = await waitUntil(async () => (await site.status()).config_error, { what: "what is wrong" });
    assert.match(refused, /worker\.yaml:1:1[\s\S]*path/);
    assert.match(await site.text("/store"), /^shop/);
    site.write("workers/shop/worker.yaml", "path: /store\nenv: { GREETING: hi }\n");
    await waitUntil(async () => (await site.status()).config_error === undefined, { what: "the mended file" });
    site.write("workers/pages/public/index.html", "<p>static</p>");
    await waitUntil(async () => (await site.get("/pages/")).body.startsWith("<p>static</p>"), {
      what: "a folder of files",
    });
    rmSync(join(site.house.dir, "workers/shop"), { recursive: true });
    await waitUntil(async () => (await site.get("/store")).body.startsWith("one"), { what: "the end of the worker" });
    assert.equal(pidIn(await site.text("/")), index, "the others have not noticed");
  },
);

test("gateway: logs of a worker, from one version to the next", { timeout: TIMEOUT_MS }, async () => {
  await using site = await Site.make({ [INDEX]: `console.log("hello from one");\n${saying("one")}` });
  await site.up();
  const shown = await site.house.warren(["logs", "index"]);
  assert.deepEqual([shown.status, shown.stdout], [0, "hello from one\n"], shown.stderr);
  const following = site.house.start(["logs", "-f", "index"]);
  await following.shows(/hello from one/);
  const attached = site.house.start(["up"]);
  await attached.shows(/hello from one/);
  site.write(INDEX, `console.log("hello from two");\n${saying("two")}`);
  for (const one of [following, attached]) {
    await one.shows(/hello from two/);
    one.child.kill("SIGINT");
    assert.equal((await one.ended).status, 130);
  }
});

test(
  "gateway: logs of a worker of which nothing runs are its last lines, and that is said",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make({ [INDEX]: 'console.log("about to fail");\nprocess.exit(3);\n' });
    await site.up();
    await site.becomes(
      "index",
      ({ instances, failure }) => instances.length === 0 && failure !== undefined,
      "given up",
    );
    const { status, stdout, stderr } = await site.house.warren(["logs", "index"]);
    assert.deepEqual([status, stdout], [0, "about to fail\n"]);
    assert.equal(stderr, "No instance of index runs now; these were the last lines of one.\n");
  },
);

test(
  "gateway: in production a save is nothing until SIGHUP, and then one switch",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make({ ...two, "warren.yaml": "gateway: { mode: prod }\n" });
    const { mode } = await site.up();
    assert.equal(mode, "prod");
    const api = pidIn(await site.text("/api"));
    site.write(INDEX, saying("two"));
    const broken = site.house.warren(["gateway", "status"]);
    assert.equal((await broken).status, 0);
    assert.match(await site.text("/"), /^one/);
    process.kill((await site.house.server()).pid, "SIGHUP");
    await waitUntil(async () => (await site.text("/")).startsWith("two"), { what: "what was deployed" });
    assert.equal(pidIn(await site.text("/api")), api);
    site.write(INDEX, "process.exit(3);\n");
    const refresh = await site.house.warren(["gateway", "refresh"]);
    assert.match(refresh.stdout, /index: .*failed/);
    assert.match(await site.text("/"), /^two/, "a bad version never replaces a good one");
  },
);

test("gateway: nuke ends it", { timeout: TIMEOUT_MS }, async () => {
  await using site = await Site.make(two);
  const { front } = await site.up();
  const pid = pidIn(await site.text("/"));
  const { status, stderr } = await site.house.warren(["nuke"]);
  assert.equal(status, 0, stderr);
  for (const one of [pid, front!.pid])
    await waitUntil(() => readProcess(one) === undefined, { what: `the end of ${one}` });
});
