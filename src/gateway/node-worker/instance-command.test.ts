import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { instanceCommand, standbyCommand } from "./instance-command.ts";

const worker = { name: "api", kind: "node" as const, dir: "/p/workers/api", path: "/api", route: "x.org/api" };
const common = { port: 9000, mode: "dev" as const, personEnv: {}, nodePath: "/node" };
const command = (...argv: string[]) => ({ ...worker, kind: "command" as const, command: argv });
const environment = (env: string[]) => Object.fromEntries(env.map((pair) => pair.split(/=(.*)/s).slice(0, 2)));

test("instance: a worker is told who it is", () => {
  const { env, workdir, takesSocket } = instanceCommand({ ...common, worker, artefactPath: "/a.mjs" });
  assert.deepEqual(environment(env), {
    PORT: "9000",
    WORKER_PORT: "9000",
    WORKER_NAME: "api",
    WORKER_PATH: "/api",
    WORKER_ROUTE: "x.org/api",
    WORKER_MODE: "dev",
    WORKER_TYPE: "node",
    WORKER_PRIVATE: "/p/workers/api/private",
    WORKER_ARTEFACT: "/a.mjs",
  });
  assert.deepEqual([workdir, takesSocket], ["/p/workers/api", true]);
});

test("instance: of the person's environment what is allowed, of ours nothing; the worker's own wins, but not over PORT", () => {
  const personEnv = { PATH: "/bin", LC_TIME: "C", SECRET: "s", MY_KEY: "k", MY_OTHER: "o", PORT: "1", TZ: undefined };
  const own = { ...worker, env: { PATH: "/own", WORKER_NAME: "other", A: "1" }, allowEnv: ["MY_*"] };
  const { env } = instanceCommand({
    ...common,
    worker: own,
    artefactPath: "/a.mjs",
    personEnv: { ...personEnv, WARREN_HOME: "/h", WARREN_RUN_TAG: "1", NODE_OPTIONS: "--x", LISTEN_FDS: "1" },
  });
  const seen = environment(env);
  assert.deepEqual([seen.PATH, seen.LC_TIME, seen.MY_KEY, seen.MY_OTHER, seen.A], ["/own", "C", "k", "o", "1"]);
  assert.deepEqual([seen.PORT, seen.WORKER_NAME], ["9000", "api"]);
  for (const name of ["SECRET", "TZ", "WARREN_HOME", "WARREN_RUN_TAG", "NODE_OPTIONS", "LISTEN_FDS"])
    assert.ok(!(name in seen), name);
});

test("instance: node runs the artefact behind the preload, or a process that waits for one", () => {
  const { command: argv } = instanceCommand({ ...common, worker, artefactPath: "/a.mjs" });
  const [node, maps, require, preload, artefact] = argv;
  assert.deepEqual([node, maps, require, artefact], ["/node", "--enable-source-maps", "--require", "/a.mjs"]);
  const standby = standbyCommand({ ...common, worker }, "/run/s.sock");
  assert.deepEqual(standby.command.slice(0, 4), argv.slice(0, 4));
  assert.ok(existsSync(preload!) && existsSync(standby.command[4]!));
  assert.ok(standby.env.includes("WARREN_STANDBY=/run/s.sock"));
  assert.ok(!standby.env.some((pair) => pair.startsWith("WORKER_ARTEFACT")));
});

const COMMANDS: [string[], string[]][] = [
  [
    ["bin/api", "-v"],
    ["/p/bin/api-1", "-v"],
  ],
  [["./bin/api"], ["/p/bin/api-1"]],
  [
    ["python3", "app.py"],
    ["python3", "app.py"],
  ],
  [
    ["run", "--with=bin/api"],
    ["run", "--with=/p/bin/api-1"],
  ],
  [
    ["/usr/bin/api", "bin/api-old", "bin/apis"],
    ["/usr/bin/api", "bin/api-old", "bin/apis"],
  ],
  [
    ["sh", "-c", "exec ./bin/api --port $PORT"],
    ["sh", "-c", "exec '/p/bin/api-1' --port $PORT"],
  ],
];

test("instance: in a command, bin/<name> stands for the artefact of this version, not for what serves now", () => {
  for (const [given, expected] of COMMANDS) {
    const started = instanceCommand({ ...common, worker: command(...given), artefactPath: "/p/bin/api-1" });
    assert.deepEqual(started.command, expected);
    assert.equal(started.takesSocket, false);
  }
  assert.deepEqual(instanceCommand({ ...common, worker: command("bin/api") }).command, ["bin/api"]);
  assert.equal(instanceCommand({ ...common, worker: { ...command("x"), takesSocket: true } }).takesSocket, true);
});
