import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { identityOf, readProcess } from "../platform/process.ts";
import { announce, readEntries, removeStaleEntries, type ServerEntry, withdraw } from "./entries.ts";

function temporaryDirectory() {
  const path = mkdtempSync(join(tmpdir(), "warren-entries-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

const entry = (name: string, extra: Partial<ServerEntry> = {}): ServerEntry => ({
  format: 1,
  oldest_reader: 1,
  name,
  icon: "🔥",
  git_hash: "abc1234",
  version: "0.1.0",
  built_at_ms: 1,
  socket: `/run/${name}.sock`,
  pid: 42,
  start_ticks: 7,
  boot_id: "b",
  started_at: "2026-01-01T00:00:00.000Z",
  primary: false,
  generation: 1,
  ...extra,
});

test("entries: the primary first, then the newest", () => {
  using directory = temporaryDirectory();
  announce(directory.path, entry("old", { started_at: "2026-01-01T00:00:00.000Z" }));
  announce(directory.path, entry("new", { started_at: "2026-02-01T00:00:00.000Z" }));
  announce(directory.path, entry("first", { started_at: "2025-01-01T00:00:00.000Z", primary: true }));
  assert.deepEqual(
    readEntries(directory.path).map(({ name }) => name),
    ["first", "new", "old"],
  );
  assert.deepEqual(
    readEntries(directory.path)[0],
    entry("first", { started_at: "2025-01-01T00:00:00.000Z", primary: true }),
  );
});

test("entries: a generation takes the entry of the one before, and only its own is taken away", () => {
  using directory = temporaryDirectory();
  announce(directory.path, entry("blazing"));
  announce(directory.path, entry("blazing", { pid: 43, generation: 2 }));
  withdraw(directory.path, "blazing", 42);
  assert.deepEqual(
    readEntries(directory.path).map(({ pid }) => pid),
    [43],
  );
  withdraw(directory.path, "blazing", 43);
  withdraw(directory.path, "blazing", 43);
  assert.deepEqual(readdirSync(directory.path), []);
});

test("entries: those of dead servers go, but for names whose next generation is being started", () => {
  using directory = temporaryDirectory();
  const { bootId, pid, startTicks } = identityOf(readProcess(process.pid)!);
  announce(directory.path, entry("alive", { boot_id: bootId, pid, start_ticks: startTicks }));
  for (const name of ["over", "restarting"]) announce(directory.path, entry(name));
  removeStaleEntries(directory.path, new Set(["restarting"]));
  assert.deepEqual(
    readEntries(directory.path)
      .map(({ name }) => name)
      .sort(),
    ["alive", "restarting"],
  );
});

test("entries: files that are broken, of a newer Warren or half written are left out", () => {
  using directory = temporaryDirectory();
  announce(directory.path, entry("good"));
  announce(directory.path, entry("newer", { format: 2 as 1, oldest_reader: 2 as 1 }));
  announce(directory.path, entry("readable", { format: 2 as 1 }));
  writeFileSync(join(directory.path, "torn.json"), '{"format":1,"old');
  writeFileSync(join(directory.path, "null.json"), "null");
  writeFileSync(join(directory.path, "other.json.1.tmp"), JSON.stringify(entry("other")));
  assert.deepEqual(
    readEntries(directory.path)
      .map(({ name }) => name)
      .toSorted(),
    ["good", "readable"],
  );
  assert.deepEqual(readEntries(join(directory.path, "missing")), []);
});
