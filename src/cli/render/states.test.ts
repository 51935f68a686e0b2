import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleJob } from "../testing/sample-job.ts";
import { stateOfJob, stateOfOutcome } from "./states.ts";

test("every state of a job has a glyph, a plain sign and a word", () => {
  for (const state of ["created", "waiting", "starting", "running", "stopping", "ended"] as const) {
    const view = stateOfJob(sampleJob({ state }));
    assert.equal([...view.glyph].length, 1);
    assert.match(view.plain, /^[\x21-\x7e]+$/);
    assert.ok(view.word);
  }
});

test("a running job says when it is stuck or not ready yet", () => {
  assert.equal(stateOfJob(sampleJob()).word, "working");
  assert.equal(stateOfJob(sampleJob({ ready: false })).word, "starting");
  assert.equal(stateOfJob(sampleJob({ state: "created", blocked: true })).word, "blocked");
  assert.equal(stateOfJob(sampleJob({ stuck: true })).word, "stuck");
  const ports = [{ port: 3000, protocol: "tcp" as const, pid: 1, address: "127.0.0.1" }];
  assert.equal(stateOfJob(sampleJob({ stuck: true, ports })).word, "working");
});

test("an outcome tells success, failure, a signal and a loss apart", () => {
  assert.equal(stateOfOutcome({ kind: "exited", status: 0 }).word, "done");
  assert.equal(stateOfOutcome({ kind: "exited", status: 137 }).word, "failed (137)");
  assert.equal(stateOfOutcome({ kind: "signalled", signal: "SIGKILL", status: 137, by: "unknown" }).word, "killed");
  const { word, tone } = stateOfOutcome({ kind: "signalled", signal: "SIGTERM", status: 143, by: "user" });
  assert.deepEqual([word, tone], ["stopped", "quiet"], "what was asked for is no failure");
  assert.equal(stateOfOutcome({ kind: "lost", reason: "" }).word, "lost");
});

test("a state of a newer server is shown by its own word", () => {
  assert.equal(stateOfJob({ ...sampleJob(), state: "hibernating" as never }).word, "hibernating");
});
