import assert from "node:assert/strict";
import { existsSync, readdirSync, readlinkSync, watch } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { test } from "node:test";
import { readProcess } from "../../platform/process.ts";
import { until, wakefulClock } from "../../runs/run-fixture.ts";
import { buildNow, builtNow, ProjectFixture } from "./project-fixture.ts";

const isGone = (pid: number): boolean => {
  const info = readProcess(pid);
  return info === undefined || info.state === "Z";
};

/** Resolves when the file is there. */
async function appears(path: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watcher = watch(dirname(path), () => existsSync(path) && resolve());
  try {
    if (!existsSync(path)) await promise;
    await until(() => existsSync(path), path);
    return await readFile(path, "utf8");
  } finally {
    watcher.close();
  }
}

test("build command: what it puts where the link is becomes the artefact; the link stays on what serves", async () => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/src/main.c", "one");
  const sources = project.sources(project.command("api", "cp src/main.c bin/api; echo built"));
  const builder = project.builder(sources);
  const first = await builtNow(builder, sources);
  assert.equal(basename(first.artefactPath!), `api-${first.version}`);
  assert.equal(await readFile(first.artefactPath!, "utf8"), "one");
  const link = project.path("workers/api/bin/api");
  assert.ok(!existsSync(link));
  await builder.setCurrent(first.version);

  await project.write("workers/api/src/main.c", "two");
  const second = await builtNow(builder, sources);
  assert.equal(await readFile(second.artefactPath!, "utf8"), "two");
  assert.equal(await readFile(first.artefactPath!, "utf8"), "one", "not written through the link");
  assert.equal(readlinkSync(link), basename(first.artefactPath!));
  assert.equal((await builtNow(builder, sources)).wasThere, true);
});

test("build command: it may put it at WORKER_ARTEFACT, or build in place", async () => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/main.c", "one");
  const sources = project.sources(project.command("api", 'cp main.c "$WORKER_ARTEFACT"'));
  const { artefactPath } = await builtNow(project.builder(sources), sources);
  assert.equal(await readFile(artefactPath!, "utf8"), "one");

  await project.write("workers/web/main.c", "one");
  const inPlace = project.sources(project.command("web", "cp main.c out.gen; echo x >> ../count"));
  const builder = project.builder(inPlace);
  const built = await builtNow(builder, inPlace);
  assert.equal(built.artefactPath, undefined);
  assert.equal((await inPlace.look()).version, built.version, "what the build has made is no change");
  assert.equal((await builtNow(builder, inPlace)).wasThere, true);
  assert.equal(await readFile(project.path("workers/count"), "utf8"), "x\n");
});

test("build command: one that writes its own sources comes to rest", async () => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/main.c", "one");
  await project.write("workers/api/sums", "");
  const sources = project.sources(project.command("api", 'echo sum > sums; cp main.c "$WORKER_ARTEFACT"'));
  const builder = project.builder(sources);
  assert.equal((await buildNow(builder, sources)).kind, "outdated");
  assert.equal((await buildNow(builder, sources)).kind, "built");
});

test("build command: its failure is told with what it said last, and the places that it names", async () => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/src/main.go", "package main\nfunc main() {\n\tx\n}\n");
  const script = "seq 1 500; echo 'src/main.go:3:2: undefined: x' >&2; exit 2";
  const sources = project.sources(project.command("api", script));
  const outcome = await buildNow(project.builder(sources), sources);
  assert.ok(outcome.kind === "failed");
  assert.match(outcome.failure.message, /ended with status 2/);
  assert.equal(outcome.failure.output.length, 100);
  assert.equal(outcome.failure.output.at(-1), "src/main.go:3:2: undefined: x");
  const [place] = outcome.failure.places;
  assert.deepEqual([place?.file, place?.line, place?.column], ["workers/api/src/main.go", 3, 2]);
  assert.deepEqual(place?.frame.slice(2, 4), ["> 3 │ \tx", "    │ \t^"]);
});

test("build command: a program that is not there is a failure that says so", async () => {
  await using project = await ProjectFixture.make();
  await mkdir(project.path("workers/api"), { recursive: true });
  const spec = project.command("api");
  const sources = project.sources({ ...spec, program: { kind: "command", build: ["/no/such/compiler"] } });
  const outcome = await buildNow(project.builder(sources), sources);
  assert.ok(outcome.kind === "failed");
  assert.match(outcome.failure.message, /cannot be started: .*ENOENT/);
});

test("build command: cancelled, its whole group ends, also what ignores SIGTERM; the link is back", async () => {
  await using project = await ProjectFixture.make();
  await mkdir(project.path("workers/api/bin"), { recursive: true });
  await project.write("workers/api/main.c", "one");
  await writeFile(project.path("workers/api/bin/api-0"), "");
  await symlink("api-0", project.path("workers/api/bin/api"));
  const script =
    'trap "" TERM; sh -c "trap \\"\\" TERM; echo \\$\\$ > ../inner; sleep 60 & wait" & echo $! > ../pid; wait; sleep 60';
  const sources = project.sources(project.command("api", script));
  const stop = new AbortController();
  const building = buildNow(project.builder(sources, { clock: wakefulClock }), sources, stop.signal);
  const inner = Number(await appears(project.path("workers/inner")));
  stop.abort();
  assert.equal((await building).kind, "cancelled");
  await until(() => isGone(inner), "the inner shell to be gone");
  assert.deepEqual(readdirSync(project.path("workers/api/bin")).sort(), ["api", "api-0"]);
});

test("build command: another builder of the folder waits for one that was given up, and its link stays", async () => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/main.c", "one");
  await project.write("workers/api/bin/api-0", "");
  const link = project.path("workers/api/bin/api");
  await symlink("api-0", link);
  const stubborn = project.sources(project.command("api", 'trap "" TERM; echo > ../begun; sleep 60; sleep 60'));
  const stop = new AbortController();
  const givenUp = buildNow(project.builder(stubborn, { clock: wakefulClock }), stubborn, stop.signal);
  await appears(project.path("workers/begun"));
  stop.abort();
  const sources = project.sources(project.command("api", "cp main.c bin/api"));
  const next = project.builder(sources);
  const built = await builtNow(next, sources);
  await next.setCurrent(built.version);
  assert.equal((await givenUp).kind, "cancelled");
  assert.equal(readlinkSync(link), basename(built.artefactPath!));
});

test("build command: one that takes too long is a failure", async () => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/main.c", "one");
  const sources = project.sources(project.command("api", "echo working; exec sleep 60"));
  const outcome = await buildNow(project.builder(sources, { timeoutMs: 300, clock: wakefulClock }), sources);
  assert.ok(outcome.kind === "failed");
  assert.match(outcome.failure.message, /longer than 0\.3 s/);
  assert.deepEqual(outcome.failure.output, ["working"]);
});

test("build command: without one the sources are the version, and every file counts", async () => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/app.py", "one");
  const sources = project.sources(project.command("api"));
  const builder = project.builder(sources);
  const first = await builtNow(builder, sources);
  assert.equal(first.artefactPath, undefined);
  for (const name of [
    "__pycache__/app.pyc",
    "private/db",
    "public/x.css",
    ".git/HEAD",
    "app.py.swp",
    "app.py~",
    "out.log",
  ])
    await project.write(`workers/api/${name}`, "x");
  assert.equal((await sources.look()).version, first.version);
  await project.write("workers/api/template.html", "x");
  assert.notEqual((await sources.look()).version, first.version);
  await builder.setCurrent(first.version);
  assert.ok(!existsSync(project.path("workers/api/bin")));
});
