import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { isWarrenError } from "../protocol/errors.ts";
import { messages } from "../protocol/messages.ts";
import { NAME_PATTERN } from "../protocol/names.ts";
import { formatProblem } from "./problems.ts";
import { PROJECT_FIELDS } from "./project-fields.ts";
import { toUpJobs } from "./up-jobs.ts";
import { findProject, loadProject, parseProject } from "./warren-yaml.ts";

const FILE = "/p/warren.yaml";
const problemsOf = async (text: string): Promise<string[]> =>
  (await parseProject(text, FILE)).problems.map((problem) => formatProblem(problem).replace(`${FILE}:`, ""));
const configOf = async (text: string) => {
  const { config, problems } = await parseProject(text, FILE);
  assert.deepEqual(problems, []);
  return config;
};

async function temporaryDir(): Promise<{ dir: string } & AsyncDisposable> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), "warren-config-")));
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
}

test("warren.yaml: the contract's example", async () => {
  const config = await configOf(`
jobs:
  web: { command: npm run dev, ready: { port: 3000 }, restart: on-failure }
  test: { command: npm test, after: [web], autostart: false }
gateway:
  port: 8080
  mode: dev
  workers: workers
agents:
  fox: { agent: node examples/agents/scripted.ts }
`);
  const [web, tests] = config.jobs;
  assert.deepEqual(web?.command, ["npm", "run", "dev"]);
  assert.deepEqual(web?.restart, { when: "on-failure" });
  assert.deepEqual([tests?.after, tests?.autostart, web?.autostart], [["web"], false, true]);
  assert.deepEqual(config.gateway, { workersDir: "/p/workers" });
  assert.deepEqual(config.agents, [{ name: "fox", command: ["node", "examples/agents/scripted.ts"] }]);
});

test("warren.yaml: every key of a job arrives in the message `up`", async () => {
  await using temporary = await temporaryDir();
  const file = join(temporary.dir, "warren.yaml");
  await writeFile(join(temporary.dir, ".env"), "# both\nA=file\nB='of the file'\n");
  await writeFile(
    file,
    `
jobs:
  db:
    command: [docker, run, "a b", 5432]
    ready: { port: any, timeout: 1m }
  web:
    command: PORT=1 node x.js | tee log
    dir: sub
    env: { A: own, VERSION: 1.10, DEBUG: true }
    env_file: .env
    description: the site
    labels: { tier: front }
    ready: { log: "^listening" }
    restart: { when: always, max: 5, backoff: 500ms }
    depends_on: db
    timeout: 1h
    grace: 2.5
    stop_signal: INT
    log_max_bytes: 64MB
  no: { command: rm -rf /, blocked: ask first }
`,
  );
  const config = await loadProject(file);
  const jobs = toUpJobs(config, { A: "caller", HOME: "/h", NONE: undefined });
  assert.deepEqual(jobs[1], {
    name: "web",
    command: ["sh", "-c", "PORT=1 node x.js | tee log"],
    workdir: join(temporary.dir, "sub"),
    env: ["A=own", "HOME=/h", "B=of the file", "VERSION=1.10", "DEBUG=true"],
    file_env: ["A=own", "B=of the file", "VERSION=1.10", "DEBUG=true"],
    autostart: true,
    blocked: false,
    labels: { tier: "front" },
    depends_on: ["db"],
    description: "the site",
    ready: { kind: "log", pattern: "^listening" },
    restart: { when: "always", max: 5, backoff_ms: 500 },
    timeout_ms: 3_600_000,
    grace_ms: 2_500,
    stop_signal: "SIGINT",
    log_max_bytes: 64 * 1024 ** 2,
  });
  assert.deepEqual(jobs[0]?.command, ["docker", "run", "a b", "5432"]);
  assert.deepEqual(jobs[0]?.ready, { kind: "port", timeout_ms: 60_000 });
  assert.deepEqual([jobs[2]?.blocked, jobs[2]?.autostart, jobs[2]?.description], [true, false, "ask first"]);
  assert.ok(messages.up.payload.parse({ project: temporary.dir, jobs }));
});

test("warren.yaml: all problems at once, in order, with place, value and suggestion", async () => {
  assert.deepEqual(
    await problemsOf(`jobs:
  web:
    comand: npm run dev
    redy: { port: 3000 }
    autostart: yes
    restart: sometimes
    timeout: soon
  Api: { command: x }
  db: { command: "echo 'a", ready: { port: 99999, log: "(" }, cwd: db }
  x: { command: [] }
gatway: {}
`),
    [
      '3:5 jobs.web.comand: there is no key "comand" here; did you mean "command"?',
      '4:5 jobs.web.redy: there is no key "redy" here; did you mean "ready"?',
      '5:16 jobs.web.autostart: must be true or false, not "yes"; did you mean "true"?',
      '6:14 jobs.web.restart: must be one of no, on-failure, always or a map, not "sometimes"',
      '7:14 jobs.web.timeout: must be a duration such as 30s, 1.5m or 2h30m, not "soon"',
      '8:3 jobs.Api: "Api" is not a name: a lower-case letter, then at most 31 of a-z, 0-9 and -; did you mean "api"?',
      `9:18 jobs.db.command: the single quote (') is not closed in "echo 'a"`,
      '9:36 jobs.db.ready: has "port", "log", of which only one can hold',
      '9:44 jobs.db.ready.port: must be a whole number from 1 to 65535 or "any", not 99999',
      '9:56 jobs.db.ready.log: must be a valid regular expression, not "("',
      '9:63 jobs.db.cwd: there is no key "cwd" here; did you mean "dir"?',
      "10:17 jobs.x.command: must not be empty",
      '11:1 gatway: there is no key "gatway" here; did you mean "gateway"?',
    ],
  );
});

test("warren.yaml: what is not a map of jobs says so", async () => {
  for (const [text, expected] of [
    ["", '1:1 holds nothing; a job is written as "jobs: { web: { command: npm run dev } }"'],
    ["# only this\n", /holds nothing/],
    ["- a\n", "1:1 must be a map, not a list"],
    ["hello", '1:1 must be a map, not "hello"'],
    ["jobs: [a]", "1:7 jobs: must be a map, not a list"],
    ["jobs:\n  web:\n", '2:7 jobs.web: "command" is missing'],
    ["jobs:\n\tweb: x\n", "2:1 is not YAML: Tabs are not allowed as indentation; indent with spaces"],
    ["jobs: {}\n---\njobs: {}", /2:1 holds several documents/],
    ["jobs: { web: { command: a, command: b } }", '1:28 jobs.web.command: "command" stands here twice'],
    ["jobs: { web: { command: *x } }", "1:25 jobs.web.command: *x names no anchor above it"],
    ["jobs: { web: { command: !!set a } }", /1:25/],
    ["jobs: { ? [a] : 1 }", /a key must be a word/],
    ['jobs: { web: { command: "a\\0b" } }', /NUL/],
    ["jobs: { web: { command: a, restart: false } }", /did you mean "no"/],
    ["jobs: { web: { command: a, env: { A: } } }", /jobs.web.env.A: must be a text, a number.*not nothing/],
    ["jobs: { web: { command: a, after: b, depends_on: b }, b: { command: b } }", /mean the same; keep one/],
    ["jobs: { web: { command: a, timeout: 100d } }", /must be a duration/],
    ["jobs: { web: { command: a, ready: {} } }", /needs one of "port", "log"/],
  ] as const) {
    const problems = await problemsOf(text);
    assert.equal(problems.length, 1, `${text}: ${problems.join("\n")}`);
    if (typeof expected === "string") assert.equal(problems[0], expected);
    else assert.match(problems[0]!, expected);
  }
});

test("warren.yaml: aliases are read, and a cycle of them ends", async () => {
  const config = await configOf("jobs:\n  a: { command: x, env: &e { K: v } }\n  b: { command: y, env: *e }\n");
  assert.deepEqual(config.jobs[1]?.env, new Map([["K", "v"]]));
  assert.ok((await problemsOf("jobs: &j\n  a: *j\n")).length > 0);
});

test("warren.yaml: unknown dependencies and circles are shown", async () => {
  assert.deepEqual(
    await problemsOf(`jobs:
  a: { command: x, after: [b] }
  b: { command: x, after: [c, nob] }
  c: { command: x, after: a }
  d: { command: x, depends_on: [d] }
  e: { command: x, after: broken }
  broken: 3
`),
    [
      '3:31 jobs.b.after[1]: there is no job "nob"',
      "4:27 jobs.c.after: these wait for each other: a → b → c → a (each after the next)",
      '5:33 jobs.d.depends_on[0]: "d" waits for itself',
      "7:11 jobs.broken: must be a map, not 3",
    ],
  );
  const [typo] = await problemsOf("jobs: { web: { command: x }, t: { command: x, after: wbe } }");
  assert.match(typo!, /there is no job "wbe"; did you mean "web"\?/);
});

test("warren.yaml: a missing env file is an error where it is named", async () => {
  const [problem] = await problemsOf("jobs:\n  web:\n    command: x\n    env_file: [nowhere.env]\n");
  assert.equal(problem, "4:16 jobs.web.env_file[0]: /p/nowhere.env does not exist");
});

test("loadProject: rejects with every problem, for people and for programs", async () => {
  await using temporary = await temporaryDir();
  const file = join(temporary.dir, "warren.yaml");
  await writeFile(file, "jobs: { a: { dir: 3, comand: x } }\n");
  await assert.rejects(loadProject(file), (error) => {
    assert.ok(isWarrenError(error, "CONFIG_INVALID"));
    assert.match(error.message, /^2 problems in .*\n.*:1:19 jobs.a.dir: .*not 3\n.*did you mean "command"\?$/);
    assert.equal((error.detail?.problems as unknown[]).length, 2);
    return true;
  });
  await assert.rejects(loadProject(join(temporary.dir, "none.yaml")), { code: "CONFIG_NOT_FOUND" });
  await assert.rejects(loadProject(temporary.dir), { code: "CONFIG_UNREADABLE" });
  await writeFile(file, "#".repeat(1024 * 1024 + 1));
  await assert.rejects(loadProject(file), { code: "CONFIG_UNREADABLE" });
});

test("findProject: the nearest file upwards; two side by side are an error", async () => {
  await using temporary = await temporaryDir();
  const project = join(temporary.dir, "my site");
  const deep = join(project, "b");
  await mkdir(deep, { recursive: true });
  await mkdir(join(deep, "warren.yaml"));
  await writeFile(join(project, "warren.yml"), "");
  assert.deepEqual(await findProject(deep), { file: join(project, "warren.yml"), dir: project });
  await writeFile(join(project, "warren.yaml"), "");
  await assert.rejects(findProject(deep), { code: "CONFIG_AMBIGUOUS", fix: `rm '${join(project, "warren.yml")}'` });
});

test("the table's pattern of names is the protocol's", () => {
  assert.equal(PROJECT_FIELDS.fields.jobs.keyPattern, NAME_PATTERN.source);
});

test("examples/warren.yaml is valid", async () => {
  const file = fileURLToPath(new URL("../../examples/warren.yaml", import.meta.url));
  const config = await loadProject(file);
  const scripts = config.jobs.flatMap(({ command }) => command.join(" ").match(/\S+\.mjs/g) ?? []);
  assert.equal(scripts.length, 3);
  for (const script of scripts) assert.ok(await readFile(join(config.dir, script)));
});
