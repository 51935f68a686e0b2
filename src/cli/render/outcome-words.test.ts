import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleJob, sampleRun } from "../testing/sample-job.ts";
import { outcomeSentence } from "./outcome-words.ts";

test("how a job stands, as the rest of a sentence", () => {
  const failed = sampleRun({ outcome: { kind: "exited", status: 1 } });
  assert.equal(outcomeSentence(sampleJob({ state: "ended" }), failed), "failed with status 1");
  assert.equal(outcomeSentence(sampleJob({ state: "created" }), null), "has not run yet");
  assert.equal(outcomeSentence(sampleJob({ state: "waiting" }), null), "waits to be started");
  assert.equal(
    outcomeSentence(sampleJob({ state: "waiting" }), failed),
    "failed with status 1, and is to be started again",
  );
});
