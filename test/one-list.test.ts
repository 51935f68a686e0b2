import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { refusalOf, UNIT_VERBS, type UnitKind, type UnitVerb, WORKS } from "../src/cli/unit-verbs.ts";
import type { Session } from "../src/protocol/units.ts";
import { variant } from "./harness/build-copy.ts";
import { newAgent } from "./harness/busy-agents.ts";
import { Site, saying } from "./harness/site.ts";
import { waitUntil } from "./harness/wait-until.ts";
import type { Ended } from "./harness/warren.ts";

/** One list, one name: what runs stands in one table, whatever it is and whichever server has it; and every verb takes every name, or says what to type. */
const TIMEOUT_MS = 120_000;
const WORKERS = { "workers/api/src/main.ts": saying("api") };
const SERVES = `import http from "node:http"; http.createServer((_, response) => response.end("fox")).listen(Number(process.env.PORT), "127.0.0.1", () => console.log("listens"));`;

interface Listed {
  kind: UnitKind;
  name?: string;
  ref: string;
  server: string;
  state: string;
  url?: string;
  memory_bytes?: number;
  unread?: number;
}

class Mixed implements AsyncDisposable {
  readonly site: Site;
  private constructor(site: Site) {
    this.site = site;
  }

  /** A job, a worker, a session and an agent of one project. */
  static async make(): Promise<Mixed> {
    const mixed = new Mixed(await Site.make(WORKERS, { env: { SCRIPTED_AGENT_LOG: "prompts.log" } }));
    const { house } = mixed.site;
    await mixed.site.up();
    mixed.well(await house.warren(["add", "--name", "web", "--", "sleep", "1000"]));
    writeFileSync(join(house.base, "serves.mjs"), SERVES);
    mixed.well(
      await house.warren(["new", "-d", "--name", "fox", "--", process.execPath, join(house.base, "serves.mjs")]),
    );
    return mixed;
  }

  async list(...flags: string[]): Promise<Listed[]> {
    return JSON.parse(this.well(await this.site.house.warren(["list", "--json", ...flags]))) as Listed[];
  }

  warren(...args: string[]): Promise<Ended> {
    return this.site.house.warren(args);
  }

  well({ status, stdout, stderr }: Ended): string {
    assert.equal(status, 0, stdout + stderr);
    return stdout;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.site[Symbol.asyncDispose]();
  }
}

test("list: jobs, sessions, agents and workers of every server in one table", { timeout: TIMEOUT_MS }, async () => {
  await using all = await Mixed.make();
  const { house, port } = all.site;
  const { name: owl } = await newAgent(house);
  const newer = variant({ hash: "newer", newerByMs: 1_000 });
  const other = await house.warren(["new", "-d", "--json", "--name", "old-bear", "--", "cat"], { from: newer });
  const bear = JSON.parse(all.well(other)) as Session;
  all.well(await all.warren("mail", "send", "fox", "hello"));
  const foxUrl = `http://fox.localhost:${port}/`;
  const units = await waitUntil(
    async () => {
      const listed = await all.list();
      const fox = listed.find(({ name }) => name === "fox");
      return fox?.url === foxUrl && fox.unread === 1 && listed;
    },
    { what: "fox to listen, with its mail" },
  );
  const of = (name: string): Listed => units.find((unit) => unit.name === name)!;
  assert.deepEqual(
    units.map(({ kind, name, ref }) => `${kind} ${name} ${ref}`).sort(),
    [
      `agent ${owl} session:${owl}`,
      "session old-bear session:old-bear",
      "session fox session:fox",
      `job web ${of("web").ref}`,
      "worker api worker:project/api",
    ].sort(),
  );
  assert.match(of("web").ref, /^\d\w\w$/);
  assert.notEqual(bear.server, of("fox").server);
  assert.equal(of("old-bear").server, bear.server);
  for (const unit of units) assert.ok(unit.server !== "" && unit.memory_bytes! > 0, JSON.stringify(unit));

  const lines = all
    .well(await all.warren("list"))
    .trimEnd()
    .split("\n");
  const rows = new Map(lines.map((line) => line.split(/ {2,}/)).map((cells) => [cells[0], cells]));
  assert.equal(new Set([...rows.values()].map(({ length }) => length)).size, 1, "the same columns in every row");
  assert.deepEqual(rows.get("fox")!.slice(1, 5), ["session", rows.get("fox")![2], foxUrl, "1 unread"]);
  assert.deepEqual(rows.get("api")!.slice(1, 5), ["worker", "healthy", `http://127.0.0.1:${port}/api`, "-"]);
  assert.deepEqual(rows.get("web")!.slice(1, 5), ["job", "working", "-", "-"]);

  assert.deepEqual((await all.list("--kind", "session,worker")).map(({ name }) => name).sort(), [
    "api",
    "fox",
    "old-bear",
  ]);
  assert.deepEqual(await all.list("--dir", "/"), [], "of that directory alone");
  const wrong = await all.warren("list", "--kind", "jop");
  assert.deepEqual([wrong.status, /Did you mean job\?/.test(wrong.stderr)], [2, true]);
  for (const ref of units.map((unit) => unit.ref)) all.well(await all.warren("why", ref));
});

test("list: what needs you stands first, what has ended last", { timeout: TIMEOUT_MS }, async () => {
  await using site = await Site.make({});
  const { house } = site;
  const { name: owl } = await newAgent(house);
  assert.equal((await house.warren(["run", "-q", "--name", "over", "--", "true"])).status, 0);
  assert.equal((await house.warren(["add", "--name", "web", "--", "sleep", "1000"])).status, 0);
  assert.equal((await house.warren(["prompt", owl, 'ask "deploy?" allow|deny'])).status, 0);
  assert.equal((await house.warren(["wait", owl, "--for", "needs-you", "--timeout", "20s"])).status, 0);
  const { stdout } = await house.warren(["list"]);
  const rows = stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/ {2,}/));
  assert.deepEqual(
    rows.map(([name, , state]) => [name, state]),
    [
      [owl, "needs you"],
      ["web", "working"],
      ["over", "done"],
    ],
  );
  assert.match(stdout, /deploy\?/);
});

test("every verb takes every kind of unit, or says what to type instead", { timeout: TIMEOUT_MS }, async () => {
  await using all = await Mixed.make();
  const { name: agent } = await newAgent(all.site.house);
  const names: Record<UnitKind, string> = { job: "web", session: "fox", agent, worker: "api" };
  const rest: Partial<Record<UnitVerb, string[]>> = {
    send: ["x"],
    prompt: ["x"],
    signal: ["CONT"],
    rename: ["otter"],
    export: ["-"],
  };
  let refusedCount = 0;
  for (const [verb, row] of Object.entries(UNIT_VERBS)) {
    await Promise.all(
      (Object.keys(row) as UnitKind[]).map(async (kind) => {
        const wanted = refusalOf(verb as UnitVerb, kind, names[kind]);
        if (!wanted) return;
        refusedCount++;
        const ended = await all.warren(verb, names[kind], ...(rest[verb as UnitVerb] ?? []));
        const said = `error: ${wanted.message}\n${wanted.fix}\n`;
        assert.deepEqual([ended.status, ended.stdout, ended.stderr], [125, "", said], `${verb} ${kind}`);
      }),
    );
  }
  assert.ok(refusedCount > 30, String(refusedCount));
  const harmless: readonly (readonly [UnitVerb, ...string[]])[] = [
    ["logs"],
    ["why"],
    ["ports"],
    ["history"],
    ["export", "-"],
    ["runs"],
    ["stats"],
    ["stdout"],
    ["signal", "CONT"],
    ["cancel"],
    ["mode"],
  ];
  for (const [verb, ...args] of harmless)
    for (const kind of Object.keys(names) as UnitKind[])
      if (UNIT_VERBS[verb][kind] === WORKS) all.well(await all.warren(verb, names[kind], ...args));
  for (const kind of Object.keys(names) as UnitKind[]) {
    all.well(await all.warren("stop", names[kind]));
    const ended = await all.warren(
      "wait",
      names[kind],
      "--timeout",
      "20s",
      ...(kind === "worker" ? ["--for", "stopped"] : []),
    );
    assert.notEqual(ended.status, 125, `wait ${kind}: ${ended.stderr}`);
    all.well(await all.warren("start", names[kind]));
  }
});

test(
  "one name for two: the job of this project is meant here, and the session from elsewhere or by its kind",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make({});
    const { house } = site;
    const elsewhere = join(house.base, "elsewhere");
    mkdirSync(elsewhere);
    for (const name of ["fox", "bear"])
      assert.equal((await house.warren(["new", "-d", "--name", name, "--", "cat"])).status, 0);
    assert.equal((await house.warren(["add", "--name", "fox", "--", "sleep", "1000"])).status, 0);
    const kindOf = async (reference: string, cwd = house.dir): Promise<string> => {
      const { stdout, stderr } = await house.warren(["why", "--json", reference], { cwd });
      const found = JSON.parse(stdout || stderr) as { session?: unknown; job?: unknown };
      return found.session ? "session" : found.job ? "job" : stdout + stderr;
    };
    assert.deepEqual([await kindOf("fox"), await kindOf("fox", elsewhere)], ["job", "session"]);
    assert.deepEqual([await kindOf("session:fox"), await kindOf("job:fox")], ["session", "job"]);
    const below = join(house.dir, "below");
    mkdirSync(below);
    assert.equal(await kindOf("fox", below), "session", "a folder below is another place");
    site.write("warren.yaml", "jobs: {}\n");
    assert.equal(await kindOf("fox", below), "job", "of the project that it is in");
    assert.equal((await house.warren(["history", "session:fox"])).status, 0);
    const wrong = await house.warren(["stop", "bearr"]);
    assert.equal(wrong.stderr, "error: job not found: bearr. Did you mean bear?\nwarren list --all\n");
    const listed = JSON.parse((await house.warren(["list", "--json"])).stdout) as Listed[];
    for (const { kind, ref } of listed) assert.equal(await kindOf(ref, elsewhere), kind);
  },
);

test(
  "two projects of one name: the ref of each worker means that one, and a bare name says both",
  { timeout: TIMEOUT_MS },
  async () => {
    await using site = await Site.make(WORKERS);
    const { house } = site;
    await site.up();
    const twin = join(house.base, "elsewhere", "project");
    mkdirSync(join(twin, "workers", "api", "src"), { recursive: true });
    writeFileSync(join(twin, "workers", "api", "src", "main.ts"), saying("twin"));
    const up = await house.warren(["up", "--detach"], { cwd: twin, env: { WARREN_GATEWAY_PORT: "0" } });
    assert.equal(up.status, 0, up.stdout + up.stderr);
    const workers = JSON.parse((await house.warren(["list", "--all", "--json"])).stdout) as (Listed & {
      workdir: string;
    })[];
    assert.deepEqual(workers.map(({ ref }) => ref).sort(), [`worker:${house.dir}/api`, `worker:${twin}/api`].sort());
    for (const { ref, workdir } of workers) {
      const { stdout, stderr } = await house.warren(["why", "--json", ref], { cwd: house.base });
      assert.equal(JSON.parse(stdout || stderr).worker?.workdir, workdir, ref);
    }
    const both = await house.warren(["why", "project/api"], { cwd: house.base });
    assert.match(both.stderr, /project\/api is the name of 2 units: .*\nwarren why worker:\/.*\/api\n$/);
  },
);

test(
  "stop --all: the jobs and workers of this directory stop, and sessions and other directories go on",
  { timeout: TIMEOUT_MS },
  async () => {
    await using all = await Mixed.make();
    const { house } = all.site;
    const elsewhere = join(house.base, "elsewhere");
    mkdirSync(elsewhere);
    all.well(await house.warren(["add", "--name", "there", "--", "sleep", "1000"], { cwd: elsewhere }));
    all.well(await all.warren("stop", "--all"));
    const states = Object.fromEntries((await all.list("--all")).map(({ name, state }) => [name, state]));
    assert.deepEqual([states.web, states.api, states.there], ["ended", "stopped", "running"]);
    assert.ok(states.fox);
    assert.equal(all.well(await all.warren("stop", "--all")), "Nothing runs here that it could stop\n");
    assert.deepEqual([(await all.warren("stop")).status, (await all.warren("stop", "--all", "web")).status], [2, 2]);
    assert.equal((await all.warren("stop", "all")).stderr, "error: job not found: all\nwarren stop --all\n");
  },
);
