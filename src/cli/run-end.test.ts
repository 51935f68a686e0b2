import assert from "node:assert/strict";
import { test } from "node:test";
import type { Context } from "./context.ts";
import { endHoweverLong } from "./run-end.ts";
import { sampleJob, sampleRun } from "./testing/sample-job.ts";

test("whoever looks on stays when the server says stuck, until the run has ended", async () => {
  const ended = sampleJob({ status: "stopped", state: "ended", outcome: { kind: "exited", status: 3 } });
  const answers = {
    wait: { result: "stuck", job: sampleJob() },
    runs: { runs: [sampleRun({ outcome: ended.outcome })] },
  };
  const items = [
    { kind: "snapshot", snapshot: { jobs: [sampleJob()] } },
    { kind: "event", event: { event: "ports_updated", data: { job: sampleJob() } } },
    { kind: "event", event: { event: "run_stopped", data: { job: ended } } },
  ];
  const context = {
    client: () => ({ request: async (type: keyof typeof answers) => answers[type] }),
    ownClient: () => ({
      async *subscribe() {
        yield* items;
      },
    }),
  } as unknown as Context;
  const end = await endHoweverLong(context, sampleJob(), new AbortController().signal);
  assert.equal(end.kind, "ended");
  assert.deepEqual(end.kind === "ended" && end.run.outcome, { kind: "exited", status: 3 });
});
