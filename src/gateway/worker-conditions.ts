import type { WorkerCondition } from "../protocol/gateway-units.ts";
import { desiredVersion, hasProcesses, healthyOf, type WorkerState } from "./lifecycle/state.ts";
import { summaryOf } from "./lifecycle/summary.ts";
import type { GatewayProject } from "./project.ts";
import type { ProjectWorker } from "./project-worker.ts";

/** What a worker can be waited for, judged by its state alone. */

const RESTING: ReadonlySet<string> = new Set([
  "healthy",
  "degraded",
  "failed",
  "paused",
  "stopped",
  "crash_looping",
  "unhealthy",
]);

/** Nothing is on its way: no build, no version that is being started. */
export const isAtRest = (state: WorkerState): boolean =>
  RESTING.has(summaryOf(state).state) && state.build === null && state.candidate === null && state.touched === null;

function holds(state: WorkerState, condition: WorkerCondition): boolean {
  switch (condition) {
    case "healthy":
      return summaryOf(state).state === "healthy" && state.touched === null;
    case "served":
      return isServed(state);
    case "stopped":
      return state.wanted !== "up" && state.instances.length === 0;
  }
}

/** It does not become so by itself: only a save, or a person, changes anything. */
const cannotHold = (state: WorkerState, conditions: readonly WorkerCondition[]): boolean =>
  isAtRest(state) && conditions.every((condition) => condition !== "stopped" && isHopeless(state, condition));

function isHopeless(state: WorkerState, condition: "healthy" | "served"): boolean {
  const { state: summary } = summaryOf(state);
  if (summary === "failed" || summary === "stopped") return true;
  // A version that failed leaves the one before in its place, which is healthy; what was asked for is another thing.
  return condition === "served" && summary === "degraded" && state.current?.version !== desiredVersion(state);
}

/** Until one holds, none can, or `limit` is aborted. A worker of a project that is brought down is stopped, and becomes nothing else. */
export async function waitForConditions(
  project: GatewayProject,
  worker: ProjectWorker,
  conditions: readonly WorkerCondition[],
  limit: AbortSignal,
): Promise<{ met: WorkerCondition[]; result: "met" | "ended" | "timeout" }> {
  const found = await project.until(() => {
    const met = conditions.filter((condition) =>
      project.isDown ? condition === "stopped" : holds(worker.state, condition),
    );
    if (met.length > 0) return { met, result: "met" as const };
    return project.isDown || cannotHold(worker.state, conditions) ? { met, result: "ended" as const } : undefined;
  }, limit);
  return found ?? { met: [], result: "timeout" };
}

/** In force at the front: the version that the sources are. */
function isServed(state: WorkerState): boolean {
  const { wanted, spec, isPaused, touched, current, publication, appliedPublication } = state;
  if (wanted !== "up" || isPaused || touched !== null || appliedPublication < publication) return false;
  if (!hasProcesses(spec)) return true;
  return current !== null && current.version === desiredVersion(state) && healthyOf(state, current).length > 0;
}
