import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { isWarrenError } from "../../protocol/errors.ts";
import { NAME_PATTERN } from "../../protocol/names.ts";
import { loadGateway } from "../gateway/load-gateway.ts";
import { type JobConfig, parseProject } from "../warren-yaml.ts";
import { JobNames } from "./draft.ts";
import { importFrom } from "./import.ts";

interface Workplace extends AsyncDisposable {
  dir: string;
}

async function withFiles(files: Record<string, string>): Promise<Workplace> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), "warren-import-")));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
}

/** Imports the directory, and reads the result as `warren up` would. */
async function imported(files: Record<string, string>) {
  await using place = await withFiles(files);
  const result = await importFrom(place.dir);
  const { config, problems } = await parseProject(result.yaml, join(result.dir, "warren.yaml"));
  assert.deepEqual(problems, [], result.yaml);
  const jobs: Record<string, JobConfig> = Object.fromEntries(config.jobs.map((job) => [job.name, job]));
  const notes = Object.fromEntries(result.notes.map((note) => [note.key, note]));
  return { ...result, jobs, notes, dir: place.dir };
}

async function refused(files: Record<string, string>, code: string, message: RegExp) {
  await using place = await withFiles(files);
  await assert.rejects(importFrom(place.dir), (error) => {
    assert.ok(isWarrenError(error, code), String(error));
    assert.match(error.message, message);
    return true;
  });
}

test("import pm2: what both know is taken, the rest is noted with a reason", async () => {
  const { jobs, notes, yaml, dir } = await imported({
    "ecosystem.config.js": `
      console.log("configurations print");
      module.exports = {
        apps: [{
          name: "API Server", script: "./dist/main.js", args: "--port 3000 'a b'", node_args: ["--inspect"],
          cwd: "server", env: { PORT: 3000, DEBUG: true, NESTED: {} }, env_production: { PORT: 80 },
          max_restarts: 5, exp_backoff_restart_delay: 100, kill_timeout: 3000, instances: 4, watch: ["src"],
          out_file: "out.log", cron_restart: "0 0 * * *", max_memory_restart: "1G", wait_ready: true, frobnicate: 1,
        }, {
          name: "worker", script: "worker.py", autorestart: false, watch: false, instances: 1, exec_mode: "fork_mode",
        }, { name: "site", script: "npm", args: "run dev", stop_exit_codes: [0], restart_delay: "2s" },
        { name: "shell", script: "cd x && make watch", namespace: "tools" }],
        deploy: {},
      };`,
  });
  const { "api-server": api, worker, site, shell } = jobs;
  assert.deepEqual(api?.command, ["node", "--inspect", "./dist/main.js", "--port", "3000", "a b"]);
  assert.deepEqual(
    api?.env,
    new Map([
      ["PORT", "3000"],
      ["DEBUG", "true"],
    ]),
  );
  assert.deepEqual(api?.restart, { when: "always", max: 5, backoff_ms: 100 });
  assert.deepEqual([api?.graceMs, api?.dir], [3_000, join(dir, "server")]);
  assert.deepEqual([worker?.command, worker?.restart], [["python3", "worker.py"], { when: "no" }]);
  assert.deepEqual([site?.command, site?.restart], [["npm", "run", "dev"], { when: "on-failure", backoff_ms: 2_000 }]);
  assert.deepEqual(shell?.command, ["sh", "-c", "cd x && make watch"]);
  assert.deepEqual(shell?.labels, new Map([["namespace", "tools"]]));
  assert.match(yaml, /command: npm run dev/);
  const keys =
    "name env.NESTED env_production instances watch out_file cron_restart max_memory_restart wait_ready frobnicate";
  assert.deepEqual(
    Object.keys(notes).sort(),
    [...keys.split(" ").map((key) => `apps.API Server.${key}`), "deploy"].sort(),
  );
  assert.match(notes["apps.API Server.wait_ready"]!.instead!, /ready: \{ port/);
  assert.match(notes.deploy!.instead!, /config\/deployment\.yaml, and warren gateway deploy/);
  for (const note of Object.values(notes)) assert.ok(note.reason);
});

test("import pm2: a cluster goes behind the gateway, with its port, and without a save as a restart where pm2 watched none", async () => {
  const api = `{ name: "api", script: "server.js", instances: 4, exec_mode: "cluster", env: { PORT: 3000, A: "b" },
    max_memory_restart: "300M", kill_timeout: 1600, listen_timeout: 8000, watch: true, ignore_watch: ["./uploads"] }`;
  const { yaml, jobs, notes, dir } = await imported({
    "ecosystem.config.js": `module.exports = { apps: [${api}, { name: "mail", script: "mail.js" }] }`,
  });
  assert.deepEqual(Object.keys(jobs), ["mail"]);
  assert.deepEqual(Object.keys(notes), ["apps.api.exec_mode"]);
  await using place = await withFiles({ "warren.yaml": yaml });
  const { port, mode, workers } = await loadGateway(place.dir);
  const [worker] = workers;
  assert.deepEqual([port, mode, worker?.name, worker?.instances], [3_000, "dev", "api", 4]);
  assert.deepEqual(worker?.command, ["node", "server.js"]);
  assert.deepEqual(
    [worker?.env, worker?.memoryBytesMax, worker?.stopGraceMs, worker?.startTimeoutMs],
    [{ A: "b" }, 300 * 1024 ** 2, 1_600, 8_000],
  );
  assert.ok(worker?.ignore.includes("uploads"));
  assert.ok(dir);

  const still = await imported({
    "ecosystem.config.js": `module.exports = { apps: [{ name: "api", script: "a.js", instances: "max" }] }`,
  });
  assert.match(still.yaml, /^gateway:\n {2}mode: prod\n/m);
  assert.match(still.notes["apps.api.instances"]!.reason, /^max is \d+ on this machine$/);

  const two = `{ name: "a", script: "a.js", instances: 2 }, { name: "b", script: "b.js", instances: 2 }`;
  const both = await imported({ "ecosystem.config.js": `module.exports = { apps: [${two}] }` });
  assert.deepEqual(Object.keys(both.jobs), ["a", "b"], "which of them has the port is not known");
});

test("import pm2: modules, functions, lists, JSON and one app alone", async () => {
  const app = `{ name: "a", script: "a.js" }`;
  const node = ["node", "a.js"];
  for (const files of [
    { "ecosystem.config.mjs": `export default { apps: [${app}] }` },
    { "ecosystem.config.mjs": `export const apps = [${app}]` },
    { "ecosystem.config.js": `export default async () => ({ apps: ${app} })`, "package.json": `{ "type": "module" }` },
    { "ecosystem.config.cjs": `module.exports = [${app}]` },
    { "ecosystem.config.cjs": `module.exports = ${app}; setInterval(() => {}, 1000)` },
    { "ecosystem.config.json": `{ "apps": [{ "name": "a", "script": "a.js" }] }` },
  ] as Record<string, string>[]) {
    assert.deepEqual((await imported(files)).jobs.a?.command, node, JSON.stringify(files));
  }
});

test("import pm2: a program of the project is started as such", async () => {
  const config = `module.exports = { apps: [{ name: "a", script: "serve" }, { name: "b", script: "make" }] }`;
  const { jobs } = await imported({ "ecosystem.config.cjs": config, serve: "#!/bin/sh\n" });
  assert.deepEqual([jobs.a?.command, jobs.b?.command], [["./serve"], ["make"]]);
});

test("import pm2: a file that throws, or says nothing, is refused with its reason", async () => {
  await refused({ "ecosystem.config.cjs": `throw new TypeError("no such stage")` }, "IMPORT_INVALID", /no such stage/);
  await refused({ "ecosystem.config.cjs": `module.exports = 3` }, "IMPORT_INVALID", /no configuration/);
  await refused(
    { "ecosystem.config.cjs": `module.exports = { apps: [{}] }` },
    "IMPORT_INVALID",
    /apps\[0\] has no "script"/,
  );
  await refused({ "ecosystem.config.cjs": `process.exit(7)` }, "IMPORT_INVALID", /status 7/);
  await refused({ "ecosystem.config.cjs": `module.exports = "x".repeat(2e6)` }, "IMPORT_INVALID", /more than/);
  await refused({ "ecosystem.config.json": "{" }, "IMPORT_INVALID", /not JSON/);
});

test("import pm2: a file that does not end is killed, with what it started", async () => {
  await using place = await withFiles({
    "ecosystem.config.cjs": `
      const child = require("node:child_process").spawn("sleep", ["600"], { stdio: "inherit" });
      require("node:fs").writeFileSync("pid", String(child.pid));
      for (;;);`,
  });
  await assert.rejects(importFrom(place.dir, { limitMs: 1_000 }), { code: "IMPORT_TIMEOUT" });
  const pid = await readFile(join(place.dir, "pid"), "utf8");
  // The pipes that it held are closed, so it is gone or a zombie that init has yet to reap.
  const state = existsSync(`/proc/${pid}/stat`)
    ? (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.[0]
    : "gone";
  assert.ok(state === "gone" || state === "Z", `state ${state}`);
});

test("import Procfile: names, shells, $PORT and .env", async () => {
  const { jobs, notes } = await imported({
    Procfile: "# processes\nweb: node server.js -p $PORT\n\nWorker_1: bundle exec sidekiq\nrelease: ./migrate\n",
    ".env": "A=1\n",
  });
  assert.deepEqual(jobs.web?.command, ["sh", "-c", "node server.js -p $PORT"]);
  assert.deepEqual(jobs["worker-1"]?.command, ["bundle", "exec", "sidekiq"]);
  assert.deepEqual([jobs.web?.autostart, jobs.release?.autostart], [true, false]);
  assert.deepEqual(Object.keys(notes).sort(), ["Worker_1", "web"]);
  await refused({ Procfile: "web: x\nnonsense\n" }, "IMPORT_INVALID", /Procfile:2: "nonsense"/);
  await refused({ Procfile: "# nothing\n" }, "IMPORT_INVALID", /names no process/);
});

test("import gobfile: jobs get names; blocked and autostart keep their meaning", async () => {
  const { jobs, notes, dir, source } = await imported({
    ".config/gobfile.toml": `
[[job]] # the site
command = "npm run dev"   # vite
description = 'C:\\dev "x"'
autostart = true

[[ job ]]
command = "echo \\"a\\tb\\" \\u00e9"
blocked = true
priority = "high"
`,
  });
  assert.equal(source, join(dir, ".config", "gobfile.toml"));
  assert.deepEqual([jobs.dev?.command, jobs.dev?.autostart], [["npm", "run", "dev"], true]);
  assert.equal(jobs.dev?.description, 'C:\\dev "x"');
  assert.deepEqual(jobs.echo?.command, ["echo", "a\tb", "é"]);
  assert.deepEqual([jobs.echo?.blocked, jobs.echo?.autostart], [true, false]);
  assert.deepEqual(Object.keys(notes), ["job[0]", "job[1].priority", "job[1]"]);
});

test("import gobfile: what the reader does not know is refused with its line", async () => {
  for (const [text, message] of [
    ["[[job]]\ncommand = 3\n", /:2: 3 is neither/],
    ['[[job]]\ncommand = """a"""\n', /:2: texts of several lines/],
    ['command = "x"\n', /:1: "command" stands before/],
    ['[[job]]\ncommand = "x"\ncommand = "y"\n', /:3: "command" stands here twice/],
    ['[settings]\na = "x"\n', /:1: cannot read "\[settings\]"/],
    ['[[task]]\ncommand = "x"\n', /:1: \[\[task\]\] is not known/],
    ['[[job]]\ncommand = "a\\x"\n', /:2: \\x is not an escape/],
    ['[[job]]\ncommand = "a\\uD800"\n', /:2: \\uD800 is not an escape/],
    ['[[job]]\ncommand = "x" y\n', /:2: "x" y is neither/],
    ["[[job]]\ncommand = true\n", /:2: "command" must be a text/],
    ["\n[[job]]\nblocked = true\n", /:2: the \[\[job\]\] has no command/],
    ["", /no \[\[job\]\]/],
  ] as const) {
    await refused({ ".config/gobfile.toml": text }, "IMPORT_INVALID", message);
  }
});

test("import package.json: of an HTTP server the gateway is named", async () => {
  const { notes } = await imported({
    "package.json": `{ "scripts": { "start": "node app.js" }, "dependencies": { "express": "5" } }`,
  });
  assert.match(notes["scripts.start"]!.reason, /express/);
  assert.match(notes["scripts.start"]!.instead!, /gateway: \{ app: \{ command: npm run start \} \}/);
});

test("import package.json: scripts become jobs, hooks stay the package manager's", async () => {
  const { jobs, notes } = await imported({
    "package.json": JSON.stringify({
      scripts: {
        dev: "vite",
        "build:css": "sass a b",
        build: "tsc",
        prebuild: "rm -rf dist",
        prepare: "husky",
        preview: "x",
      },
    }),
    "pnpm-lock.yaml": "",
  });
  assert.deepEqual(Object.keys(jobs), ["dev", "build-css", "build", "preview"]);
  assert.deepEqual(
    [jobs.dev?.command, jobs.dev?.autostart, jobs.dev?.description],
    [["pnpm", "run", "dev"], true, "vite"],
  );
  assert.equal(jobs.build?.autostart, false);
  assert.deepEqual(Object.keys(notes), ["scripts.build:css", "scripts.prebuild", "scripts.prepare"]);
  await refused({ "package.json": "{}" }, "IMPORT_INVALID", /no scripts/);
  await refused({ "package.json": `{"scripts":{"a":1}}` }, "IMPORT_INVALID", /script "a" is not a text/);
});

test("import: the first known file is read and the others are named; an unknown one is refused", async () => {
  const { source, notes, dir } = await imported({
    Procfile: "web: x\n",
    ".config/gobfile.toml": "",
    "package.json": "{}",
  });
  assert.equal(source, join(dir, "Procfile"));
  assert.deepEqual(Object.keys(notes), [".config/gobfile.toml"]);
  await refused({ "README.md": "" }, "IMPORT_NOT_FOUND", /has none of ecosystem\.config\.js/);
  await using place = await withFiles({ "a.ini": "" });
  await assert.rejects(importFrom(join(place.dir, "a.ini")), { code: "IMPORT_UNKNOWN" });
  await assert.rejects(importFrom(join(place.dir, "nowhere")), { code: "IMPORT_NOT_FOUND" });
});

test("import: whatever things are called, each job gets a valid name of its own", () => {
  void fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 50 })), (wanted) => {
      const names = new JobNames();
      const given = wanted.map((name) => names.claim(name));
      assert.equal(new Set(given).size, given.length);
      for (const name of given) assert.match(name, NAME_PATTERN);
    }),
  );
  const names = new JobNames();
  assert.deepEqual(
    ["Web", "web", "é à", "123", "a".repeat(40), "a".repeat(41)].map((name) => names.claim(name)),
    ["web", "web-2", "e-a", "job", "a".repeat(32), `${"a".repeat(30)}-2`],
  );
});

test("import: any command of a Procfile arrives as it was written", async () => {
  const command = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 20 }).map((text) => text.trim());
  for (const text of fc.sample(command, { numRuns: 100, seed: 3 })) {
    if (text === "" || /['"\\]/.test(text)) continue;
    const { jobs } = await imported({ Procfile: `a: ${text}\n` });
    const argv = jobs.a?.command ?? [];
    assert.ok(
      argv[0] === "sh" ? argv[2] === text || argv.join(" ") === text : argv.join(" ") === text.replaceAll(/\s+/g, " "),
      text,
    );
  }
});
