import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { holdBallast, releaseBallast } from "./ballast.ts";

test("ballast: takes blocks once, is made whole again, and is given back", async () => {
  const dir = mkdtempSync(join(tmpdir(), "warren-ballast-"));
  using _removed = { [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
  const path = join(dir, "ballast");
  await holdBallast(path);
  const held = statSync(path);
  assert.ok(held.blocks * 512 >= 128 * 1024);
  await holdBallast(path);
  assert.equal(statSync(path).mtimeMs, held.mtimeMs, "written once");
  truncateSync(path, 10);
  await holdBallast(path);
  assert.equal(statSync(path).size, held.size);
  await releaseBallast(path);
  assert.ok(!existsSync(path));
  await releaseBallast(path);
});

test("ballast: where it cannot be made nothing is left and nothing is thrown", async () => {
  await holdBallast("/dev/null/ballast");
  await releaseBallast("/dev/null/ballast");
});
