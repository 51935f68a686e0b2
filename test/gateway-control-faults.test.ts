import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { readProcess } from "../src/platform/process.ts";
import type { Worker } from "../src/protocol/gateway-units.ts";
import { suspended } from "./harness/faults.ts";
import { ended, killProcess } from "./harness/processes.ts";
import { Site, saying } from "./harness/site.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** What a project can do wrong, and its workers: what is served meanwhile, the reason that is said, and that ports and processes come back. */
const TIMEOUT_MS = 120_000;
const INDEX = "workers/index/src/main.ts";
const run = promisify(execFile);

const isGone = (pid: number): boolean => readProcess(pid) === undefined;
const pidIn = (text: string): number => Number(/(\d+)\n/.exec(text)?.[1]);
/** Written by a worker, for the test to know its processes. */
const pidsIn = (site: Site): number[] =>
  readFileSync(join(site.house.dir, "pids"), { encoding: "utf8", flag: "a+" }).split("\n").filter(Boolean).map(Number);

async function goneAll(pids: readonly number[], what: string): Promise<void> {
  for (const pid of pids) await waitUntil(() => isGone(pid), { what: `${what}: the end of ${pid}` });
}

/** As many ports in a row, all free now. */
async function freeRange(count: number): Promise<number> {
  const base = 20_000 + (process.pid % 1_000) * 10;
  for (let from = base; from < base + 10_000; from += count) {
    const held = await Promise.all(Array.from({ length: count }, (_, at) => listenOn(from + at)));
    for (const server of held) server?.close();
    if (held.every(Boolean)) return from;
  }
  throw new Error("no free ports");
}

async function listenOn(port: number): Promise<net.Server | undefined> {
  const server = net.createServer((socket) => socket.destroy());
  server.listen(port, "127.0.0.1");
  return once(server, "listening").then(
    () => server,
    () => undefined, // it is taken: once() rejects at an error
  );
}

test(
  "gateway: all ports are taken: the reason is said, what serves goes on, and it starts when one is free",
  { timeout: TIMEOUT_MS },
  async () => {
    const from = await freeRange(3);
    const held = (await Promise.all([from + 1, from + 2].map(listenOn))).filter((one) => one !== undefined);
    await using site = await Site.make({
      "warren.yaml": `gateway: { mode: prod, ports: ${from}-${from + 2} }\n`,
      "workers/index/worker.yaml": "probation: 200ms\n",
      [INDEX]: saying("one"),
    });
    try {
      await site.up();
      assert.match(await site.text("/"), /^one/);
      site.write(INDEX, saying("two"));
      const refresh = site.house.warren(["gateway", "refresh"]);
      const waiting = await site.becomes("index", ({ reason }) => /ports/.test(reason ?? ""), "without a port");
      assert.match(waiting.reason!, new RegExp(`None of the 3 ports ${from}–${from + 2} is free`));
      assert.match(await site.text("/"), /^one/);
      held.pop()!.close();
      await waitUntil(async () => (await site.text("/")).startsWith("two"), { what: "the new version", everyMs: 20 });
      await refresh;
      await waitUntil(async () => (await site.status()).ports.used.length === 1, { what: "one port in use" });
    } finally {
      for (const server of held) server.close();
    }
  },
);

test(
  "gateway: configuration that cannot be is refused as a whole, with its places; what was in force goes on",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make({
      "warren.yaml": "gateway: {}\n",
      [INDEX]: saying("index"),
      "workers/api/src/main.ts": saying("api"),
      "workers/shop/src/main.ts": saying("shop"),
      "workers/shop/public/free.txt": "free",
    });
    await site.up();
    const pids = [pidIn(await site.text("/")), pidIn(await site.text("/api"))];
    const secret = join(site.house.base, "secret.txt");
    writeFileSync(secret, "secret");
    const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
    for (let at = 1; at < 12; at++) {
      const [name, before] = [at, at - 1].map((one) => String.fromCharCode(97 + one));
      bomb.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(", ")}]`);
    }
    const cases: [path: string, text: string, expected: RegExp][] = [
      ["workers/shop/worker.yaml", "path: /api\n", /workers\/shop\/worker\.yaml:1:\d+ path: .*\/api[\s\S]*api/],
      ["warren.yaml", "gateway: { rewrites: { /a: /b, /b: /a } }\n", /warren\.yaml:1:\d+ .*\/a.*\/b.*\/a/],
      ["warren.yaml", `${bomb.join("\n")}\n`, /warren\.yaml/],
      ["workers/shop/worker.yaml", `env: { A: "${"x".repeat(2_000_000)}" }\n`, /worker\.yaml/],
    ];
    const before = new Map([
      ["warren.yaml", "gateway: {}\n"],
      ["workers/shop/worker.yaml", "{}\n"],
    ]);
    for (const [path, text, expected] of cases) {
      site.write(path, text);
      const refused = await waitUntil(async () => (await site.status()).config_error, { what: `no ${path}` });
      assert.match(refused, expected);
      assert.match(await site.text("/shop"), /^shop/);
      site.write(path, before.get(path)!);
      await waitUntil(async () => (await site.status()).config_error === undefined, { what: `a mended ${path}` });
    }
    symlinkSync(secret, join(site.house.dir, "workers/shop/public/secret.txt"));
    symlinkSync(site.house.base, join(site.house.dir, "workers/shop/public/up"));
    assert.equal(await site.text("/shop/free.txt"), "free");
    for (const path of ["/shop/secret.txt", "/shop/up/secret.txt"])
      assert.doesNotMatch((await site.get(path)).body, /^secret/, path);
    assert.deepEqual([pidIn(await site.text("/")), pidIn(await site.text("/api"))], pids, "nobody was restarted");
  },
);

/** What is wrong with a version, and what is said of it. `${PIDS}`: notes the process down. */
const NOTE = `import { appendFileSync } from "node:fs";\nappendFileSync(process.env.PIDS, process.pid + "\\n");\n`;
const BAD_VERSIONS: { name: string; source: (site: Site) => Promise<string> | string; reason: RegExp }[] = [
  {
    name: "exits at once",
    source: () => `${NOTE}console.error("no database"); process.exit(3);`,
    reason: /ended with exit status 3\nno database/,
  },
  {
    name: "never listens",
    source: () => `${NOTE}setInterval(() => {}, 1000);`,
    reason: /not healthy after 2 s: nobody listens on port \d+/,
  },
  {
    name: "answers 500 always",
    source: () =>
      `${NOTE}import { createServer } from "node:http";\ncreateServer((_, r) => { r.statusCode = 500; r.end(); }).listen(process.env.PORT);`,
    reason: /answered with 500/,
  },
  {
    name: "answers no HTTP",
    source: () =>
      `${NOTE}import { createServer } from "node:net";\ncreateServer((s) => s.end("SSH-2.0-x\\r\\n")).listen(process.env.PORT);`,
    reason: /answer|Parse|HTTP/,
  },
  {
    name: "daemonises",
    source: () =>
      `${NOTE}import { spawn } from "node:child_process";
const listen = "require('http').createServer((q, r) => r.end('daemon')).listen(process.env.PORT)";
const alone = "const timer = setInterval(() => { if (process.ppid === " + process.pid + ") return; clearInterval(timer); " + listen + "; }, 1)";
const child = spawn(process.execPath, ["-e", alone], { detached: true, stdio: "ignore" });
appendFileSync(process.env.PIDS, child.pid + "\\n");
child.unref();`,
    reason: /ended with exit status 0, and left 1 process/,
  },
  {
    name: "listens on another worker's port",
    source: async (site) => {
      const { ports } = await site.status();
      const api = ports.used.find(({ instance }) => instance.startsWith("api"))!;
      return `${NOTE}import { createServer } from "node:http";\ncreateServer((_, r) => r.end("squatter")).listen(${api.port}, "127.0.0.1");`;
    },
    reason: /ended with exit status 1[\s\S]*EADDRINUSE/,
  },
  {
    name: "listens on a port of its own choice",
    source: () =>
      `${NOTE}import { createServer } from "node:http";\ncreateServer((_, r) => r.end("elsewhere")).listen(0, "127.0.0.1");`,
    reason: /listens on port \d+, not on \$PORT/,
  },
];

test(
  "gateway: a bad version never takes the place of a good one; why is said; nothing is left of it",
  { timeout: TIMEOUT_MS },
  async () => {
    const from = await freeRange(20); // of its own: a port that nobody listens on may be listened on by any other test's worker
    await using site = await Site.make({
      "warren.yaml": `gateway: { mode: prod, ports: ${from}-${from + 19} }\n`,
      [INDEX]: saying("good"),
      "workers/api/src/main.ts": saying("api"),
    });
    const pids = join(site.house.dir, "pids");
    site.write(
      "workers/index/worker.yaml",
      `start_timeout: 1500ms\ngrace: 500ms\nprobation: 500ms\nenv: { PIDS: ${pids} }\n`,
    );
    await site.up();
    await site.becomes("index", ({ state }) => state === "healthy", "healthy");
    const [good, api] = [pidIn(await site.text("/")), pidIn(await site.text("/api"))];
    for (const { name, source, reason } of BAD_VERSIONS) {
      site.write(INDEX, await source(site));
      let isOver = false;
      const refresh = site.house.warren(["gateway", "refresh"]).finally(() => (isOver = true));
      let asked = 0;
      while (!isOver || asked === 0) {
        assert.match(await site.text("/"), /^good/, name);
        asked += 1;
        await new Promise((wake) => setTimeout(wake, 10));
      }
      await refresh;
      const worker = await site.becomes("index", ({ state }) => state === "degraded", `${name}: degraded`);
      assert.match([worker.reason, ...(worker.failure?.output ?? [])].join("\n"), reason, name);
      assert.equal(pidIn(await site.text("/")), good, name);
      assert.equal(pidIn(await site.text("/api")), api, name);
      await goneAll(pidsIn(site), name);
      rmSync(pids, { force: true });
      await waitUntil(async () => (await site.status()).ports.used.length === 2, { what: `${name}: the port back` });
    }
    site.write(INDEX, saying("better"));
    assert.equal((await site.house.warren(["gateway", "refresh"])).status, 0);
    assert.match(await site.text("/"), /^better/);
  },
);

test(
  "gateway: an old version that ignores SIGTERM is ended after its grace; one that takes too much memory is replaced",
  { timeout: TIMEOUT_MS },
  async () => {
    const stubborn = `process.on("SIGTERM", () => {});\n${saying("stubborn")}`;
    const hungry = saying("hungry").replace(
      "response.end",
      'if (request.url === "/eat") (globalThis as { eaten?: Buffer }).eaten = Buffer.alloc(400_000_000, 1);\n  response.end',
    );
    await using site = await Site.make({
      "workers/index/worker.yaml": "grace: 300ms\nprobation: 100ms\nmemory: 250MB\n",
      [INDEX]: stubborn,
    });
    await site.up();
    const old = pidIn(await site.text("/"));
    site.write(INDEX, hungry);
    await waitUntil(async () => (await site.text("/")).startsWith("hungry"), { what: "the new version" });
    await goneAll([old], "SIGTERM is ignored");
    const big = pidIn(await site.text("/eat"));
    const next = await waitUntil(
      async () => {
        const text = await site.text("/");
        return pidIn(text) !== big && text;
      },
      { what: "another process", everyMs: 20 },
    );
    assert.match(next, /^hungry/, "of the same version, and no request has failed");
    await goneAll([big], "too much memory");
  },
);

const builtBy = (build: string): string =>
  `type: command\nbuild: ${JSON.stringify(build)}\ncommand: ${process.execPath} bin/index\nbuild_timeout: 1s\n`;
const script = (text: string): string =>
  `require("node:http").createServer((q, r) => r.end("${text} " + process.pid + "\\n")).listen(process.env.PORT);`;

test(
  "gateway: a build that hangs is ended after its time, or by the next save; in production what was built serves",
  { timeout: TIMEOUT_MS },
  async () => {
    const HANGS = "if grep -q hang main.js; then echo $$ >> ../../pids; sleep 600; fi; cp main.js bin/index";
    await using site = await Site.make({
      "warren.yaml": "gateway: { mode: prod }\n",
      "workers/index/worker.yaml": builtBy(HANGS),
      "workers/index/main.js": script("one"),
    });
    await site.up();
    const text = () => site.text("/");
    await site.becomes("index", ({ state }) => state === "healthy", "healthy");
    site.write("workers/index/main.js", script("hang"));
    const refresh = site.house.warren(["gateway", "refresh"]);
    await waitUntil(() => pidsIn(site).length > 0, { what: "the build" });
    assert.match(await text(), /^one/);
    await refresh;
    const failed = await site.becomes("index", ({ state }) => state === "degraded", "degraded");
    assert.match(failed.reason ?? "", /1 ?s|too long|time/);
    assert.match(await text(), /^one/);
    await goneAll(pidsIn(site), "the build's time");

    await site.house.warren(["gateway", "mode", "dev"]);
    rmSync(join(site.house.dir, "pids"), { force: true });
    site.write("workers/index/main.js", script("hang again"));
    await waitUntil(() => pidsIn(site).length > 0, { what: "the build" });
    const held = text();
    site.write("workers/index/main.js", script("two"));
    assert.match(await held, /^two/, "who came during the build that hangs gets the save after it");
    await goneAll(pidsIn(site), "the next save");
  },
);

test(
  "gateway: a full disk fails the build with its reason; the save after it is served",
  { timeout: TIMEOUT_MS },
  async (t) => {
    await using site = await Site.make({ [INDEX]: saying("one") });
    const bin = join(site.house.dir, "workers/index/bin");
    mkdirSync(bin, { recursive: true });
    try {
      await run("mount", ["-t", "tmpfs", "-o", "size=128k", "tmpfs", bin]);
    } catch {
      return t.skip("no tmpfs can be mounted here");
    }
    try {
      await site.up();
      const pid = pidIn(await site.text("/"));
      site.write(INDEX, `${saying("two")}// @ts-ignore\nglobalThis.padding = "${"x".repeat(300_000)}";\n`);
      const page = await waitUntil(
        async () => {
          const answer = await site.get("/", { headers: { accept: "application/json" } });
          return answer.status === 500 && answer.body;
        },
        { what: "the page" },
      );
      assert.match(page, /the disk is full/);
      site.write(INDEX, saying("three"));
      await waitUntil(async () => (await site.get("/")).body.startsWith("three"), { what: "the next save" });
      await goneAll([pid], "the version before");
    } finally {
      await site.house.warren(["down"]);
      await run("umount", ["-l", bin]);
    }
  },
);

test(
  "gateway: fifty broken saves in a row, then a good one: one process, and nothing left",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make({ [INDEX]: saying("good 0"), "workers/api/src/main.ts": saying("api") });
    await site.up();
    const api = pidIn(await site.text("/api"));
    await site.text("/");
    for (let save = 1; save <= 50; save++) {
      site.write(INDEX, `${saying(`broken ${save}`)}\n}} // ${save}`);
      if (save % 10 === 0) {
        const broken = async (): Promise<boolean> => (await site.get("/")).status === 500;
        await waitUntil(broken, { what: `the page of save ${save}` });
      }
    }
    site.write(INDEX, saying("good 51"));
    await waitUntil(async () => (await site.get("/")).body.startsWith("good 51"), { what: "the good save" });
    assert.equal(pidIn(await site.text("/api")), api);
    const isQuiet = ({ instances }: Worker): boolean =>
      instances.filter(({ state }) => state === "healthy").length === 1;
    await site.becomes("index", isQuiet, "with one process");
    await waitUntil(async () => (await site.status()).ports.used.length <= 4, {
      what: "a port for each process and spare",
    });
  },
);

test(
  "gateway: a worker's folder is renamed: it is served under its new name, and the old process ends",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make({ [INDEX]: saying("index"), "workers/shop/src/main.ts": saying("shop") });
    await site.up();
    const [index, shop] = [pidIn(await site.text("/")), pidIn(await site.text("/shop"))];
    renameSync(join(site.house.dir, "workers/shop"), join(site.house.dir, "workers/store"));
    await waitUntil(async () => (await site.get("/store")).body.startsWith("shop /store"), { what: "the new name" });
    await waitUntil(async () => (await site.get("/shop")).body.startsWith("index /shop"), {
      what: "the old route's end",
    });
    await goneAll([shop], "the old name");
    assert.equal(pidIn(await site.text("/")), index);
  },
);

test(
  "gateway: the project's folder is removed while it is up: the server and other projects go on, and down ends it",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make({ [INDEX]: saying("one"), "workers/api/src/main.ts": saying("api") });
    const { front } = await site.up();
    const pids = [pidIn(await site.text("/")), pidIn(await site.text("/api"))];
    const client = site.house.client();
    rmSync(site.house.dir, { recursive: true });
    await waitUntil(async () => (await site.status()).config_error, { what: "what is wrong" });
    const server = (await site.house.server()).pid;
    const answer = await site.get("/api");
    assert.ok(answer.status === 200 || answer.status >= 500, String(answer.status));
    await client.request("gateway.down", { workdir: site.house.dir });
    await goneAll([...pids, front!.pid], "down");
    assert.equal((await site.house.server()).pid, server);
    mkdirSync(site.house.dir);
  },
);

test("gateway: down while versions are being started leaves no process", { timeout: TIMEOUT_MS }, async () => {
  const names = ["index", "api", "shop", "blog"];
  const files = names.map((name) => [`workers/${name}/src/main.ts`, saying(name)]);
  await using site = await Site.make(Object.fromEntries(files));
  for (let round = 0; round < 6; round++) {
    const client = site.house.client();
    await site.up();
    const changing = client.request("gateway.mode", {
      workdir: site.house.dir,
      mode: round % 2 === 0 ? "prod" : "dev",
    });
    await Promise.all(
      [changing, client.request("gateway.down", { workdir: site.house.dir })].map((one) => one.catch(() => {})),
    );
    client.close();
    await waitUntil(() => site.workerProcesses().length === 0, { what: `round ${round}: the end of all` });
  }
});

/** Goes when it is told how, by a file. */
const SLOW_TO_GO = `${saying("one")}
import { existsSync, writeFileSync, watch } from "node:fs";
process.on("SIGTERM", () => {
  const look = () => existsSync("../../go") && process.exit(0);
  watch("../..", look);
  writeFileSync("../../asked", "");
  look();
});
`;

test(
  "gateway: up while the same one is going down is up when that is over, and stays so for the next server",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make({ [INDEX]: SLOW_TO_GO });
    await site.up();
    const client = site.house.client();
    const { dir } = site.house;
    const down = client.request("gateway.down", { workdir: dir });
    await waitUntil(() => existsSync(join(dir, "asked")), { what: "the worker to be told" });
    const up = client.request("gateway.up", { dir, env: Object.entries(process.env).map(([k, v]) => `${k}=${v}`) });
    let isUp = false;
    void up.then(
      () => {
        isUp = true;
      },
      () => {},
    );
    // Long enough for one that does not wait.
    for (let asked = 0; asked < 1_000 && !isUp; asked++) await client.request("gateway.status", {});
    assert.ok(!isUp, "not two at a time");
    writeFileSync(join(dir, "go"), "");
    assert.equal((await down).dir, dir);
    const { action, gateway } = await up;
    assert.equal(action, "started");
    site.port = gateway.port;
    assert.match(await site.text("/"), /^one/);
    const { pid } = await client.request("status", {});
    process.kill(pid, "SIGKILL");
    await waitUntil(() => isGone(pid), { what: "the end of the server" });
    const { gateways } = await site.house.client().request("gateway.status", {});
    assert.deepEqual(
      gateways.map((gateway) => gateway.dir),
      [dir],
      "its record is there",
    );
  },
);

test(
  "gateway: up goes on with the workers of a project that the next server could not take up",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make({ "warren.yaml": "gateway: { mode: prod }\n", [INDEX]: saying("one") });
    await site.up();
    const pid = pidIn(await site.text("/"));
    const processes = (): number[] => site.workerProcesses().map((one) => one.pid);
    const before = processes();
    const [server, keeper] = [await site.house.server(), await site.house.keeper()];
    {
      using _suspended = suspended(server.pid); // it would start its successor
      for (const victim of [keeper, server]) killProcess(victim);
      await Promise.all([keeper, server].map((victim) => ended(victim)));
    }
    const squatter = await waitUntil(() => listenOn(site.port), { what: "the port, once the front has let go of it" });
    try {
      const { gateways } = await site.house.client().request("gateway.status", {});
      assert.deepEqual(gateways, [], "its port is taken");
      await site.up();
      assert.equal(pidIn(await site.text("/")), pid, "the same process");
      assert.deepEqual(processes(), before);
      await site.house.client().request("gateway.down", { workdir: site.house.dir });
      await goneAll([pid], "down");
    } finally {
      squatter.close();
    }
  },
);

test(
  "gateway: a worker that is written while the project goes down is not started",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make({ [INDEX]: SLOW_TO_GO });
    await site.up();
    await site.text("/");
    const client = site.house.client();
    const { dir } = site.house;
    const down = client.request("gateway.down", { workdir: dir });
    await waitUntil(() => existsSync(join(dir, "asked")), { what: "the worker to be told" });
    const known = new Set(site.workerProcesses().map(({ pid }) => pid));
    site.write("workers/new/src/main.ts", saying("new"));
    const isNew = (): boolean => site.workerProcesses().some(({ pid }) => !known.has(pid));
    // Long enough for one that starts it.
    for (let asked = 0; asked < 300 && !isNew(); asked++) await client.request("gateway.status", {});
    writeFileSync(join(dir, "go"), "");
    await down;
    await goneAll([...known], "down"); // a shim writes down how its run ended, and ends then
    assert.deepEqual(site.workerProcesses(), []);
    const records = readdirSync(site.house.places.gatewayDir, { recursive: true, encoding: "utf8" });
    assert.deepEqual(
      records.filter((path) => path.endsWith("project.json")),
      [],
    );
  },
);

test(
  "gateway: who waits for a worker is answered when the project is brought down",
  { timeout: TIMEOUT_MS },
  async () => {
    const never = "setInterval(() => {}, 60_000); // listens nowhere\n";
    await using site = await Site.make({ [INDEX]: saying("one") });
    await site.up();
    await site.text("/");
    site.write("workers/never/src/main.ts", never); // afterwards: up would wait for it
    await waitUntil(async () => (await site.status()).workers.length === 2, { what: "the other worker" });
    const client = site.house.client();
    const workdir = site.house.dir;
    const waits = [
      client.request("gateway.wait", { worker: "index", workdir, conditions: ["stopped"] }),
      client.request("gateway.wait", { worker: "never", workdir, conditions: ["healthy", "served"] }),
      client.request("gateway.wait", { worker: "never", workdir, conditions: ["healthy", "stopped"] }),
    ];
    const settled = client.request("gateway.settled", { worker: "never", workdir, timeout_ms: TIMEOUT_MS });
    await client.request("gateway.down", { workdir });
    assert.deepEqual(
      (await Promise.all(waits)).map(({ met, result }) => [met, result]),
      [
        [["stopped"], "met"],
        [[], "ended"],
        [["stopped"], "met"],
      ],
    );
    await settled;
  },
);

test("gateway: one that does not come up leaves nothing in the server", { timeout: TIMEOUT_MS }, async () => {
  await using site = await Site.make({ [INDEX]: saying("one") });
  await using other = await Site.make({ [INDEX]: saying("other") });
  const { port } = await other.up();
  const client = site.house.client();
  const { pid } = await client.request("status", {});
  const watches = (): number =>
    readdirSync(`/proc/${pid}/fdinfo`)
      .map((fd) => readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8"))
      .join("")
      .split("inotify wd:").length;
  /** The kernel counts watches by the directory that they are of. */
  const up = (name: string) => {
    const dir = join(site.house.base, name);
    mkdirSync(join(dir, "workers/index/src"), { recursive: true });
    writeFileSync(join(dir, INDEX), saying("never"));
    return client.request("gateway.up", { dir, env: [`PATH=${process.env.PATH}`], port });
  };
  await assert.rejects(up("first"), { code: "GATEWAY_PORT_TAKEN" });
  const before = watches();
  await assert.rejects(up("second"), { code: "GATEWAY_PORT_TAKEN" });
  assert.equal(watches(), before);
  assert.equal(site.workerProcesses().length, 0);
  assert.equal((await site.up()).dir, site.house.dir);
});
