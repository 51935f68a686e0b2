import type { WorkerHealth } from "../../protocol/front-messages.ts";
import type { Worker, WorkerInstance } from "../../protocol/gateway-units.ts";
import {
  desiredVersion,
  hasProcesses,
  healthyOf,
  type Instance,
  isOutdated,
  isSpare,
  loopingRelease,
  staffOf,
  type WorkerState,
} from "./state.ts";
import { versionRecord } from "./versions.ts";

/** What people are told of a worker, computed: the states of docs/gateway.md. */

export interface WorkerSummary {
  state: Worker["state"];
  /** Always there unless it is healthy, paused, or on its way. */
  reason?: string;
}

export type InstanceSummary = WorkerInstance["state"];

export function summaryOf(state: WorkerState): WorkerSummary {
  const { wanted, spec } = state;
  if (wanted !== "up")
    return { state: "stopped", reason: wanted === "removed" ? "is not configured any more" : `was ${wanted}` };
  if (state.isPaused) return { state: "paused" };
  if (spec.kind === "url") return summaryOfRemote(state);
  if (!hasProcesses(spec)) return { state: "healthy" };
  const looping = loopingRelease(state);
  const bad = versionRecord(state, desiredVersion(state))?.bad;
  if (bad)
    return {
      state: hasNothingElse(state) ? "failed" : "degraded",
      reason: `version ${desiredVersion(state)} failed: ${bad.reason}`,
    };
  if (looping) return { state: "crash_looping", reason: looping.restarts.reason ?? "does not stay up" };
  return summaryOfHealth(state);
}

/** For `/health` at the front. */
export const healthOf = (state: WorkerState): WorkerHealth => {
  const instances = state.instances
    .filter((instance) => !isSpare(instance))
    .map((instance) => ({ id: instance.id, version: instance.version!, state: instanceStateOf(state, instance) }));
  return { worker: state.spec.name, ...summaryOf(state), instances };
};

export function instanceStateOf(state: WorkerState, instance: Instance): InstanceSummary {
  const { leaving, process, health, release } = instance;
  if (leaving) return leaving.kind === "draining" ? "draining" : "stopped";
  if (process === "asked") return "starting";
  if (isSpare(instance) || (release === state.standby?.id && health === "healthy")) return "standby";
  return health === "unproven" ? "running" : health;
}

/** In development an old version is not shown in the place of a bad one. */
const hasNothingElse = (state: WorkerState): boolean =>
  isOutdated(state) || healthyOf(state, state.current).length === 0;

function summaryOfRemote({ remote }: WorkerState): WorkerSummary {
  if (!remote || remote.health === "unproven") return { state: "starting" };
  if (remote.health === "healthy") return { state: "healthy" };
  return { state: "unhealthy", reason: remote.reason ?? "does not answer" };
}

function summaryOfHealth(state: WorkerState): WorkerSummary {
  const { spec, current, candidate } = state;
  const healthy = healthyOf(state, current);
  const isServing = healthy.length > 0 && (spec.mode === "prod" || current?.version === desiredVersion(state));
  if (!isServing) {
    if (state.build || (desiredVersion(state) === null && !current)) return { state: "building" };
    const unwell = staffOf(state, current).find(({ health }) => health === "unhealthy");
    if (unwell && !candidate) return { state: "unhealthy", reason: unwell.reason ?? "does not answer" };
    const reason = candidate?.restarts.reason ?? current?.restarts.reason;
    return reason ? { state: "starting", reason } : { state: "starting" };
  }
  if (candidate?.restarts.reason)
    return { state: "degraded", reason: `version ${candidate.version} is not started: ${candidate.restarts.reason}` };
  if (healthy.length >= spec.instances) return { state: "healthy" };
  const reason = current?.restarts.reason ?? "more are being started";
  return { state: "degraded", reason: `${healthy.length} of ${spec.instances} are healthy: ${reason}` };
}
