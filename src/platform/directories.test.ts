import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeDirectories } from "./directories.ts";

test("directories: those above are made too, the outermost that was made is told; one that is there stays", (context) => {
  const base = mkdtempSync(join(tmpdir(), "warren-directories-"));
  context.after(() => rmSync(base, { recursive: true }));
  assert.equal(makeDirectories(join(base, "a", "b", "c"), 0o700), join(base, "a"));
  assert.equal(statSync(join(base, "a", "b")).mode & 0o777, 0o700);
  assert.equal(makeDirectories(join(base, "a", "b", "c")), undefined);
  writeFileSync(join(base, "file"), "");
  assert.throws(() => makeDirectories(join(base, "file")), { code: "EEXIST" });
  assert.throws(() => makeDirectories(join(base, "file", "below")), { code: "ENOTDIR" });
});

test("directories: where none can be made it is said, in the place of being tried for ever", () => {
  assert.throws(() => makeDirectories("/proc/warren/below"), { code: "ENOENT" });
});
