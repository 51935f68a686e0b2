import assert from "node:assert/strict";
import { test } from "node:test";
import { exitStatusOf, type Outcome, succeeded } from "./outcome.ts";

test("exitStatusOf: the job's own, 128 + n for a signal, 124 for its time limit, 120 when it is lost", () => {
  const signalled = (by: "user" | "timeout"): Outcome => ({ kind: "signalled", signal: "SIGTERM", status: 143, by });
  assert.deepEqual(
    [
      { kind: "exited" as const, status: 0 },
      { kind: "exited" as const, status: 137 },
      signalled("user"),
      signalled("timeout"),
      { kind: "lost" as const, reason: "shim killed" },
    ].map(exitStatusOf),
    [0, 137, 143, 124, 120],
  );
});

test("succeeded: status 0 alone", () => {
  assert.deepEqual(
    [null, { kind: "exited" as const, status: 0 }, { kind: "exited" as const, status: 1 }].map(succeeded),
    [false, true, false],
  );
  assert.equal(succeeded({ kind: "lost", reason: "" }), false);
});
