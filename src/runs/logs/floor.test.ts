import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { dropStateOf, writeDropState } from "./dropped.ts";
import { logPaths } from "./files.ts";
import { decideFloor, enforceFreeSpaceFloor } from "./floor.ts";
import { temporaryRun } from "./log-fixture.ts";

const MB = 1024 * 1024;
const candidate = (runId: string, diskBytes: number, live = false) => ({
  path: `/l/${runId}.stdout.log`,
  runId,
  live,
  diskBytes,
});
const brief = (steps: ReturnType<typeof decideFloor>) =>
  steps.map(({ kind, candidate: { runId } }) => `${kind} ${runId}`);

test("floor: does nothing with enough space", () => {
  assert.deepEqual(decideFloor(100, 100, [candidate("1aa-1", 50)]), []);
});

test("floor: deletes ended runs' logs oldest first, no more than needed with some headroom", () => {
  const logs = ["1aa-1", "1aa-2", "1aa-3", "1aa-4"].map((runId) => candidate(runId, 50 * MB));
  assert.deepEqual(brief(decideFloor(0, 80 * MB, logs)), ["delete 1aa-1", "delete 1aa-2"]);
  assert.deepEqual(brief(decideFloor(0, 81 * MB, logs)), ["delete 1aa-1", "delete 1aa-2", "delete 1aa-3"]);
});

test("floor: live runs' logs are punched only when deleting does not do, and small ones never", () => {
  const logs = [
    candidate("1aa-1", 90 * MB, true),
    candidate("1aa-2", MB, true),
    candidate("1aa-3", 10 * MB),
    candidate("1aa-4", 0),
  ];
  assert.deepEqual(brief(decideFloor(0, 8 * MB, logs)), ["delete 1aa-3"]);
  assert.deepEqual(brief(decideFloor(0, 50 * MB, logs)), ["delete 1aa-3", "punch 1aa-1"]);
  assert.deepEqual(brief(decideFloor(0, 500 * MB, logs)), ["delete 1aa-3", "punch 1aa-1"]);
});

test("floor: frees real files, with their sidecars and indices, and says what is gone", async (t) => {
  using run = temporaryRun("1aa-1");
  const live = logPaths(run.dir, "2bb-1");
  run.write("stdout", "x".repeat(2 * MB));
  run.write("stderr", "");
  run.index([]);
  writeDropState(run.paths.stdoutPath, { droppedBytes: 7, baseBytes: 0 });
  writeFileSync(live.stdoutPath, "0123456789abcde\n".repeat(5 * 65_536));
  const { freed, freeBytes } = await enforceFreeSpaceFloor({
    dir: run.dir,
    floorBytes: 100 * MB,
    freeBytesOf: async () => 50 * MB,
    candidates: [
      { path: live.stdoutPath, runId: "2bb-1", live: true },
      { path: run.paths.stdoutPath, runId: "1aa-1", live: false },
      { path: run.paths.stderrPath, runId: "1aa-1", live: false },
      { path: logPaths(run.dir, "3cc-1").stdoutPath, runId: "3cc-1", live: false },
    ],
  });
  assert.equal(freeBytes, 50 * MB);
  assert.deepEqual(
    freed.map(({ kind, runId }) => `${kind} ${runId}`),
    ["delete 1aa-1", "punch 2bb-1"],
  );
  assert.equal(freed[0]!.droppedBytes, 2 * MB);
  assert.deepEqual(readdirSync(run.dir).sort(), ["1aa-1.stderr.log", "2bb-1.stdout.log", "2bb-1.stdout.log.dropped"]);
  const { droppedBytes, baseBytes } = await dropStateOf(live.stdoutPath);
  assert.equal(freed[1]!.droppedBytes, droppedBytes);
  if (baseBytes > 0) return t.diagnostic("holes cannot be punched here: the live log was truncated");
  assert.equal(statSync(live.stdoutPath).size, 5 * MB);
  assert.ok(statSync(live.stdoutPath).blocks * 512 <= MB + 8_192);
});

test("floor: looks at the real file system", async () => {
  using run = temporaryRun();
  run.write("stdout", "keep me\n");
  const candidates = [{ path: run.paths.stdoutPath, runId: "4xc-3", live: false }];
  const { freeBytes, freed } = await enforceFreeSpaceFloor({ dir: run.dir, floorBytes: 1, candidates });
  assert.ok(freeBytes > 1);
  assert.deepEqual(freed, []);
  assert.ok(existsSync(run.paths.stdoutPath));
});
