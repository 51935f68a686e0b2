import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOf } from "./outcome.ts";

test("outcome: an exit is an exit, also with a number above 128 that nobody explains", () => {
  for (const status of [0, 1, 127, 128, 137, 143, 255]) {
    assert.deepEqual(outcomeOf({ exitStatus: status, sent: [] }), { kind: "exited", status });
  }
});

test("outcome: signalled where we sent that signal, by its last sender", () => {
  const sent = [
    { signal: "TERM", by: "user" as const },
    { signal: "SIGTERM", by: "timeout" as const },
    { signal: "SIGKILL", by: "stop" as const },
  ];
  assert.deepEqual(outcomeOf({ exitStatus: 143, sent }), {
    kind: "signalled",
    signal: "SIGTERM",
    status: 143,
    by: "timeout",
  });
  assert.deepEqual(outcomeOf({ exitStatus: 0, sent }), { kind: "exited", status: 0 });
  assert.deepEqual(outcomeOf({ exitStatus: 129, sent }), { kind: "exited", status: 129 });
});

test("outcome: signalled where the shell was told by the kernel, by nobody that we know", () => {
  const told = { exitStatus: 137, shellWord: "SIGKILL" };
  const outcome = { kind: "signalled", signal: "SIGKILL", status: 137, by: "unknown" };
  assert.deepEqual(outcomeOf({ ...told, sent: [] }), outcome);
  assert.deepEqual(outcomeOf({ ...told, sent: [{ signal: "SIGTERM", by: "stop" }] }), outcome);
  assert.deepEqual(outcomeOf({ exitStatus: 137, shellWord: "SIGTERM", sent: [] }), { kind: "exited", status: 137 });
});
