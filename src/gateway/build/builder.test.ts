import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { chmod, mkdir, open, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { FileHashes } from "../watch/file-hashes.ts";
import { WorkerSources } from "../watch/worker-sources.ts";
import { buildNow, builtNow, ProjectFixture } from "./project-fixture.ts";

const run = promisify(execFile);
const outputOf = async (path: string | undefined) =>
  (await run(process.execPath, ["--enable-source-maps", path!], { timeout: 15_000 })).stdout;

test("build: a node worker becomes one file that runs, named by its version; the link is set when asked", async () => {
  await using project = await ProjectFixture.make();
  await project.write(
    "workers/api/src/main.ts",
    `import { word } from "./word.ts"; console.log(word satisfies string);`,
  );
  await project.write("workers/api/src/word.ts", `export const word: string = "one";`);
  const sources = project.sources(project.node("api"));
  const builder = project.builder(sources);
  const first = await builtNow(builder, sources);
  assert.match(basename(first.artefactPath!), new RegExp(`^api-${first.version}\\.mjs$`));
  assert.equal(await outputOf(first.artefactPath), "one\n");
  assert.deepEqual(
    first.inputs.map((path) => basename(path)),
    ["word.ts", "main.ts"],
  );
  assert.ok(!existsSync(project.path("workers/api/bin/api")));
  await builder.setCurrent(first.version);
  assert.equal(readlinkSync(project.path("workers/api/bin/api")), basename(first.artefactPath!));

  await project.write("workers/api/src/word.ts", `export const word: string = "two";`);
  const second = await builtNow(builder, sources);
  assert.notEqual(second.version, first.version);
  assert.equal(await outputOf(second.artefactPath), "two\n");
  assert.equal(await outputOf(project.path("workers/api/bin/api")), "one\n");
});

test("build: what was built is not built again: not now, not after a restart, not when the sources go back", async () => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/src/main.ts", "console.log(1)");
  const sources = project.sources(project.node("api"));
  const builder = project.builder(sources);
  const first = await builtNow(builder, sources);
  assert.equal(first.wasThere, false);
  assert.equal((await builtNow(builder, sources)).wasThere, true);
  await project.write("workers/api/src/main.ts", "console.log(2)");
  const second = await builtNow(builder, sources);
  assert.equal(second.wasThere, false);
  await project.write("workers/api/src/main.ts", "console.log(1)");
  const back = await builtNow(builder, sources);
  assert.deepEqual([back.version, back.wasThere], [first.version, true]);

  const again = project.sources(project.node("api"));
  const next = project.builder(again);
  assert.deepEqual(new Set(await next.open()), new Set([first.version, second.version]));
  assert.deepEqual(await again.look(), { version: first.version, isBuilt: true });
  assert.equal((await next.build(first.version, AbortSignal.timeout(30_000), { isForced: true })).kind, "built");
});

test("build: the same files under another configuration are another version, also after a restart", async () => {
  await using project = await ProjectFixture.make();
  await project.write("workers/built/main.sh", "echo one");
  const sources = project.sources(project.command("built", "cp main.sh bin/built"));
  const first = await builtNow(project.builder(sources), sources);
  const failing = project.sources(project.command("built", "exit 4"));
  const builder = project.builder(failing);
  await builder.open();
  const look = await failing.look();
  assert.deepEqual([look.isBuilt, look.version === first.version], [false, false]);
  assert.equal((await buildNow(builder, failing)).kind, "failed");
});

test("build: an edit of a file that nothing imports is no new version; a file that comes or goes may be one", async () => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/src/main.ts", "console.log(1)");
  await project.write("workers/api/src/unused.ts", "1");
  const sources = project.sources(project.node("api"));
  const builder = project.builder(sources);
  const { version } = await builtNow(builder, sources);
  await project.write("workers/api/src/unused.ts", "2");
  await project.write("workers/api/README.md", "words");
  await project.write("workers/api/private/state.json", "{}");
  await project.write("workers/api/public/app.css", "b{}");
  assert.equal((await sources.look()).version, version);
  await project.write("workers/api/src/new.ts", "3");
  assert.notEqual((await sources.look()).version, version);
});

test("build: shared files are found as inputs, and only those; packages stay outside", async () => {
  await using project = await ProjectFixture.make();
  await project.write("shared/used.ts", `export const used = "shared";`);
  await project.write("shared/other.ts", "");
  await project.write("node_modules/left/package.json", `{"name":"left","main":"main.js"}`);
  await project.write("node_modules/left/main.js", "module.exports = 'left';");
  await project.write(
    "workers/api/src/main.ts",
    `import { used } from "../../../shared/used.ts"; import left from "left"; console.log(used, left);`,
  );
  const sources = project.sources(project.node("api"));
  const builder = project.builder(sources);
  const { artefactPath, version, inputs } = await builtNow(builder, sources);
  assert.equal(await outputOf(artefactPath), "shared left\n");
  assert.deepEqual([...inputs].sort(), [project.path("shared/used.ts"), project.path("workers/api/src/main.ts")]);
  assert.ok(sources.concerns(project.path("shared/used.ts")) && !sources.concerns(project.path("shared/other.ts")));
  await project.write("shared/other.ts", "1");
  assert.equal((await sources.look()).version, version);
  await project.write("shared/used.ts", `export const used = "changed";`);
  assert.equal(await outputOf((await builtNow(builder, sources)).artefactPath), "changed left\n");
});

const FORMATS: Record<string, { entry: string; type?: string; text: string; extension: string }> = {
  "a module by package.json": { entry: "src/main.ts", type: "module", text: "console.log(1)", extension: ".mjs" },
  "CommonJS by package.json": { entry: "src/main.ts", type: "commonjs", text: "console.log(1)", extension: ".cjs" },
  "a module by its extension": { entry: "src/main.mts", type: "commonjs", text: "console.log(1)", extension: ".mjs" },
  "CommonJS by its extension": { entry: "src/main.cjs", type: "module", text: "console.log(1)", extension: ".cjs" },
  "a module by what it says": {
    entry: "src/main.js",
    text: "await 1; console.log(import.meta.main ? 1 : 0)",
    extension: ".mjs",
  },
  "CommonJS by what it says": {
    entry: "src/main.js",
    text: "console.log(require.main === module ? 1 : 0)",
    extension: ".cjs",
  },
};

for (const [name, { entry, type, text, extension }] of Object.entries(FORMATS)) {
  test(`build: ${name}`, async () => {
    await using project = await ProjectFixture.make();
    await project.write(`workers/api/${entry}`, text);
    await project.write("workers/api/package.json", JSON.stringify(type === undefined ? {} : { type }));
    const sources = project.sources(project.node("api", { entry }));
    const { artefactPath } = await builtNow(project.builder(sources), sources);
    assert.ok(artefactPath?.endsWith(extension), name);
    assert.equal(await outputOf(artefactPath), "1\n");
  });
}

test("build: a module may bundle CommonJS files that require packages, beside a require of its own", async () => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/src/old.cjs", "module.exports = require('node:path').sep;");
  await project.write(
    "workers/api/src/main.ts",
    `#!/usr/bin/env node
import { createRequire } from "node:module"; import sep from "./old.cjs";
const require = createRequire(import.meta.url); console.log(sep, require("node:os").EOL === "\\n");`,
  );
  const sources = project.sources(project.node("api"));
  assert.equal(await outputOf((await builtNow(project.builder(sources), sources)).artefactPath), "/ true\n");
});

test("build: errors at run time name the source's own lines", async () => {
  await using project = await ProjectFixture.make();
  await project.write(
    "workers/api/src/main.ts",
    `interface A { a: 1 }\n\nfunction fails(): A {\n  throw new Error("no");\n}\nfails();\n`,
  );
  const sources = project.sources(project.node("api"));
  const { artefactPath } = await builtNow(project.builder(sources), sources);
  await assert.rejects(outputOf(artefactPath), { stderr: /src\/main\.ts:4:9/ });
});

test("build: a mistake is a failure with its place and frame; what was built stays; the mending file need not be known", async () => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/src/main.ts", "console.log(1)");
  await project.write("workers/api/src/late.ts", "export const a = 1;\nexport const b = ;\n");
  const sources = project.sources(project.node("api"));
  const builder = project.builder(sources);
  const { artefactPath } = await builtNow(builder, sources);
  await project.write("workers/api/src/main.ts", `import { b } from "./late.ts"; console.log(b)`);
  assert.ok(!sources.concerns(project.path("workers/api/src/late.ts")));
  const failed = await buildNow(builder, sources);
  assert.ok(failed.kind === "failed");
  assert.equal(failed.failure.phase, "build");
  assert.deepEqual(failed.failure.places, [
    {
      file: "workers/api/src/late.ts",
      line: 2,
      column: 18,
      message: 'Unexpected ";"',
      frame: ["  1 │ export const a = 1;", "> 2 │ export const b = ;", "    │                  ^", "  3 │ "],
    },
  ]);
  assert.equal(await outputOf(artefactPath), "1\n");
  assert.ok(sources.concerns(project.path("workers/api/src/late.ts")));
  await project.write("workers/api/src/late.ts", "export const b = 2;");
  assert.equal(await outputOf((await builtNow(builder, sources)).artefactPath), "2\n");
});

test("build: what mends it may be a file that the failure does not name and no build has taken in", async () => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/src/main.ts", "console.log(1)");
  const late = await project.write("workers/api/src/late.ts", "export const a = 1;");
  const sources = project.sources(project.node("api"));
  const builder = project.builder(sources);
  await builtNow(builder, sources);
  await project.write("workers/api/src/main.ts", `import { b } from "./late.ts"; console.log(b)`);
  const failed = await buildNow(builder, sources);
  assert.ok(failed.kind === "failed");
  assert.deepEqual(
    failed.failure.places.map(({ file }) => file),
    ["workers/api/src/main.ts"],
  );
  assert.ok(sources.concerns(late));
  await project.write("workers/api/src/late.ts", "export const b = 2;");
  assert.equal(await outputOf((await builtNow(builder, sources)).artefactPath), "2\n");
});

test("build: an entry that is missing, and an import that is", async () => {
  await using project = await ProjectFixture.make();
  await mkdir(project.path("workers/api"), { recursive: true });
  const sources = project.sources(project.node("api"));
  const builder = project.builder(sources);
  const missing = await buildNow(builder, sources);
  assert.ok(missing.kind === "failed");
  assert.match(missing.failure.message, /workers\/api\/src\/main\.ts, is not there/);
  await project.write("workers/api/src/main.ts", `import "./gone.ts";`);
  const unresolved = await buildNow(builder, sources);
  assert.ok(unresolved.kind === "failed");
  assert.match(unresolved.failure.message, /Could not resolve "\.\/gone\.ts"/);
  const asked = (await sources.look()).version;
  await project.write("workers/api/src/gone.ts", "console.log('here')");
  assert.notEqual((await sources.look()).version, asked);
  assert.equal(await outputOf((await builtNow(builder, sources)).artefactPath), "here\n");
});

test("build: sources that are another version by now are outdated, and nothing is kept", async () => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/src/main.ts", "console.log(1)");
  const sources = project.sources(project.node("api"));
  const { version } = await sources.look();
  await project.write("workers/api/src/main.ts", "console.log(2)");
  let suspectCount = 0;
  sources.follow({
    onSuspect() {
      suspectCount += 1;
    },
    onLearned() {},
  });
  const outcome = await project.builder(sources).build(version, AbortSignal.timeout(30_000));
  assert.deepEqual([outcome.kind, suspectCount], ["outdated", 1]);
  assert.ok(!existsSync(project.path("workers/api/bin")));
});

test("build: cancelled before and while it runs", async () => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/src/main.ts", "console.log(1)");
  const sources = project.sources(project.node("api"));
  const builder = project.builder(sources);
  const { version } = await sources.look();
  assert.equal((await builder.build(version, AbortSignal.abort())).kind, "cancelled");
  const stop = new AbortController();
  const building = builder.build(version, stop.signal);
  stop.abort();
  assert.equal((await building).kind, "cancelled");
  assert.equal((await builtNow(builder, sources)).kind, "built");
});

test("build: only the last artefacts are kept, never those that somebody needs", async () => {
  await using project = await ProjectFixture.make();
  const sources = project.sources(project.node("api"));
  const builder = project.builder(sources, { keepCount: 2 });
  const versions: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    await project.write("workers/api/src/main.ts", `console.log(${n})`);
    versions.push((await builtNow(builder, sources)).version);
    if (n === 1) await builder.setCurrent(versions[1]!);
  }
  await builder.prune(new Set([versions[0]!]));
  const left = await Promise.all(versions.map(async (version) => (await builder.artefactOf(version)) !== undefined));
  assert.deepEqual(left, [true, true, false, true, true]);
  const bin = readdirSync(project.path("workers/api/bin"));
  assert.equal(bin.filter((name) => name.includes(versions[2]!)).length, 0);
  await project.write("workers/api/src/main.ts", "console.log(2)");
  assert.equal((await sources.look()).isBuilt, false);
});

test("build: a bin that leads elsewhere, is a file, or may not be written is refused", async (t) => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/src/main.ts", "console.log(1)");
  const sources = project.sources(project.node("api"));
  const builder = project.builder(sources);
  const bin = project.path("workers/api/bin");
  const messageNow = async () => {
    const outcome = await buildNow(builder, sources);
    return outcome.kind === "failed" ? outcome.failure.message : outcome.kind;
  };
  await mkdir(project.path("elsewhere"));
  await symlink(project.path("elsewhere"), bin);
  assert.match(await messageNow(), /bin is a link to .*elsewhere; artefacts go into/);
  assert.deepEqual(readdirSync(project.path("elsewhere")), []);
  // Nor is anything there taken for an artefact.
  const { version } = await sources.look();
  await project.write(`elsewhere/api-${version}.mjs`, "console.log('strange')");
  assert.match(await messageNow(), /bin is a link to /);
  await assert.rejects(builder.artefactOf(version), { code: "BIN_REFUSED" });
  await rm(bin);
  await writeFile(bin, "");
  assert.match(await messageNow(), /bin is no folder/);
  await rm(bin);
  await mkdir(project.path("workers/api/.out"));
  await symlink(".out", bin);
  assert.equal(await messageNow(), "built");
  if (process.getuid?.() === 0) return t.diagnostic("permissions do not stop root");
  await rm(bin);
  await mkdir(bin, { mode: 0o500 });
  await project.write("workers/api/src/main.ts", "console.log(2)");
  assert.match(await messageNow(), /cannot be written/);
  await chmod(bin, 0o700);
});

test("build: where the disk is full the failure says so, and nothing half-written is left", async (t) => {
  await using project = await ProjectFixture.make();
  const bin = project.path("workers/api/bin");
  await mkdir(bin, { recursive: true });
  try {
    await run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", bin]);
  } catch {
    return t.skip("no tmpfs can be mounted here");
  }
  try {
    await project.write("workers/api/src/main.ts", `console.log(${JSON.stringify("x".repeat(300_000))})`);
    const sources = project.sources(project.node("api"));
    const builder = project.builder(sources);
    const outcome = await buildNow(builder, sources);
    assert.ok(outcome.kind === "failed");
    assert.match(outcome.failure.message, /cannot be written to .*bin: the disk is full/);
    assert.deepEqual(outcome.failure.output, [`→ df -h ${bin}`]);
    assert.deepEqual(readdirSync(bin), []);
    await project.write("workers/api/src/main.ts", "console.log(1)");
    assert.equal((await buildNow(builder, sources)).kind, "built");
  } finally {
    await run("umount", ["-l", bin]);
  }
});

test("build: the esbuild process that somebody ends is started again", async (t) => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/src/main.ts", "console.log(1)");
  const sources = project.sources(project.node("api"));
  const builder = project.builder(sources);
  await builtNow(builder, sources);
  const { stdout } = await run("ps", ["-o", "pid=,args=", "--ppid", `${process.pid}`]).catch(() => ({ stdout: "" }));
  const pid = Number(/^\s*(\d+) .*esbuild.*--service/m.exec(stdout)?.[1]);
  if (!pid) return t.skip("its process was not found");
  process.kill(pid, "SIGKILL");
  await project.write("workers/api/src/main.ts", "console.log(2)");
  assert.equal(await outputOf((await builtNow(builder, sources)).artefactPath), "2\n");
});

test("build: the artefact's text is all there as soon as its name is", async () => {
  await using project = await ProjectFixture.make();
  await project.write("workers/api/src/main.ts", `console.log(${JSON.stringify("x".repeat(300_000))})`);
  const sources = project.sources(project.node("api"));
  const { artefactPath } = await builtNow(project.builder(sources), sources);
  const text = await readFile(artefactPath!, "utf8");
  assert.ok(text.trimEnd().endsWith(`//# sourceMappingURL=${basename(artefactPath!)}.map`));
  assert.ok(existsSync(join(`${artefactPath}.map`)));
});

/** A source changes just before it is read for the nth time since `arm`. */
class ChangingHashes extends FileHashes {
  #left = Number.POSITIVE_INFINITY;

  constructor(path: string, text: string) {
    super({
      open: (async (...parameters: Parameters<typeof open>) => {
        if (parameters[0] === path && --this.#left === 0) await writeFile(path, text);
        return open(...parameters);
      }) as typeof open,
    });
  }

  arm(nth: number): void {
    this.#left = nth;
  }

  get hasHappened(): boolean {
    return this.#left <= 0;
  }
}

for (const kind of ["node", "command"] as const)
  test(`build: of a ${kind} worker, whenever a source changes meanwhile, what is there then is not taken for what was built`, async () => {
    for (let nth = 1; ; nth++) {
      await using project = await ProjectFixture.make();
      const path = await project.write("workers/api/src/main.ts", "console.log(1)");
      const hashes = new ChangingHashes(path, "console.log(2)");
      const spec = kind === "node" ? project.node("api") : project.command("api", "cp src/main.ts $WORKER_ARTEFACT");
      const sources = new WorkerSources(spec, hashes);
      const builder = project.builder(sources);
      const { version } = await sources.look();
      hashes.arm(nth);
      await builder.build(version, AbortSignal.timeout(30_000));
      if (!hashes.hasHappened) {
        assert.ok(nth > 3, `read ${nth - 1} times`);
        return;
      }
      assert.notEqual((await sources.look()).version, version, `changed before it was read for the ${nth}th time`);
    }
  });
