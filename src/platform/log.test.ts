import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isLogLevel, logTail, openLog } from "./log.ts";

class LogFile implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), "warren-log-"));
  readonly path = join(this.directory, "keeper.log");

  events(path = this.path): string[] {
    return readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).event);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

test("log: JSON lines with time, level and fields, from its level on, for its user alone", () => {
  using file = new LogFile();
  const log = openLog(file.path, "warn");
  log.info("quiet");
  log.warn("loud", { pid: 7 });
  const { at, ...line } = JSON.parse(readFileSync(file.path, "utf8"));
  assert.deepEqual(line, { level: "warn", event: "loud", pid: 7 });
  assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000);
  assert.equal(statSync(file.path).mode & 0o777, 0o600);
  assert.deepEqual(["warn", "loud", undefined].map(isLogLevel), [true, false, false]);
});

test("log: past 10 MB it goes on in a new file and keeps one old", () => {
  using file = new LogFile();
  const log = openLog(file.path);
  log.info("first");
  truncateSync(file.path, 10 * 1024 * 1024 + 1);
  for (let count = 0; count < 255; count++) log.info("old");
  assert.equal(existsSync(`${file.path}.1`), false, "looked at once in 256 lines");
  log.info("new");
  assert.deepEqual(file.events(), ["new"]);
  assert.ok(statSync(`${file.path}.1`).size > 10 * 1024 * 1024);
  writeFileSync(file.path, "x".repeat(10 * 1024 * 1024 + 1));
  openLog(file.path).info("after a restart");
  assert.deepEqual(file.events(), ["after a restart"]);
  assert.equal(readFileSync(`${file.path}.1`, "utf8")[0], "x");
});

test("log: never throws into its caller", () => {
  using file = new LogFile();
  openLog(join(file.directory, "missing", "x.log")).error("nowhere to go");
  openLog(file.directory).error("a directory");
});

test("log: its tail is the last lines, and nothing where there is none", () => {
  using file = new LogFile();
  assert.deepEqual(logTail(file.path), []);
  writeFileSync(file.path, `${"x".repeat(5_000)}\n${Array.from({ length: 12 }, (_, at) => `line ${at}\n`).join("")}`);
  assert.deepEqual(
    logTail(file.path),
    Array.from({ length: 8 }, (_, at) => `line ${at + 4}`),
  );
});
