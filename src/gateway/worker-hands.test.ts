import assert from "node:assert/strict";
import { test } from "node:test";
import type { VersionMaker } from "./build/version-maker.ts";
import type { InstanceRuns } from "./instances/instance-runs.ts";
import { PortPool } from "./ports/port-pool.ts";
import { type ProjectHands, RealHands } from "./worker-hands.ts";

/** Hands whose one worker is started as slowly as the test wants. */
function slowHands() {
  const [artefact, started] = [Promise.withResolvers<string>(), Promise.withResolvers<void>()];
  const asked = Promise.withResolvers<void>();
  const ports = new PortPool({
    from: 1,
    to: 65_535,
    bind: (port) => ({ address: () => ({ port }), close() {}, fd: () => 9 }) as never,
  });
  const calls: string[] = [];
  const tags = new Map<string, number>();
  const runs = {
    async start() {
      calls.push("start");
      asked.resolve();
      await started.promise;
      return { bootId: "", pid: 1, startTicks: 1 };
    },
  };
  const hands = new RealHands({
    config: { name: "api", type: "node", dir: "/", path: "/", route: "/", env: {}, allowEnv: [] } as never,
    maker: { artefactOf: () => artefact.promise } as Partial<VersionMaker> as VersionMaker,
    project: {
      ports,
      personEnv: {},
      mode: "dev",
      nodePath: "node",
      runs: runs as unknown as InstanceRuns,
    } as ProjectHands,
    tell: ({ kind }) => calls.push(kind),
    look: async () => {},
    versionsInUse: () => new Set(),
    tags,
    save: () => {},
  });
  hands.carryOut({ kind: "start", instance: "api-1", version: "v1" });
  return { hands, artefact, started, asked: asked.promise, calls, ports, tags };
}

test("hands: who ends all waits for a start that has begun, so that nothing comes up behind them", async () => {
  const { hands, artefact, started, asked, calls } = slowHands();
  artefact.resolve("/a.mjs");
  await asked;
  hands.close();
  let isOver = false;
  const over = hands.startsOver().then(() => (isOver = true));
  await new Promise(setImmediate);
  assert.equal(isOver, false);
  started.resolve();
  await over;
  assert.deepEqual(calls, ["start", "started"], "and the process can be found by then");
});

test("hands: a start that has not come so far is none, and its port is free", async () => {
  const { hands, artefact, calls, ports } = slowHands();
  await new Promise(setImmediate);
  assert.equal(ports.used.length, 1);
  hands.close();
  artefact.resolve("/a.mjs");
  await hands.startsOver();
  assert.deepEqual([calls, ports.used], [[], []]);
});

test("hands: a start that could not be is told, and neither a port nor a mark of it is kept", async () => {
  const { hands, artefact, started, asked, calls, ports, tags } = slowHands();
  artefact.resolve("/a.mjs");
  await asked;
  assert.deepEqual([...tags.keys()], ["api-1"], "it is in the record before there is a process");
  started.reject(new Error("no space left on device"));
  await hands.startsOver();
  assert.deepEqual([calls, ports.used, tags.size], [["start", "start_failed"], [], 0]);
});
