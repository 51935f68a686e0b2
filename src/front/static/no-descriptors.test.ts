import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

/** In a process of its own, with few descriptors, all of them taken. */
const SCRIPT = `
  import { openSync, closeSync } from "node:fs";
  const { FrontResolver } = await import(${module("../routing/resolver.ts")});
  const { LivePages } = await import(${module("../live/live-pages.ts")});
  const worker = { name: "index", kind: "http", state: "serving", instances: [], isLive: false };
  const table = {
    format: 1, revision: 1, mode: "dev", project: "site", workers: [worker], draining: [], trustedProxies: [], hasPublicMetrics: false,
    sessions: [], publicDir: process.argv[1], routes: [{ kind: "worker", path: "/", worker: "index", strip: false }],
  };
  let nowMs = 0;
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs, timer: () => () => {} };
  const resolver = new FrontResolver(table, { live: new LivePages("f1"), metricsText: () => "", clock });
  const ask = (path) => resolver.resolve({ method: "GET", path, query: undefined, host: "x", requestId: "r", field: () => undefined });
  const told = [];
  const say = () => {
    nowMs += 10;
    for (const path of ["/page.txt", "/program"]) {
      const target = ask(path);
      told.push(target.kind === "answer" ? target.answer.status : target.kind);
    }
  };
  say();
  const taken = [];
  try { for (;;) taken.push(openSync("/dev/null")); } catch {}
  say();
  for (const fd of taken) closeSync(fd);
  say();
  process.stdout.write(JSON.stringify(told));
`;

test("public folder: without a free descriptor a file gets 503, a program its request, and both are well again after it", async () => {
  const directory = mkdtempSync(join(tmpdir(), "warren-emfile-"));
  try {
    mkdirSync(join(directory, "public"));
    writeFileSync(join(directory, "public/page.txt"), "page");
    const command = 'ulimit -n 64; exec "$0" --input-type=module -e "$1" "$2"';
    const argv = ["-c", command, process.execPath, SCRIPT, join(directory, "public")];
    const { stdout } = await promisify(execFile)("sh", argv, { timeout: 30_000 });
    assert.deepEqual(JSON.parse(stdout), [200, "worker", 503, "worker", 200, "worker"]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
