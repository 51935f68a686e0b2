import { hasProcesses, type Instance, isSpare, type WorkerState } from "./state.ts";
import type { Step } from "./step.ts";

/** Orders the next moment at which time alone changes something. */
export function orderWake({ state, nowMs, actions }: Step): void {
  const atMs = nextMs(state, nowMs);
  if (atMs < Number.POSITIVE_INFINITY) actions.push({ kind: "wake", atMs: Math.max(atMs, nowMs) });
}

function nextMs(state: WorkerState, nowMs: number): number {
  let next = Number.POSITIVE_INFINITY;
  const at = (ms: number | null | undefined): void => {
    if (ms != null && ms < next) next = ms;
  };
  /** What may have waited for something else since its moment came is no reason to wake. */
  const notBefore = (ms: number | undefined): void => at(ms !== undefined && ms > nowMs ? ms : null);
  if (hasProcesses(state.spec)) at(state.lookAtMs);
  at(state.build?.deadlineMs);
  at(state.probation?.untilMs);
  notBefore(state.current?.restarts.notBeforeMs);
  notBefore(state.candidate?.restarts.notBeforeMs);
  if (state.spec.hasSpare) notBefore(state.spareNotBeforeMs);
  at(state.remote?.probe.atMs);
  for (const instance of state.instances) at(nextOf(instance));
  return next;
}

function nextOf(instance: Instance): number | null {
  const { leaving, process, health, startDeadlineMs, probe } = instance;
  if (leaving?.kind === "stopping") return leaving.againAtMs;
  if (leaving?.kind === "draining") return Math.min(leaving.deadlineMs, leaving.closeAtMs ?? Number.POSITIVE_INFINITY);
  if (process === "asked") return startDeadlineMs;
  if (isSpare(instance)) return null;
  return health === "unproven" ? Math.min(startDeadlineMs, probe.atMs) : probe.atMs;
}
