import type { WorkerEvent } from "./events.ts";
import { hasProcesses } from "./state.ts";
import { report, type Step } from "./step.ts";
import { clearBad, knownVersion, markBad } from "./versions.ts";

/** What is known of the sources, and what becomes of them. */

type Of<K extends WorkerEvent["kind"]> = Extract<WorkerEvent, { kind: K }>;

/** A digest that does not come is asked for again. */
export const LOOK_AGAIN_MS = 5_000;

/** A number that is not above the last one is of a watcher that counts anew. */
export function recordTouch({ state, nowMs }: Step, change: number): void {
  if (state.spec.mode !== "dev") return;
  const isAnew = change <= Math.max(state.sourceChange, state.touched?.change ?? 0);
  if (isAnew) state.sourceChange = 0;
  state.touched = { change, sinceMs: state.touched?.sinceMs ?? nowMs, isLooked: false };
  state.lookAtMs = isAnew ? nowMs : (state.lookAtMs ?? nowMs + LOOK_AGAIN_MS);
}

export function recordSources(step: Step, { change, version }: Of<"sources">): void {
  const { state } = step;
  const isOld = change > 0 && change < state.sourceChange; // an answer from before the last one
  if (isOld && !state.touched?.isLooked) return;
  settleChange(step, change);
  if (!state.touched) state.lookAtMs = null;
  if (version === state.source) return;
  state.source = version;
  state.pin = null;
  knownVersion(state, version);
  clearBad(state, version);
}

export function settleChange({ state }: Step, change: number): void {
  const { touched } = state;
  state.sourceChange = change === 0 ? 0 : Math.max(state.sourceChange, change);
  if (!touched || (change < touched.change && !touched.isLooked)) return;
  state.touched = null;
  if (state.source !== null) state.lookAtMs = null;
}

export function recordBuilt(step: Step, id: string): void {
  const { state } = step;
  const version = knownVersion(state, id);
  if (version.bad?.phase === "build") version.bad = null;
  if (state.build?.version === id) {
    state.build = null;
    report(step, "built", { version: id });
  }
  version.isBuilt = true;
}

export function recordBuildFailure(step: Step, { version, failure }: Of<"build_failed">): void {
  if (step.state.build?.version !== version) return;
  step.state.build = null;
  markBad(step, version, { phase: "build", reason: failure.message, instance: null, failure, output: failure.output });
}

/** Asks for a digest that is waited for, and gives up a build that takes too long. */
export function expireSources(step: Step): void {
  const { state, nowMs, actions } = step;
  if (state.lookAtMs !== null && nowMs >= state.lookAtMs && hasProcesses(state.spec)) {
    state.lookAtMs = nowMs + LOOK_AGAIN_MS;
    if (state.touched) state.touched.isLooked = true;
    actions.push({ kind: "look" });
  }
  const { build } = state;
  if (!build || nowMs < build.deadlineMs) return;
  actions.push({ kind: "cancel_build", version: build.version });
  state.build = null;
  const reason = `was not built in ${state.spec.buildTimeoutMs / 1000} s`;
  markBad(step, build.version, { phase: "build", reason, instance: null, failure: null, output: [] });
}
