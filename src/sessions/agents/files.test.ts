import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { systemFiles } from "./files.ts";
import { RPC } from "./json-rpc.ts";

const root = mkdtempSync(join(tmpdir(), "warren-files-"));
after(() => rmSync(root, { recursive: true }));

test("read: lines from one on, as many as asked for", async () => {
  const path = join(root, "read.txt");
  writeFileSync(path, "one\ntwo\nthree");
  const cases: [line: number | undefined, limit: number | undefined, wanted: string][] = [
    [undefined, undefined, "one\ntwo\nthree"],
    [2, undefined, "two\nthree"],
    [2, 1, "two\n"],
    [1, 2, "one\ntwo\n"],
    [undefined, 0, ""],
    [3, 9, "three"],
    [4, 1, ""],
  ];
  for (const [line, limit, wanted] of cases) {
    const part = { ...(line === undefined ? {} : { line }), ...(limit === undefined ? {} : { limit }) };
    assert.equal(await systemFiles.read({ path, ...part }), wanted, JSON.stringify(part));
  }
});

test("write: replaces the file, keeps its mode and its link, makes its directory, leaves nothing behind", async () => {
  const path = join(root, "run.sh");
  const link = join(root, "link.sh");
  writeFileSync(path, "old");
  chmodSync(path, 0o755);
  symlinkSync("run.sh", link);
  await systemFiles.write({ path: link, content: "new" });
  assert.equal(readFileSync(path, "utf8"), "new");
  assert.equal(statSync(path).mode & 0o777, 0o755);
  assert.ok(lstatSync(link).isSymbolicLink());
  await systemFiles.write({ path: join(root, "a/b/c.txt"), content: "made" });
  assert.equal(readFileSync(join(root, "a/b/c.txt"), "utf8"), "made");
  assert.deepEqual(
    readdirSync(root, { recursive: true }).filter((name) => String(name).endsWith(".tmp")),
    [],
  );
});

test("files: relative paths, missing ones, directories and pipes are refused", async () => {
  const pipe = join(root, "pipe");
  execFileSync("mkfifo", [pipe]);
  const cases: [path: string, code: number][] = [
    ["relative.txt", RPC.invalidParams],
    [join(root, "none"), RPC.resourceNotFound],
    [root, RPC.invalidParams],
    [pipe, RPC.invalidParams],
  ];
  for (const [path, code] of cases) await assert.rejects(systemFiles.read({ path }), { code }, path);
  await assert.rejects(systemFiles.write({ path: "relative.txt", content: "" }), { code: RPC.invalidParams });
  await assert.rejects(systemFiles.write({ path: root, content: "" }), { code: RPC.internal });
});
