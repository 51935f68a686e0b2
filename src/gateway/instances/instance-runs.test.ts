import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../../platform/log.ts";
import { identityOf, isAlive } from "../../platform/process.ts";
import type { Outcome } from "../../protocol/outcome.ts";
import { until } from "../../runs/run-fixture.ts";
import { SharedSearches } from "../../runs/shared-searches.ts";
import { ProcessView } from "../../runs/tree.ts";
import { InstanceRuns, newTag } from "./instance-runs.ts";
import { ENDED_KEPT } from "./old-logs.ts";

interface Ended {
  id: string;
  outcome: Outcome;
  leftCount: number;
}

/** A project's directory, and the servers that steer it, one after the other. */
class Project implements AsyncDisposable {
  readonly dir: string;
  readonly ended: Ended[] = [];
  runs!: InstanceRuns;
  #server = new AbortController();

  static async make(): Promise<Project> {
    const project = new Project(await mkdtemp(join(tmpdir(), "warren-instances-")));
    await project.nextServer();
    return project;
  }

  private constructor(dir: string) {
    this.dir = dir;
  }

  async nextServer(more: { searches?: SharedSearches } = {}): Promise<void> {
    this.#server.abort();
    this.#server = new AbortController();
    const onEnded = (id: string, outcome: Outcome, leftCount: number): void =>
      void this.ended.push({ id, outcome, leftCount });
    const options = {
      dir: this.dir,
      nodePath: process.execPath,
      log: silentLog,
      onEnded,
      isKnown: () => false,
      ...more,
    };
    this.runs = new InstanceRuns(options, this.#server.signal);
    await this.runs.open();
  }

  start(id: string, script: string, tag = newTag()) {
    const env = [`PATH=${process.env.PATH}`];
    return this.runs.start({ id, tag, unit: "api", command: ["sh", "-c", script], workdir: this.dir, env });
  }

  async end(id: string): Promise<Ended> {
    const found = (): Ended | undefined => this.ended.find((one) => one.id === id);
    await until(() => found() !== undefined, `the end of ${id}`);
    return found()!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of readdirSync(join(this.dir, "status"))) {
      await this.runs.stop(file.replace(/\.1\.status$/, ""), { graceMs: 0 });
    }
    this.#server.abort();
    await rm(this.dir, { recursive: true, force: true });
  }
}

test("instances: an end is told once, with its status; logs stay, the status file goes", async () => {
  await using project = await Project.make();
  await project.start("api-1", "echo out; echo err >&2; exit 3");
  assert.deepEqual(await project.end("api-1"), { id: "api-1", outcome: { kind: "exited", status: 3 }, leftCount: 0 });
  const { stdoutPath, stderrPath } = project.runs.logsOf("api-1");
  assert.deepEqual([readFileSync(stdoutPath, "utf8"), readFileSync(stderrPath, "utf8")], ["out\n", "err\n"]);
  await until(() => !existsSync(join(project.dir, "status", "api-1.1.status")), "the status file's end");
  assert.equal(project.ended.length, 1);
});

test("instances: stop ends the tree; its signal is known as ours", async () => {
  await using project = await Project.make();
  await project.start("api-1", "sleep 1700 & sleep 1701 & wait");
  await until(() => project.runs.membersOf("api-1").length === 3, "its children");
  assert.deepEqual(await project.runs.stop("api-1", { graceMs: 5_000 }), []);
  assert.partialDeepStrictEqual(await project.end("api-1"), {
    outcome: { kind: "signalled", signal: "SIGTERM", by: "stop" },
  });
  await project.start("api-2", "trap '' TERM; while :; do sleep 0.05; done");
  await until(() => project.runs.membersOf("api-2").length > 1, "its loop, behind the trap");
  await project.runs.stop("api-2", { graceMs: 100 });
  assert.partialDeepStrictEqual(await project.end("api-2"), { outcome: { kind: "signalled", signal: "SIGKILL" } });
});

test("instances: a stop that failed is tried again by the next", async () => {
  await using project = await Project.make();
  let isFailing = true;
  const look = (): ProcessView => {
    if (isFailing) throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
    return new ProcessView();
  };
  await project.nextServer({ searches: new SharedSearches(look) });
  const running = await project.start("api-1", "exec sleep 1705");
  await assert.rejects(project.runs.stop("api-1", { graceMs: 5_000 }), { code: "EMFILE" });
  isFailing = false;
  assert.deepEqual(await project.runs.stop("api-1", { graceMs: 5_000 }), []);
  assert.equal(isAlive(running), false);
});

test("instances: the next server takes up what runs, and hears of what ended meanwhile", async () => {
  await using project = await Project.make();
  const tags = { "api-1": newTag(), "api-2": newTag() };
  const running = await project.start("api-1", "exec sleep 1702", tags["api-1"]);
  await project.start("api-2", "exec sleep 1703", tags["api-2"]);
  const [victim] = project.runs.membersOf("api-2");
  await project.nextServer();
  process.kill(victim!.pid, "SIGKILL");
  assert.deepEqual(await project.runs.takeUp("api-1", tags["api-1"]), running);
  await project.runs.takeUp("api-2", tags["api-2"]);
  assert.partialDeepStrictEqual(await project.end("api-2"), { outcome: { kind: "signalled", by: "unknown" } });
  assert.equal(await project.runs.takeUp("api-3", newTag()), undefined, "it was never started");
  assert.deepEqual(await project.runs.stop("api-1", { graceMs: 5_000 }), []);
  assert.equal(isAlive(running), false);
});

test("instances: what daemonises is left behind, counted, and ended by stop", async () => {
  await using project = await Project.make();
  await project.start("api-1", "setsid sleep 1704 & exit 0");
  const ended = await project.end("api-1");
  assert.deepEqual([ended.outcome, ended.leftCount], [{ kind: "exited", status: 0 }, 1]);
  const [left] = project.runs.membersOf("api-1");
  await project.runs.stop("api-1", { graceMs: 5_000 });
  assert.equal(isAlive(identityOf(left!)), false);
  assert.deepEqual(project.runs.membersOf("api-1"), []);
});

test("instances: one that cannot be started leaves nothing", async () => {
  await using project = await Project.make();
  const command = ["no-such-program-here"];
  const start = { id: "api-1", tag: newTag(), unit: "api", command, workdir: project.dir, env: [] };
  await assert.rejects(project.runs.start(start), { code: "PROGRAM_NOT_FOUND" });
  assert.deepEqual(readdirSync(join(project.dir, "status")), []);
  assert.deepEqual(project.ended, []);
});

test("instances: of those that have ended the newest keep their logs, whatever else is in their folder", async () => {
  await using project = await Project.make();
  const logs = join(project.dir, "logs");
  const old = Array.from({ length: ENDED_KEPT + 5 }, (_, at) => `api-k3x9-${at}`);
  for (const [at, id] of old.entries())
    for (const end of ["stdout.log", "stderr.log", "order", "stdout.log.dropped"]) {
      writeFileSync(join(logs, `${id}.${end}`), "");
      utimesSync(join(logs, `${id}.${end}`), at, at);
    }
  for (const other of ["shop-api-k3x9-1.stdout.log", "access.jsonl"]) writeFileSync(join(logs, other), "");
  const fresh = Array.from({ length: 10 }, (_, at) => `api-z7al-${at}`);
  await project.start("api-z7al-99", "exec sleep 1704"); // it runs, and has written nothing for long
  utimesSync(join(logs, "api-z7al-99.stdout.log"), 1, 1);
  utimesSync(join(logs, "api-z7al-99.stderr.log"), 1, 1);
  for (const id of fresh) {
    await project.start(id, "echo here");
    await project.end(id);
  }
  const left = (): string[] => readdirSync(logs).flatMap((file) => file.match(/^(api-.*)\.stdout\.log$/)?.[1] ?? []);
  const others = (): string[] => readdirSync(logs).filter((file) => !left().some((id) => file.startsWith(`${id}.`)));
  await until(() => left().length === ENDED_KEPT + 1 && others().length === 2, "the end of the old ones");
  assert.deepEqual(left().sort(), [...fresh, "api-z7al-99", ...old.slice(fresh.length - ENDED_KEPT)].sort());
  assert.deepEqual(others().sort(), ["access.jsonl", "shop-api-k3x9-1.stdout.log"]);
});
