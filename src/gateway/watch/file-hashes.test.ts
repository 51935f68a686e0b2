import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { mkdtemp, open, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FileHashes } from "./file-hashes.ts";

async function counting() {
  const dir = await mkdtemp(join(tmpdir(), "warren-hashes-"));
  const read: string[] = [];
  let wallMs = Date.now();
  const hashes = new FileHashes({
    wallMs: () => wallMs,
    open: (path, ...more) => {
      read.push(String(path).slice(dir.length + 1));
      return open(path, ...more);
    },
  });
  const pass = (ms: number) => {
    wallMs += ms;
  };
  return { dir, read, hashes, pass, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
}

test("hashes: what was changed just now is read each time, later only when its times or inode are others", async () => {
  await using it = await counting();
  const path = join(it.dir, "a");
  await writeFile(path, "1");
  const first = await it.hashes.of(path);
  assert.equal(await it.hashes.of(path), first);
  assert.deepEqual(it.read, ["a", "a"]);
  it.pass(1_000);
  for (let n = 0; n < 3; n += 1) assert.equal(await it.hashes.of(path), first);
  assert.deepEqual(it.read, ["a", "a", "a"]);
  await writeFile(join(it.dir, "b"), "2");
  await rename(join(it.dir, "b"), path);
  assert.notEqual(await it.hashes.of(path), first);
});

test("hashes: a missing file, a folder and a circle of links are none, and count in a hash of many", async () => {
  await using it = await counting();
  const path = join(it.dir, "a");
  const all = () => it.hashes.ofAll([path], () => "a");
  assert.equal(await it.hashes.of(path), undefined);
  assert.equal(await it.hashes.of(it.dir), undefined);
  assert.equal(await it.hashes.of(join(path, "below")), undefined);
  await symlink("circle", join(it.dir, "circle"));
  assert.equal(await it.hashes.of(join(it.dir, "circle")), undefined);
  const missing = await all();
  await writeFile(path, "");
  assert.notEqual(await all(), missing);
});

test("hashes: as of now, a file is read once, however many ask, and whatever becomes of it", async () => {
  await using it = await counting();
  const path = join(it.dir, "a");
  await writeFile(path, "1");
  const now = it.hashes.asOfNow();
  const first = await now.of(path);
  await writeFile(path, "2");
  assert.equal(await now.of(path), first);
  assert.equal(await now.ofAll([path], () => "a"), await now.ofAll([path, path], () => "a"));
  assert.deepEqual(it.read, ["a"]);
  assert.notEqual(await it.hashes.asOfNow().of(path), first);
});

test("hashes: a file larger than what can be held at once has one, of all that is in it", async () => {
  await using it = await counting();
  const path = join(it.dir, "a");
  const content = Buffer.from("0123456789".repeat(100_000));
  await writeFile(path, content);
  const hashes = new FileHashes({
    open: async (...given) => {
      const file = await open(...given);
      file.readFile = () => Promise.reject(Object.assign(new Error("too large"), { code: "ERR_FS_FILE_TOO_LARGE" }));
      return file;
    },
  });
  assert.equal(await hashes.of(path), hash("sha256", content));
});

test("hashes: of many files a few are read at a time, and each has its own", async () => {
  const dir = await mkdtemp(join(tmpdir(), "warren-hashes-"));
  let openCount = 0;
  let mostCount = 0;
  const hashes = new FileHashes({
    open: async (...given) => {
      const file = await open(...given);
      openCount += 1;
      mostCount = Math.max(mostCount, openCount);
      file[Symbol.asyncDispose] = async () => {
        await file.close();
        openCount -= 1;
      };
      return file;
    },
  });
  try {
    const paths = Array.from({ length: 100 }, (_, n) => join(dir, `${n}`));
    for (const [n, path] of paths.entries()) await writeFile(path, `${n}`.repeat(300_000));
    const found = await Promise.all(paths.map((path) => hashes.of(path)));
    assert.equal(new Set(found).size, 100);
    assert.ok(mostCount <= 8, `${mostCount} at once`);
  } finally {
    await rm(dir, { recursive: true });
  }
});
