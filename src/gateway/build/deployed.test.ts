import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Deployed } from "./deployed.ts";

/** A worker's folder as a deploy leaves it. */
class Left implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), "warren-deployed-"));
  readonly deployed = new Deployed({ dir: this.dir, name: "api" });

  constructor(...files: string[]) {
    mkdirSync(join(this.dir, "bin"));
    for (const file of files) writeFileSync(join(this.dir, "bin", file), file);
  }

  link(target: string): void {
    rmSync(join(this.dir, "bin/api"), { force: true });
    symlinkSync(target, join(this.dir, "bin/api"));
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true });
  }
}

const signal = new AbortController().signal;

test("deployed: the version is the one that the link names, and nothing is built", async () => {
  using left = new Left("api-0a1b.mjs", "api-0a1b.mjs.map", "api-2c3d", "api-other.mjs", "tool-4e5f.mjs");
  left.link("api-0a1b.mjs");
  const { deployed } = left;
  assert.deepEqual((await deployed.open()).sort(), ["0a1b", "2c3d"]);
  assert.deepEqual(await deployed.look(), { version: "0a1b" });
  const outcome = await deployed.build("0a1b", signal);
  assert.deepEqual(outcome.kind === "built" && outcome.artefactPath, join(left.dir, "bin/api-0a1b.mjs"));
  await deployed.setCurrent("2c3d");
  assert.deepEqual(await deployed.look(), { version: "2c3d" });
  assert.equal(await deployed.artefactOf("2c3d"), join(left.dir, "bin/api-2c3d"));
  await deployed.prune();
  assert.equal((await deployed.open()).length, 2, "how many stay is not its to say");
});

test("deployed: a link that is missing, leads nowhere or to something else is said", async () => {
  using left = new Left("api-0a1b.mjs");
  const said = async (): Promise<string> => {
    const outcome = await left.deployed.build((await left.deployed.look()).version, signal);
    assert.equal(outcome.kind, "failed");
    return outcome.kind === "failed" ? outcome.failure.message.replaceAll(left.dir, "") : "";
  };
  const known = " Versions that are there: 0a1b.";
  assert.equal(await said(), `/bin/api is missing: it is the link to the version that serves.${known}`);
  left.link("api-ffff.mjs");
  assert.equal(await said(), `/bin/api leads to api-ffff.mjs, which is not there.${known}`);
  left.link("../../elsewhere");
  assert.equal(await said(), `/bin/api leads to ../../elsewhere, which is no version of it.${known}`);
  rmSync(join(left.dir, "bin/api"));
  writeFileSync(join(left.dir, "bin/api"), "a file");
  assert.equal(await said(), `/bin/api is no link to a version.${known}`);
  const gone = await left.deployed.build("abcd", signal);
  assert.ok(gone.kind === "failed" && /no link|not there any more/.test(gone.failure.message));
});
