import assert from "node:assert/strict";
import { test } from "node:test";
import { exitStatusOfCode, exitStatusOfOutcome } from "./exit-status.ts";

test("an error's code decides the exit status", () => {
  const statuses = [
    "USAGE",
    "NAME_INVALID",
    "PROGRAM_NOT_FOUND",
    "PROGRAM_NOT_EXECUTABLE",
    "TIMEOUT",
    "ABORTED",
    "JOB_NOT_FOUND",
    "ANYTHING",
  ];
  assert.deepEqual(statuses.map(exitStatusOfCode), [2, 2, 127, 126, 124, 130, 125, 125]);
});

test("a job's own status is passed through, 128+n for a signal, 120 when it is lost", () => {
  assert.equal(exitStatusOfOutcome({ kind: "exited", status: 3 }), 3);
  assert.equal(exitStatusOfOutcome({ kind: "signalled", signal: "SIGKILL", status: 137, by: "unknown" }), 137);
  assert.equal(exitStatusOfOutcome({ kind: "signalled", signal: "SIGTERM", status: 143, by: "timeout" }), 124);
  assert.equal(exitStatusOfOutcome({ kind: "lost", reason: "shim killed" }), 120);
  assert.equal(exitStatusOfOutcome(null), 0);
});
