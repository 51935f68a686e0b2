import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Gateway } from "../src/protocol/gateway-units.ts";
import { variant } from "./harness/build-copy.ts";
import { Site, saying } from "./harness/site.ts";
import { waitUntil } from "./harness/wait-until.ts";

/** Workers of every kind, and the front that is replaced by that of another build. */
const TIMEOUT_MS = 90_000;

/** Listens on $PORT; what it says was put in by the build. */
const SCRIPT = `const http = require("node:http");
http.createServer((request, response) => response.end("WORD " + process.env.WORKER_NAME + " " + request.url + "\\n")).listen(process.env.PORT);
`;

test(
  "kinds: a command with a build, another without, a folder of files, an address elsewhere",
  { timeout: TIMEOUT_MS },
  async () => {
    const elsewhere = http.createServer((request, response) => response.end(`elsewhere ${request.url}`));
    elsewhere.listen(0, "127.0.0.1");
    await once(elsewhere, "listening");
    const { port } = elsewhere.address() as AddressInfo;
    try {
      await using site = await Site.make({
        "workers/built/worker.yaml": `type: command\nbuild: sed s/WORD/made/ main.js > bin/built\ncommand: ${process.execPath} bin/built\n`,
        "workers/built/main.js": SCRIPT,
        "workers/plain/worker.yaml": `type: command\ncommand: ${process.execPath} main.js\nstrip: true\n`,
        "workers/plain/main.js": SCRIPT,
        "workers/files/public/index.html": "<p>files</p>",
        "workers/files/public/a/style.css": "p { color: red }",
        "workers/away/worker.yaml": `type: url\nurl: http://127.0.0.1:${port}\n`,
      });
      const { workers } = await site.up();
      assert.deepEqual(workers.map(({ name, type, state }) => [name, type, state]).sort(), [
        ["away", "url", "healthy"],
        ["built", "command", "healthy"],
        ["files", "static", "healthy"],
        ["plain", "command", "healthy"],
      ]);
      assert.equal(await site.text("/built/x"), "made built /built/x\n");
      assert.equal(await site.text("/plain/x?y"), "WORD plain /x?y\n", "the prefix is taken off");
      assert.match(await site.text("/files/"), /^<p>files<\/p>/);
      const css = await site.get("/files/a/style.css");
      assert.deepEqual([css.status, css.headers["content-type"]], [200, "text/css; charset=utf-8"]);
      const { etag } = css.headers;
      assert.equal((await site.get("/files/a/style.css", { headers: { "if-none-match": etag ?? "" } })).status, 304);
      assert.equal(await site.text("/away/z"), "elsewhere /away/z");
      assert.equal((await site.get("/files/../../worker.yaml")).status, 400);

      site.write("workers/built/main.js", SCRIPT.replace("WORD", "another WORD"));
      await waitUntil(async () => (await site.text("/built")).startsWith("another made"), { what: "the new build" });
      site.write("workers/plain/main.js", SCRIPT.replace("WORD", "plainly"));
      await waitUntil(async () => (await site.text("/plain")).startsWith("plainly"), { what: "the new script" });
      site.write(
        "workers/built/worker.yaml",
        `type: command\nbuild: "echo main.js:3:7 is no good; exit 4"\ncommand: ${process.execPath} bin/built\n`,
      );
      const failed = await waitUntil(
        async () => {
          const answer = await site.get("/built");
          return answer.status === 500 && answer;
        },
        { what: "the failed build" },
      );
      assert.match(failed.body, /is no good/);
    } finally {
      elsewhere.close();
    }
  },
);

test(
  "kinds: an address elsewhere is asked how it is; when it is gone, that is said, and when it is back",
  {
    timeout: TIMEOUT_MS,
  },
  async () => {
    const open = async (port: number): Promise<http.Server> => {
      const server = http.createServer((_request, response) => response.end("here"));
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
      return server;
    };
    let elsewhere = await open(0);
    const { port } = elsewhere.address() as AddressInfo;
    try {
      await using site = await Site.make({
        "workers/away/worker.yaml": `type: url\nurl: http://127.0.0.1:${port}\nhealth: { interval: 0.1s, fall: 2 }\n`,
      });
      await site.up();
      elsewhere.close();
      elsewhere.closeAllConnections();
      const { reason } = await site.becomes("away", ({ state }) => state === "unhealthy", "unhealthy");
      assert.equal(reason, `nobody listens on port ${port}`);
      assert.equal((await site.get("/health")).status, 503);
      assert.equal((await site.get("/away")).status, 502);
      elsewhere = await open(port);
      await site.becomes("away", ({ state }) => state === "healthy", "healthy again");
      assert.equal((await site.get("/health")).status, 200);
      assert.equal(await site.text("/away"), "here");
    } finally {
      elsewhere.close();
    }
  },
);

test(
  "front: another build's takes its place; no request fails, and a stream goes on to its end",
  { timeout: TIMEOUT_MS },
  async () => {
    const streaming = `import { createServer } from "node:http";
createServer((request, response) => {
  if (request.url !== "/events") return void response.end("one");
  let count = 0;
  const timer = setInterval(() => {
    response.write(\`data: \${count}\\n\\n\`);
    if (++count < 150) return;
    clearInterval(timer);
    response.end("data: end\\n\\n");
  }, 10);
}).listen(process.env.PORT);
`;
    await using site = await Site.make({
      "workers/index/src/main.ts": streaming,
      "workers/api/src/main.ts": saying("api"),
    });
    const { front } = await site.up();
    const failures: string[] = [];
    const over = new AbortController();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
    let count = 0;
    const ask = async (options: http.RequestOptions): Promise<void> => {
      while (!over.signal.aborted) {
        await site.text("/", options).catch((error) => failures.push(String(error)));
        count += 1;
        await delay(1);
      }
    };
    const loops = [ask({ agent }), ask({}), ask({})];
    const stream = site.text("/events");
    const from = variant({ hash: "front01", newerByMs: 5_000 });
    const reloaded = await site.house.warren(["reload"], { from });
    assert.equal(reloaded.status, 0, reloaded.stderr);
    const next = await waitUntil(
      async () => {
        const now = (await site.status()).front;
        return now && now.pid !== front?.pid && now;
      },
      { what: "the front of the new build" },
    );
    assert.equal(next.generation, 2);
    assert.ok((await stream).endsWith("data: 149\n\ndata: end\n\n"));
    over.abort();
    await Promise.all(loops);
    agent.destroy();
    assert.deepEqual(failures, []);
    assert.ok(count > 50, String(count));
  },
);

test(
  "kinds: an application where it lies; a save replaces it, what it writes does not",
  { timeout: TIMEOUT_MS },
  async () => {
    const app = (word: string): string => SCRIPT.replace("WORD", word).replace(/^/, 'require("../lib/greet.js");\n');
    await using site = await Site.make({
      "warren.yaml": `gateway:\n  app: { command: ${process.execPath} bin/www.js, instances: 2, ignore: [uploads] }\n`,
      "bin/www.js": app("one"),
      "lib/greet.js": "",
      "uploads/a.txt": "a",
      "package.json": "{}",
      "public/style.css": "p {}",
    });
    await site.up();
    assert.equal(await site.text("/x"), "one app /x\n");
    assert.equal(await site.text("/style.css"), "p {}", "served as it is");
    const first = await site.worker("app");
    site.write("uploads/b.txt", "b");
    await site.house.warren(["gateway", "refresh"]);
    const { version, instances } = await site.worker("app");
    assert.deepEqual(
      [version, instances.map(({ pid }) => pid)],
      [first.version, first.instances.map(({ pid }) => pid)],
    );
    for (const [path, text] of [
      ["bin/www.js", app("two")],
      ["lib/greet.js", "// another"],
    ] as const) {
      const before = await site.worker("app");
      site.write(path, text);
      await site.becomes("app", ({ version }) => version !== undefined && version !== before.version, `of ${path}`);
      assert.equal(await site.text("/x"), "two app /x\n");
    }
  },
);

test("kinds: gateway build without a worker builds each one that is built", { timeout: TIMEOUT_MS }, async () => {
  const built = (name: string): string =>
    `type: command\nbuild: sh -c "echo built >> ../../${name}.builds; cp main.js bin/${name}"\ncommand: ${process.execPath} bin/${name}\n`;
  await using site = await Site.make({
    "workers/one/worker.yaml": built("one"),
    "workers/one/main.js": SCRIPT,
    "workers/two/worker.yaml": built("two"),
    "workers/two/main.js": SCRIPT,
    "workers/files/public/index.html": "<p>files</p>",
  });
  await site.up();
  const count = (name: string): number =>
    readFileSync(join(site.house.dir, `${name}.builds`), "utf8").split("\n").length - 1;
  for (const name of ["one", "two"]) await site.becomes(name, ({ state }) => state === "healthy", "healthy");
  assert.deepEqual([count("one"), count("two")], [1, 1]);
  const { status, stdout, stderr } = await site.house.warren(["gateway", "build", "--wait", "30s", "--json"]);
  assert.equal(status, 0, stderr);
  const [gateway] = JSON.parse(stdout) as Gateway[];
  assert.deepEqual(
    gateway?.workers.map(({ state }) => state),
    ["healthy", "healthy", "healthy"],
  );
  assert.deepEqual([count("one"), count("two")], [2, 2]);
  assert.equal((await site.house.warren(["gateway", "pause"])).status, 2, "others need one");
});
