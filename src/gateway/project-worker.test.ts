import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../platform/log.ts";
import { HandClock } from "../platform/testing/hand-clock.ts";
import { Turns } from "../platform/turns.ts";
import type { WorkerConfig } from "../protocol/gateway-config.ts";
import type { InstanceRuns } from "./instances/instance-runs.ts";
import { initialState } from "./lifecycle/state.ts";
import { ProjectWorker } from "./project-worker.ts";
import { STATIC_WORKER } from "./testing/static-worker.ts";
import type { ProjectHands } from "./worker-hands.ts";
import { lifecycleSpec } from "./worker-spec.ts";

/** A worker that is open once the process of its instance was looked for. */
function openingWorker(config: WorkerConfig) {
  const [clock, found] = [new HandClock(), Promise.withResolvers<undefined>()];
  const reports: string[] = [];
  const project = {
    ...{ dir: "/nowhere", mode: "dev", personEnv: {}, nodePath: "node", builds: new Turns(), log: silentLog },
    runs: { takeUp: () => found.promise, membersOf: () => [] } as unknown as InstanceRuns,
    publish() {},
    report: (_worker, name) => void reports.push(name),
  } as Partial<ProjectHands> as ProjectHands;
  const state = initialState(lifecycleSpec(config, "dev"), { idPrefix: "site" });
  const worker = new ProjectWorker({
    ...{ config, mode: "dev", record: { state, tags: { "site-1": 1 } }, project, personEnv: [], clock },
    watch: () => undefined,
    save: () => {},
    onChange: () => {},
  });
  const opened = worker.open();
  const open = (): Promise<void> => {
    found.resolve(undefined);
    return opened;
  };
  return { worker, clock, project, reports, open };
}

test("worker: what is configured while it is being opened is in force then, the mode too", async () => {
  const { worker, project, reports, open } = openingWorker(STATIC_WORKER);
  project.mode = "prod";
  worker.configure({ ...STATIC_WORKER, drainMs: 7 }, "prod");
  assert.deepEqual([worker.state.spec.mode, reports], ["dev", []], "it decides by what is found first");
  await open();
  assert.deepEqual([worker.state.spec.mode, worker.state.spec.drainMs], ["prod", 7]);
  assert.deepEqual(reports, ["recovered"]);
  worker.close();
});

test("worker: one that is closed while it is being opened looks at nobody's memory", async () => {
  const { worker, clock, open } = openingWorker({ ...STATIC_WORKER, memoryBytesMax: 1 });
  worker.close();
  await open();
  assert.deepEqual(clock.delays, []);
});

test("worker: while it is open it looks at its memory, however often it is configured", async () => {
  const config = { ...STATIC_WORKER, memoryBytesMax: 1 };
  const { worker, clock, open } = openingWorker(config);
  worker.configure(config, "dev");
  await open();
  worker.configure(config, "dev");
  assert.equal(clock.delays.filter((delayMs) => delayMs === 5_000).length, 1);
  worker.close();
  assert.deepEqual(clock.delays, []);
});
