import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type TemporaryHome, temporaryHome } from "./harness/home.ts";
import { type Ended, well } from "./harness/warren.ts";

/**
 * What a command costs is mostly what it loads. These are typed all day, by people and by agents: none of Node's modules that take milliseconds is among
 * theirs (node:crypto alone takes as long as the whole rest of `list`). Counted and not timed; `npm run bench -- jobs --only command-line` has the times.
 */
const DEAR = ["crypto", "fs/promises", "child_process", "http", "https", "tls", "zlib", "sqlite", "worker_threads"];

/** Of ours, what is not typed all day (scripts/cli-bundles.mjs). */
const isDear = (name: string): boolean => DEAR.includes(name) || name.endsWith("/cli-more.cjs");

const QUICK: readonly (readonly string[])[] = [
  ["ping"],
  ["add", "--name", "web", "--", "sleep", "100"],
  ["list"],
  [],
  ["stats", "web"],
  ["ports", "web"],
  ["sessions"],
  ["stop", "web"],
  ["start", "web"],
  ["restart", "web"],
  ["why", "web"],
  ["mail", "send", "owl", "hello"],
  ["mail", "check"],
];

/** What the command had loaded when it ended: Node's own modules by name, ours by path. */
async function loadedBy(house: TemporaryHome, args: readonly string[]): Promise<{ ended: Ended; names: string[] }> {
  const hook = join(house.dir, "loaded.cjs");
  const loaded = join(house.dir, "loaded.json");
  const list =
    "[...process.moduleLoadList.filter((one) => one.startsWith('NativeModule ')).map((one) => one.slice(13)), ...Object.keys(require.cache)]";
  writeFileSync(
    hook,
    `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(loaded)}, JSON.stringify(${list})));\n`,
  );
  const ended = await house.warren([...args], { env: { NODE_OPTIONS: `--require=${hook}` } });
  const names = JSON.parse(readFileSync(loaded, "utf8")) as string[];
  assert.ok(
    names.includes("net") && names.some((name) => name.endsWith("/dist/cli.cjs")),
    "it was looked at the command",
  );
  return { ended, names };
}

test("quick commands: what is typed all day loads nothing dear", async () => {
  await using house = temporaryHome();
  // What these start is another process, and has its own.
  well(await house.warren(["ping"]));
  well(await house.warren(["mail", "check"]));
  const dear: string[] = [];
  for (const args of QUICK) {
    const { ended, names } = await loadedBy(house, args);
    well(ended);
    dear.push(...names.filter(isDear).map((name) => `${args[0] ?? "warren alone"} loads ${name}`));
  }
  assert.deepEqual(dear, []);
});

test("quick commands: one that goes on has the rest of its own build, before an upgrade takes it away", async () => {
  await using house = temporaryHome();
  well(await house.warren(["add", "--name", "web", "--", "sleep", "100"]));
  const { ended, names } = await loadedBy(house, ["wait", "web", "--for", "exit", "--timeout", "2s"]);
  assert.equal(ended.status, 124);
  assert.ok(names.some((name) => name.endsWith("/cli-more.cjs")));
});
