import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { readJsonIfExists, readTextIfExists, writeFileAtomic } from "./atomic-file.ts";

const run = promisify(execFile);
const module = JSON.stringify(new URL("./atomic-file.ts", import.meta.url).href);

function temporaryDirectory() {
  const path = mkdtempSync(join(tmpdir(), "warren-atomic-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

test("atomic: a reader sees the old text or the new one, while another process writes as fast as it can", async () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, "state.json");
  const text = (n: number) => `${JSON.stringify({ n, padding: String(n % 10).repeat(50_000) })}\n`;
  writeFileAtomic(file, text(0));
  const script = `
    const { writeFileAtomic } = await import(${module});
    const text = (n) => JSON.stringify({ n, padding: String(n % 10).repeat(50_000) }) + "\\n";
    for (let n = 1; n <= 150; n++) writeFileAtomic(${JSON.stringify(file)}, text(n));`;
  const writer = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
  const ended = once(writer, "exit");
  const seen = new Set<number>();
  while (writer.exitCode === null) {
    const found = readTextIfExists(file) ?? "";
    const { n } = JSON.parse(found) as { n: number };
    assert.equal(found, text(n));
    seen.add(n);
    await new Promise(setImmediate);
  }
  assert.deepEqual(await ended, [0, null]);
  assert.ok(seen.size > 1, "it was read while it was written");
  assert.equal(readJsonIfExists<{ n: number }>(file)?.n, 150);
  assert.deepEqual(readdirSync(directory.path), ["state.json"]);
});

test("atomic: what cannot be written whole leaves the old text and nothing beside it", async () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, "state.json");
  writeFileAtomic(file, "old\n");
  const script = `
    process.on("SIGXFSZ", () => {});
    const { writeFileAtomic } = await import(${module});
    try {
      writeFileAtomic(${JSON.stringify(file)}, "new".repeat(10_000));
    } catch (error) {
      console.log(error.code);
    }`;
  const command = [process.execPath, "--input-type=module", "-e", script];
  const { stdout } = await run("bash", ["-c", 'ulimit -f 4; exec "$@"', "bash", ...command]);
  assert.equal(stdout, "EFBIG\n");
  assert.equal(readFileSync(file, "utf8"), "old\n");
  assert.deepEqual(readdirSync(directory.path), ["state.json"]);
});

test("atomic: is for its user alone, and fails where there is no directory", () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, "state.json");
  writeFileAtomic(file, "x");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.throws(() => writeFileAtomic(join(directory.path, "missing", "x"), "x"), { code: "ENOENT" });
});

test("read: what is absent or no JSON object is undefined", () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, "state.json");
  assert.deepEqual([readTextIfExists(file), readJsonIfExists(file)], [undefined, undefined]);
  for (const text of ["", "{", "null", "7", '"text"']) {
    writeFileSync(file, text);
    assert.equal(readJsonIfExists(file), undefined, text);
  }
  assert.throws(() => readTextIfExists(directory.path), { code: "EISDIR" });
});
