import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { advanceCursor, positionsAfter, readCursor } from "./cursor.ts";
import { collect, temporaryRun } from "./log-fixture.ts";
import { openRunLog } from "./log-source.ts";
import { mergedLines } from "./merged-lines-fixture.ts";

const at = (stdout: number, stderr = 0) => ({ stdout, stderr });
const always = () => true;

test("cursor: is empty at first, keeps what other runs have, and forgets runs that are gone", () => {
  using run = temporaryRun();
  const ref = { cursorsDir: join(run.dir, "cursors"), name: "claude-1" };
  assert.deepEqual(readCursor(ref), { positions: {} });
  advanceCursor(ref, { "4xc-1": at(5), "4xc-2": at(6, 7) }, always);
  advanceCursor(ref, { "4xc-2": at(8, 9) }, (runId) => runId !== "4xc-1");
  assert.deepEqual(readCursor(ref), { positions: { "4xc-2": at(8, 9) } });
  assert.deepEqual(readdirSync(ref.cursorsDir), ["claude-1.json"]);
});

test("cursor: names that could leave their directory, or differ only by case, are refused", () => {
  using run = temporaryRun();
  for (const name of ["", "../x", "a/b", ".hidden", "A", "a.json", "-a", "x".repeat(65), "a\n"]) {
    assert.throws(() => readCursor({ cursorsDir: run.dir, name }), { code: "CURSOR_NAME_INVALID" });
    assert.throws(() => advanceCursor({ cursorsDir: run.dir, name }, {}, always), { code: "CURSOR_NAME_INVALID" });
  }
});

test("cursor: a file that is broken is set aside, one of a newer Warren refused and kept", () => {
  using run = temporaryRun();
  const ref = { cursorsDir: run.dir, name: "me" };
  const path = join(run.dir, "me.json");
  for (const text of ["{", "[]", '{"version":1,"oldest_reader":1,"positions":{"4xc-1":{"stdout":"1"}}}']) {
    writeFileSync(path, text);
    assert.deepEqual(readCursor(ref), { positions: {}, setAside: `${path}.corrupt` });
    assert.equal(readFileSync(`${path}.corrupt`, "utf8"), text);
    assert.equal(existsSync(path), false);
  }
  const newer = '{"version":3,"oldest_reader":2,"positions":{"4xc-1":"elsewhere"}}';
  writeFileSync(path, newer);
  assert.throws(() => advanceCursor(ref, {}, always), { code: "CURSOR_TOO_NEW" });
  assert.equal(readFileSync(path, "utf8"), newer);
});

test("cursor: two readers of one name never tear its file", async () => {
  using run = temporaryRun();
  mkdirSync(join(run.dir, "cursors"));
  const ref = { cursorsDir: join(run.dir, "cursors"), name: "shared" };
  const module = new URL("./cursor.ts", import.meta.url).href;
  const script = (start: number) => `
    import(${JSON.stringify(module)}).then(({ advanceCursor }) => {
      for (let n = 0; n < 150; n++) {
        advanceCursor(${JSON.stringify(ref)}, { "4xc-1": { stdout: ${start} + n, stderr: ${start} + n } }, () => true);
      }
    });`;
  const children = [1_000, 2_000].map((start) => spawn(process.execPath, ["-e", script(start)], { stdio: "inherit" }));
  let running = children.length;
  const exits = children.map(async (child) => {
    assert.deepEqual(await once(child, "exit"), [0, null]);
    running -= 1;
  });
  while (running > 0) {
    const position = readCursor(ref).positions["4xc-1"];
    assert.equal(position?.stdout, position?.stderr);
    await new Promise(setImmediate);
  }
  await Promise.all(exits);
  const last = readCursor(ref).positions["4xc-1"]!.stdout;
  assert.ok(last === 1_149 || last === 2_149);
  assert.deepEqual(readdirSync(ref.cursorsDir), ["shared.json"]);
});

test("cursor: the unfinished last line of a live run is passed only when it is finished or the run has ended", async () => {
  using run = temporaryRun();
  run.write("stdout", "one\ntw");
  run.write("stderr", "x\n");
  await using log = await openRunLog(run.paths);
  const items = await collect(mergedLines(log));
  const after = (hasEnded: boolean) =>
    items.reduce((positions, item) => positionsAfter(positions, item, hasEnded), at(0));
  assert.deepEqual(after(false), at(4, 2));
  assert.deepEqual(after(true), at(6, 2));
});

test("cursor: bytes that were dropped are passed, bytes that a limit left out are not", () => {
  const dropped = {
    kind: "omitted",
    runId: "4xc-1",
    stream: "stderr",
    reason: "dropped",
    bytes: 5,
    resumeBytes: 9,
  } as const;
  assert.deepEqual(positionsAfter(at(1, 4), dropped, false), at(1, 9));
  assert.deepEqual(
    positionsAfter(at(1, 4), { kind: "omitted", runId: "4xc-1", reason: "limit", bytes: 5 }, true),
    at(1, 4),
  );
});
