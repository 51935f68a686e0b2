import { frontWorkerOf } from "../front-record.ts";
import { desiredVersion, isSpare, portsOf } from "../state.ts";
import { summaryOf } from "../summary.ts";
import { versionRecord } from "../versions.ts";
import { isGood } from "./model-process.ts";
import type { World } from "./world.ts";

/** Virtual time after the last fault within which all must be well, or said not to be. */
const SETTLE_MS = 400_000;
const SETTLE_STEPS_MAX = 4_000;

/** No more faults: the worker comes to serve the newest good version, or says why not. Returns what is still wrong after a long time. */
export function settle(world: World): string | undefined {
  const { random } = world;
  calm(world);
  if (random.chance(50)) world.sources.write(random.chance(80) ? "good" : "slow");
  if (random.chance(80)) {
    world.tell({ kind: "command", command: { verb: "unpause" } });
    world.tell({ kind: "command", command: { verb: "start" } });
  }
  world.noticeSave();
  const untilMs = world.nowMs + SETTLE_MS;
  let wrong = wrongWith(world);
  for (let count = 0; wrong !== undefined && world.nowMs < untilMs && count < SETTLE_STEPS_MAX; count++) {
    world.happen();
    if (world.broken.length > 0) return undefined;
    wrong = wrongWith(world);
  }
  return wrong;
}

function calm(world: World): void {
  world.doom = undefined;
  world.processes.startFault = undefined;
  world.processes.isNextProbeLost = false;
  world.processes.killsToCome = 0;
  for (const process of world.processes.all()) process.isHung = false;
  world.recover();
  world.front.connect();
}

function wrongWith(world: World): string | undefined {
  const { state, front } = world;
  const record = frontWorkerOf(state);
  const left = world.processes.existing().length;
  if (left !== state.instances.length) return `${left} processes, ${state.instances.length} known`;
  if (portsOf(state).length !== left) return "a port is not returned";
  if (front.publication !== state.publication || JSON.stringify(front.record) !== JSON.stringify(record)) {
    return "the front goes by something else";
  }
  if (state.instances.some(({ leaving }) => leaving !== null)) return "somebody still leaves";
  if (state.wanted !== "up") return left > 0 ? "is not wanted, and has processes" : undefined;
  if (state.standby !== null) return "is still in probation";
  if (state.touched !== null) return "still holds for a change";
  if (state.spec.mode === "dev" && state.source !== world.sources.version)
    return `goes by ${state.source}, not by ${world.sources.version}`;
  return wrongWithVersion(world);
}

function wrongWithVersion(world: World): string | undefined {
  const { state } = world;
  const { spec } = state;
  const desired = desiredVersion(state);
  const bad = versionRecord(state, desired)?.bad;
  const working = state.instances.filter((instance) => !isSpare(instance));
  const behaviour = world.sources.behaviourOf(desired);
  const isRight = state.current?.version === desired && working.length === spec.instances;
  const isHealthy =
    isRight && working.every(({ health, release }) => health === "healthy" && release === state.current?.id);
  const { state: served } = frontWorkerOf(state);
  if (isHealthy) {
    if (bad) return "is healthy and bad";
    if (!state.isPaused && served !== "serving") return `is healthy and ${served}`;
    if (world.linked !== desired) return `the link names ${world.linked}`;
    const spares = state.instances.length - working.length;
    const isSpareLate = spec.hasSpare && spares === 0;
    return isSpareLate && state.spareNotBeforeMs <= world.nowMs ? "has no spare" : undefined;
  }
  if (isGood(behaviour) && !(bad && world.processes.blamed.has(desired!)))
    return `${desired} is good and not served: ${summaryOf(state).state}`;
  if (working.length > spec.instances) return `${working.length} processes of ${spec.instances}`;
  if (!summaryOf(state).reason && !state.isPaused) return `${desired} is not served, and nobody says why`;
  return undefined;
}
