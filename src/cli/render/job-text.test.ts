import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { memoryOutput } from "../testing/memory-output.ts";
import { sampleJob, sampleRun } from "../testing/sample-job.ts";
import { exitCodeText, historyLines, runningForText, stuckAfterMs } from "./job-text.ts";
import { summaryLines } from "./run-summary.ts";

test("history: nothing at the first run, expectations from three on", () => {
  assert.deepEqual(historyLines(sampleJob()), []);
  const job = sampleJob({
    run_count: 6,
    success_count: 4,
    failure_count: 1,
    success_rate: 80,
    avg_duration_ms: 150_000,
  });
  assert.deepEqual(historyLines(job), [
    "  Previous runs: 5 (80% success rate)",
    "  Expected duration if success: ~2m30s",
  ]);
  const failing = sampleJob({ ...job, failure_count: 3, failure_avg_duration_ms: 4_200 });
  assert.equal(historyLines(failing)[2], "  Expected duration if failure: ~4.2s");
});

test("a run counts as stuck after five minutes, or a minute more than it usually takes", () => {
  assert.equal(stuckAfterMs(sampleJob({ success_count: 2, avg_duration_ms: 1 })), 300_000);
  assert.equal(stuckAfterMs(sampleJob({ success_count: 3, avg_duration_ms: 5_000 })), 65_000);
});

test("how long it has been running", () => {
  assert.equal(runningForText(sampleJob(), Date.parse("2026-01-01T00:02:10.000Z")), "since 2m10s ago");
});

test("the exit code of each outcome", () => {
  assert.equal(exitCodeText({ kind: "exited", status: 0 }), "0");
  assert.equal(
    exitCodeText({ kind: "signalled", signal: "SIGKILL", status: 137, by: "unknown" }),
    "137 (killed by SIGKILL)",
  );
  assert.equal(
    exitCodeText({ kind: "signalled", signal: "SIGTERM", status: 143, by: "timeout" }),
    "143 (killed by SIGTERM at its timeout)",
  );
  assert.equal(exitCodeText({ kind: "lost", reason: "shim killed" }), "unknown (lost: shim killed)");
});

test("the summary of a run that ended well, with where to look, in a pipe as in a terminal", () => {
  const facts = ["", "Job 4xc completed", "  Command:   npm run dev", "  Duration:  1.0s", "  Exit code: 0"];
  const whole = [
    ...facts,
    "  warren stdout 4xc   # view stdout",
    "  warren stderr 4xc   # view stderr",
    "  warren logs 4xc     # view both",
  ];
  assert.deepEqual(summaryLines(memoryOutput(), sampleJob(), sampleRun()), whole);
  const shown = summaryLines(memoryOutput({ terminal: true }), sampleJob(), sampleRun());
  assert.deepEqual(shown.map(stripVTControlCharacters), whole);
  const failed = sampleRun({ outcome: { kind: "exited", status: 3 } });
  assert.equal(summaryLines(memoryOutput(), sampleJob(), failed).at(-1), "  Exit code: 3");
});

test("a job that has a name is called by it", () => {
  assert.equal(summaryLines(memoryOutput(), sampleJob({ name: "web" }), sampleRun())[1], "Job web completed");
});
