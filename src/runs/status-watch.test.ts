import assert from "node:assert/strict";
import type { watch } from "node:fs";
import { test } from "node:test";
import { RunFixture } from "./run-fixture.ts";
import { type RunStatus, readStatusFile } from "./status-file.ts";
import { StatusWatch } from "./status-watch.ts";

const fails = (code: string): typeof watch => {
  const refuse = () => {
    throw Object.assign(new Error(code), { code });
  };
  return refuse as unknown as typeof watch;
};

/** Collects what the watch makes known, and waits for a run's end by it alone. */
async function watching(directory: string, signal: AbortSignal, options: { watch?: typeof watch } = {}) {
  const endings = new Map<string, PromiseWithResolvers<RunStatus>>();
  const ending = (runId: string) => {
    const known = endings.get(runId) ?? Promise.withResolvers<RunStatus>();
    endings.set(runId, known);
    return known;
  };
  const told: string[] = [];
  const statuses = new StatusWatch({
    directory,
    onChange: (runId, { path }) => {
      told.push(runId);
      void readStatusFile(path).then(
        (status) => status.exitStatus !== undefined && ending(runId).resolve(status),
        () => {},
      );
    },
    ...options,
  });
  await statuses.start(signal);
  return { ended: (runId: string) => withDeadline(ending(runId).promise), told };
}

async function withDeadline<T>(promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("the watch told nothing")), 10_000);
  return Promise.race([promise, late.promise]).finally(() => clearTimeout(timer));
}

for (const [name, options] of Object.entries({
  "with a watch": {},
  "without a watch (EMFILE)": { watch: fails("EMFILE") },
  "without a watch (ENOSPC)": { watch: fails("ENOSPC") },
})) {
  test(`status watch: tells of every end, ${name}`, async () => {
    await using runs = await RunFixture.make();
    const stop = new AbortController();
    const earlier = await runs.start(["sh", "-c", "exit 1"]);
    await earlier.ended();
    const statuses = await watching(runs.directory, stop.signal, options);
    const later = await Promise.all([2, 3, 4].map((status) => runs.start(["sh", "-c", `exit ${status}`])));
    assert.equal((await statuses.ended(earlier.marks.runId)).exitStatus, 1);
    for (const [index, run] of later.entries()) {
      assert.equal((await statuses.ended(run.marks.runId)).exitStatus, index + 2);
    }
    stop.abort();
  });
}

test("status watch: tells nothing after it was ended, and refuses a directory that is not there", async () => {
  await using runs = await RunFixture.make();
  const stop = new AbortController();
  const statuses = await watching(runs.directory, stop.signal);
  stop.abort();
  await (await runs.start(["true"])).ended();
  assert.deepEqual(statuses.told, []);
  await assert.rejects(watching("/no/such/directory", new AbortController().signal), { code: "ENOENT" });
});
