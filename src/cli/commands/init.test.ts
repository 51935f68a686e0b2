import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { loadGateway } from "../../config/gateway/load-gateway.ts";
import { openCommandLine } from "../testing/command-line.ts";

test("init: makes a project that its gateway takes", async () => {
  await using line = await openCommandLine();
  const { status, out } = await line.warren("init", "site", "--json");
  assert.equal(status, 0);
  const made = JSON.parse(out) as { dir: string; files: string[] };
  assert.ok(made.files.includes("workers/index/src/main.ts"));
  const { workers, warnings } = await loadGateway(join(line.dir, "site"));
  assert.deepEqual(
    workers.map(({ name, path, type }) => [name, path, type]),
    [
      ["api", "/api", "node"],
      ["index", "/", "node"],
    ],
  );
  assert.deepEqual(warnings, []);
});

test("init: overwrites nothing, and writes nothing then", async () => {
  await using line = await openCommandLine();
  const dir = join(line.dir, "site");
  await mkdir(join(dir, "workers/api"), { recursive: true });
  await writeFile(join(dir, "workers/api/worker.yaml"), "mine");
  const { status, err } = await line.warren("init", "site");
  assert.equal(status, 125);
  assert.match(err, /site has workers\/api\/worker\.yaml already; nothing was changed\.\nwarren init site-2/);
  assert.deepEqual(await readdir(dir), ["workers"]);
});

test("init: leaves a package.json and a .gitignore as they are", async () => {
  await using line = await openCommandLine();
  const dir = join(line.dir, "site");
  await mkdir(dir);
  await writeFile(join(dir, "package.json"), '{"name":"mine"}');
  const { status, out } = await line.warren("init", "site");
  assert.equal(status, 0);
  assert.doesNotMatch(out, /^ {2}package\.json$/m);
  assert.match(
    out,
    /^What package\.json runs is no part of it: warren import makes a warren\.yaml of that instead\.$/m,
  );
  assert.equal(await readFile(join(dir, "package.json"), "utf8"), '{"name":"mine"}');
});

test("init: takes back what it made when not all can be made", async () => {
  await using line = await openCommandLine();
  const dir = join(line.dir, "site");
  await mkdir(dir);
  await writeFile(join(dir, "workers"), "a file");
  const { status, err } = await line.warren("init", "site");
  assert.equal(status, 125);
  assert.match(err, /cannot be made in .*ENOTDIR/);
  assert.deepEqual(await readdir(dir), ["workers"]);
});
