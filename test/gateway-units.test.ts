import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Worker } from "../src/protocol/gateway-units.ts";
import type { Job } from "../src/protocol/units.ts";
import { Site, saying } from "./harness/site.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** "A worker is a unit like any other": what the verbs for jobs and sessions do with one. */
const TIMEOUT_MS = 90_000;
const API = "workers/api/src/main.ts";
const two = { "workers/index/src/main.ts": saying("one"), [API]: saying("api") };
const BROKEN = saying("api").replace("createServer((", "createServer((((");

interface Said {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** The command line in the project. */
const inSite =
  (site: Site) =>
  (...args: string[]): Promise<Said> =>
    site.house.warren(args);

const job = (site: Site, name: string): Promise<{ job: Job }> =>
  site.house.client().request("add", {
    command: ["sleep", "1000"],
    name,
    workdir: site.house.dir,
    env: [`PATH=${process.env.PATH}`],
  });

test(
  "workers stand in the list beside jobs, with what they use and where they answer",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make(two);
    const warren = inSite(site);
    await job(site, "web");
    await site.up();
    const units = JSON.parse((await warren("list", "--json")).stdout) as (Job | Worker)[];
    assert.deepEqual(
      units.map(({ kind, name, status }) => [kind, name, status]),
      [
        ["job", "web", "running"],
        ["worker", "api", "running"],
        ["worker", "index", "running"],
      ],
    );
    const api = units[1] as Worker;
    assert.equal(api.url, `http://127.0.0.1:${site.port}/api`);
    assert.deepEqual([api.workdir, api.restart_count, api.ports?.length], [site.house.dir, 0, 1]);
    assert.ok(api.pid! > 0 && api.memory_bytes! > 1024 * 1024 && api.cpu_percent! >= 0 && api.started_at);
    assert.match(
      (await warren("list")).stdout,
      /^api +worker +healthy +http:\/\/127.0.0.1:\d+\/api +- .* v \w+ :\d+$/m,
    );
    assert.match((await warren("ports", "api")).stdout, new RegExp(`^${api.ports![0]!.port} `, "m"));
    assert.deepEqual(JSON.parse((await warren("list", "--dir", "/", "--json")).stdout), [], "of that directory alone");
    const offered = await warren("__complete", "--", "restart", "a");
    assert.match(offered.stdout, /^api\tworker \/api healthy$/m);
  },
);

test("why and wait: a save that cannot be built, its cure, a stop", { timeout: TIMEOUT_MS }, async () => {
  await using site = await Site.make(two);
  const warren = inSite(site);
  await site.up();
  site.write(API, BROKEN);
  const refused = await warren("wait", "api", "--for", "served");
  assert.equal(refused.status, 1, refused.stdout);
  assert.match(refused.stderr, /does not become served by itself; it is failed/);
  const why = await warren("why", "api");
  assert.match(why.stdout, /^api is failed: version \w+ could not be built: /);
  assert.match(why.stdout, /workers\/api\/src\/main\.ts:\d+:\d+: /);
  assert.match(why.stdout, /^ +> +5 │ /m, "the frame");
  const { worker } = JSON.parse((await warren("why", "api", "--json")).stdout) as { worker: Worker };
  assert.deepEqual([worker.state, worker.failure?.phase, worker.failure?.places.length], ["failed", "build", 1]);

  site.write(API, saying("cured"));
  const served = await warren("wait", "api", "--for", "served", "--timeout", "30s");
  assert.equal(served.status, 0, served.stderr);
  assert.match(await site.text("/api"), /^cured /, "the wait ended when it was so");

  const end = warren("wait", "api", "--timeout", "30s");
  assert.equal((await warren("stop", "api")).status, 0);
  assert.equal((await end).status, 0);
  assert.deepEqual((await site.worker("api")).instances, []);
  const never = await warren("wait", "api", "--for", "healthy");
  assert.deepEqual([never.status, never.stdout], [1, ""]);
  assert.equal((await warren("start", "api")).status, 0);
  assert.equal((await warren("wait", "api", "--for", "healthy", "--timeout", "30s")).status, 0);
});

test("a worker that does not stay up says what it said last", { timeout: TIMEOUT_MS }, async () => {
  const ends = `console.error("no database at 10.0.0.1");\nprocess.exit(3);\n`;
  await using site = await Site.make({ ...two, [API]: ends });
  const warren = inSite(site);
  await site.up();
  const waited = await warren("wait", "api", "--for", "healthy", "--timeout", "30s");
  assert.equal(waited.status, 1, waited.stderr);
  const why = await warren("why", "api");
  assert.match(why.stdout, /^api is \w+: version \w+ did not come up: /);
  assert.match(why.stdout, /last lines:\n +no database at 10\.0\.0\.1/);
});

test("a job and a worker of one name: which one has to be said", { timeout: TIMEOUT_MS }, async () => {
  await using site = await Site.make(two);
  const warren = inSite(site);
  const { id } = (await job(site, "api")).job;
  await site.up();
  const unclear = await warren("stop", "api");
  assert.equal(unclear.status, 125);
  assert.match(unclear.stderr, new RegExp(`api is the name of 2 units: ${id} \\(job in .*\\), worker:api \\(in `));
  assert.equal((await site.worker("api")).state, "healthy", "nothing was done");
  assert.match((await warren("stop", "worker:api")).stdout, /^api: stopped/);
  await site.becomes("api", ({ state }) => state === "stopped", "is stopped");
  assert.match((await warren("stop", "job:api")).stdout, /^Stopped job api /);
  // Where only one of them can be meant, the name is enough.
  assert.match((await warren("signal", "api", "TERM")).stderr, /^error: job .* is not running/);
});

test("workers of two projects: the one here, or the project's name", { timeout: TIMEOUT_MS }, async () => {
  const other = "shop/workers/api/src/main.ts";
  await using site = await Site.make({ ...two, [other]: saying("shop"), "shop/warren.yaml": "jobs: {}\n" });
  await site.up();
  const shop = join(site.house.dir, "shop");
  const from = (cwd: string, ...args: string[]): Promise<Said> => site.house.warren(args, { cwd });
  assert.equal((await from(shop, "up", "--detach")).status, 0);
  const settled = await from(shop, "wait", "api", "--for", "healthy", "--timeout", "30s");
  assert.equal(settled.status, 0, settled.stderr);
  assert.match((await from(shop, "why", "api")).stdout, /node worker of shop /);
  const unclear = await from("/", "restart", "api");
  assert.match(unclear.stderr, /api is the name of 2 units: worker:\S+\/api \(in .*\), worker:shop\/api \(in /);
  assert.match((await from("/", "why", "shop/api")).stdout, /node worker of shop /);
  assert.match((await from("/", "gateway", "pause", "shop/api")).stdout, /paused/);
  await waitUntil(async () => (await site.worker("api")).state === "healthy", { what: "the other one is left alone" });
});

test("verbs that are not for workers, and names that are none, say so", { timeout: TIMEOUT_MS }, async () => {
  await using site = await Site.make(two);
  const warren = inSite(site);
  assert.match((await warren("why", "api")).stderr, /api is a worker of this project, which is not up\.\nwarren up/);
  await site.up();
  for (const verb of ["stats", "runs", "await"])
    assert.match(
      (await warren(verb, "api")).stderr,
      /api is a worker: (only jobs have runs|it has no end of its own)\.\nwarren (why|wait) api/,
    );
  assert.match(
    (await warren("attach", "api")).stderr,
    /api is a worker: it has logs, and no terminal\.\nwarren logs -f api/,
  );
  assert.match((await warren("stop", "apo")).stderr, /job not found: apo\. Did you mean api\?/);
  const nonsense = await warren("wait", "api", "--for", "port");
  assert.equal(nonsense.status, 2);
  assert.match(nonsense.stderr, /--for port is no condition of a worker\. One of: healthy, served, stopped/);
});
