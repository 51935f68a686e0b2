import assert from "node:assert/strict";
import { test } from "node:test";
import { WarrenError } from "../protocol/errors.ts";
import { STREAMS } from "../runs/logs/files.ts";
import type { Context } from "./context.ts";
import { followJobs } from "./follow-jobs.ts";
import { followOne } from "./follow-one.ts";
import { followWorkers } from "./gateway/worker-logs.ts";
import type { LogSelection } from "./log-flags.ts";
import { latestRun } from "./run-of.ts";
import { memoryOutput } from "./testing/memory-output.ts";
import { sampleJob } from "./testing/sample-job.ts";

const WANTED: LogSelection = {
  streams: STREAMS,
  tailLines: undefined,
  sinceMs: undefined,
  grep: undefined,
  maxBytes: undefined,
  cursor: undefined,
  follow: true,
  json: false,
};
const PAGE = { is_running: true, items: [], next: { stdout: 0, stderr: 0 }, is_more: false };

/** Of another machine, whose messages are answered by `answers`, and whose subscription says `items` and then no more. */
function contextThere(answers: Record<string, () => unknown>, items: readonly object[]) {
  const output = memoryOutput();
  const interrupt = new AbortController();
  const context = {
    output,
    machine: {},
    places: {},
    interrupted: () => interrupt.signal,
    client: () => ({ request: async (type: string) => answers[type]!() }),
    ownClient: () => ({
      async *subscribe(_: object, signal: AbortSignal) {
        yield* items;
        if (!signal.aborted) await new Promise((wake) => signal.addEventListener("abort", wake));
      },
    }),
  } as unknown as Context;
  return { context, output, interrupt };
}

function answersThatFail(code: string): Record<string, () => unknown> {
  const fail = (): never => {
    throw new WarrenError(code, `failed: ${code}`, { fix: "warren list" });
  };
  const instance = { id: "w-1", version: "1", state: "healthy", stdout_path: "/o", stderr_path: "/e" };
  return {
    "job.log": fail,
    "gateway.log": fail,
    "gateway.status": () => ({ gateways: [{ workers: [{ name: "api", instances: [instance] }] }] }),
  };
}

const snapshotOf = (...jobs: object[]) => ({ kind: "snapshot", snapshot: { jobs } });
const ended = sampleJob({ status: "stopped", state: "ended", outcome: { kind: "exited", status: 3 } });
const endedEvent = { kind: "event", event: { event: "run_stopped", data: { job: ended, run: { id: ended.run_id } } } };

test("follow: what one follower fails with ends them all, and is told", async () => {
  const { context, interrupt } = contextThere(answersThatFail("MACHINE_AWAY"), [
    snapshotOf(sampleJob(), sampleJob({ id: "5xc", run_id: "5xc-1" })),
  ]);
  const following = followJobs(context, { wanted: WANTED, interrupted: interrupt.signal });
  await assert.rejects(following, { code: "MACHINE_AWAY", fix: "warren list" });
  const workers = followWorkers(context, { dir: "/srv/site", wanted: WANTED });
  await assert.rejects(workers, { code: "MACHINE_AWAY", fix: "warren list" });
});

test("follow: when one fails, nobody waits for the end of a run that is still to be told", async () => {
  let pages = 0;
  const { context, interrupt } = contextThere(
    {
      "job.log": () => {
        pages += 1;
        if (pages === 1) return { ...PAGE, is_running: false }; // its end has not been told yet
        throw new WarrenError("MACHINE_AWAY", "laptop is away.");
      },
    },
    [snapshotOf(sampleJob(), sampleJob({ id: "5xc", run_id: "5xc-1" }))],
  );
  const following = followJobs(context, { wanted: WANTED, interrupted: interrupt.signal });
  await assert.rejects(following, { code: "MACHINE_AWAY" });
});

test("follow: a run that is removed has ended", async () => {
  const answers = answersThatFail("JOB_NOT_FOUND");
  const { context, output, interrupt } = contextThere(answers, [snapshotOf(sampleJob()), endedEvent]);
  const following = followJobs(context, { wanted: WANTED, interrupted: interrupt.signal });
  const all = Promise.withResolvers<void>();
  const { bytes } = output;
  output.bytes = async (stream, chunk) => {
    await bytes(stream, chunk);
    if (output.text().includes("all processes stopped")) all.resolve();
  };
  await Promise.race([all.promise, following]);
  assert.match(output.text(), /process stopped: .*exit: 3/);
  interrupt.abort();
  await following;
});

test("follow: one run that is removed at its end is no error", async () => {
  const answers = answersThatFail("JOB_NOT_FOUND");
  const { context, interrupt } = contextThere({ ...answers, wait: answers["job.log"]! }, []);
  const run = latestRun(sampleJob());
  assert.equal(await followOne(context, run, WANTED), 0);
  interrupt.abort();
});
