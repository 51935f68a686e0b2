import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { logPaths, logPathsOfRun, runIdOfFile } from "./files.ts";
import { temporaryRun } from "./log-fixture.ts";
import { findOrphans, removeOrphans } from "./orphans.ts";

test("orphans: all files of unknown runs, and never another file", async () => {
  using run = temporaryRun("4xc-3");
  const keep = [
    "4xc-4.stdout.log",
    "4xc-4.stdout.log.dropped",
    "keeper.log",
    "notes.txt",
    "4xc.stdout.log",
    "web-1.stdout.log",
  ];
  const gone = [
    "4xc-3.order",
    "4xc-3.order.812.tmp",
    "4xc-3.stderr.log",
    "4xc-3.stdout.log",
    "4xc-3.stdout.log.dropped",
  ];
  for (const name of [...keep, ...gone]) writeFileSync(join(run.dir, name), "x");
  const orphans = await findOrphans(run.dir, new Set(["4xc-4"]), { minAgeMs: -1_000 });
  assert.deepEqual(orphans.map(({ path }) => path.slice(run.dir.length + 1)).sort(), gone);
  assert.ok(orphans.every(({ runId, sizeBytes }) => runId === "4xc-3" && sizeBytes > 0));
  assert.deepEqual(await removeOrphans([...orphans, { path: join(run.dir, "none"), runId: "4xc-3", sizeBytes: 9 }]), {
    fileCount: 5,
    sizeBytes: orphans.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  });
  assert.deepEqual(readdirSync(run.dir).sort(), keep.sort());
});

test("orphans: a young file is left, and a directory that is absent has none", async () => {
  using run = temporaryRun();
  run.write("stdout", "x");
  assert.deepEqual(await findOrphans(run.dir, new Set()), []);
  assert.equal((await findOrphans(run.dir, new Set(), { nowMs: Date.now() + 61_000 })).length, 1);
  assert.deepEqual(await findOrphans(join(run.dir, "none"), new Set()), []);
});

test("names: a run's files lie beside each other", () => {
  const paths = logPaths("/home/logs", "4xc-12");
  assert.deepEqual(
    logPathsOfRun({ id: "4xc-12", stdout_path: paths.stdoutPath, stderr_path: paths.stderrPath }),
    paths,
  );
  for (const path of [paths.stdoutPath, paths.stderrPath, paths.indexPath]) assert.equal(runIdOfFile(path), "4xc-12");
});
