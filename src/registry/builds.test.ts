import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { needsRoot, smallDisk } from "../../test/harness/faults.ts";
import { type Build, readBuild } from "../platform/build.ts";
import { keepBuild, lastGoodBuild, lastNameOf, markGood, pruneBuilds, rememberName } from "./builds.ts";

class BuildsDirectory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "warren-builds-"));
  readonly kept = join(this.path, "builds");

  /** A build as an installation has it. */
  installed(hash: string, builtAtMs: number): Build {
    const dir = join(this.path, `installed-${hash}`);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, "build.json"), JSON.stringify({ hash, version: "0.1.0", built_at_ms: builtAtMs }));
    writeFileSync(join(dir, "server.js"), hash);
    return readBuild(dir);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

test("builds: is kept once, whole, and independent of where it came from", () => {
  using directory = new BuildsDirectory();
  const build = directory.installed("aaa", 1);
  const kept = keepBuild(directory.kept, build);
  assert.deepEqual(kept, { ...build, dir: join(directory.kept, "aaa") });
  rmSync(build.dir, { recursive: true });
  assert.equal(readFileSync(join(kept.dir, "server.js"), "utf8"), "aaa");
  assert.deepEqual(keepBuild(directory.kept, build), kept, "what is kept is not copied again");
  assert.deepEqual(keepBuild(directory.kept, kept), kept);
  assert.deepEqual(readdirSync(directory.kept), ["aaa"]);
});

test("builds: what was kept without its stamp by somebody who was killed is replaced by nothing half", () => {
  using directory = new BuildsDirectory();
  const build = directory.installed("aaa", 1);
  mkdirSync(join(directory.kept, "aaa.999999.tmp"), { recursive: true });
  assert.equal(readBuild(keepBuild(directory.kept, build).dir).hash, "aaa");
});

test(
  "builds: a full disk, while the bundle or a native package is copied, leaves nothing behind",
  { skip: needsRoot() },
  () => {
    using directory = new BuildsDirectory();
    using disk = smallDisk(128 * 1024);
    const small = directory.installed("aaa", 1);
    const native = join(directory.path, "node_modules", "@lydell", `node-pty-${process.platform}-${process.arch}`);
    mkdirSync(native, { recursive: true });
    writeFileSync(join(native, "package.json"), "{}");
    writeFileSync(join(native, "pty.node"), Buffer.alloc(256 * 1024));
    assert.throws(() => keepBuild(disk.path, small), { code: "ENOSPC" });
    assert.deepEqual(readdirSync(disk.path), [], "no build without its terminals");
    const large = directory.installed("bbb", 2);
    writeFileSync(join(large.dir, "server.js"), Buffer.alloc(256 * 1024));
    assert.throws(() => keepBuild(disk.path, large), { code: "ENOSPC" });
    assert.deepEqual(readdirSync(disk.path), []);
  },
);

test("builds: pruning keeps what is used, the last good one and the two newest others", () => {
  using directory = new BuildsDirectory();
  for (const [at, hash] of ["b1", "b2", "b3", "b4", "b5", "b6"].entries())
    keepBuild(directory.kept, directory.installed(hash, at));
  markGood(directory.kept, "b1");
  mkdirSync(join(directory.kept, "runtime-v26.10.0"));
  mkdirSync(join(directory.kept, "strange"));
  assert.deepEqual(pruneBuilds(directory.kept, new Set(["b2"])).toSorted(), ["b3", "b4"]);
  assert.deepEqual(readdirSync(directory.kept).toSorted(), [
    "b1",
    "b2",
    "b5",
    "b6",
    "last-good.json",
    "runtime-v26.10.0",
    "strange",
  ]);
  assert.deepEqual(pruneBuilds(directory.kept, new Set()), ["b2"], "its turn comes when nobody uses it");
});

test("builds: one that a process runs from stays, whoever it is", async () => {
  using directory = new BuildsDirectory();
  for (let at = 1; at <= 4; at++) keepBuild(directory.kept, directory.installed(`b${at}`, at));
  markGood(directory.kept, "b4");
  const script = join(directory.kept, "b1", "keeper.js");
  writeFileSync(script, "console.log('up'); setInterval(() => {}, 1000)");
  const keeper = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "ignore"] });
  await once(keeper.stdout, "data");
  assert.deepEqual(pruneBuilds(directory.kept, new Set(["b4"])), []);
  const ended = once(keeper, "exit");
  keeper.kill();
  await ended;
  assert.deepEqual(pruneBuilds(directory.kept, new Set(["b4"])), ["b1"]);
});

test("builds: the last good one is one that is still there", () => {
  using directory = new BuildsDirectory();
  assert.equal(lastGoodBuild(directory.kept), undefined);
  const kept = keepBuild(directory.kept, directory.installed("aaa", 1));
  markGood(directory.kept, "aaa");
  assert.deepEqual(lastGoodBuild(directory.kept), kept);
  rmSync(kept.dir, { recursive: true });
  assert.equal(lastGoodBuild(directory.kept), undefined);
  writeFileSync(join(directory.kept, "last-good.json"), "torn");
  assert.equal(lastGoodBuild(directory.kept), undefined);
});

test("builds: a build remembers the name that its server had last", () => {
  using directory = new BuildsDirectory();
  keepBuild(directory.kept, directory.installed("aaa", 1));
  assert.equal(lastNameOf(directory.kept, "aaa"), undefined);
  rememberName(directory.kept, "aaa", "blazing");
  rememberName(directory.kept, "aaa", "frozen");
  assert.equal(lastNameOf(directory.kept, "aaa"), "frozen");
});
