import { retire, retireAll } from "./leaving.ts";
import {
  desiredVersion,
  hasProcesses,
  healthyOf,
  newRelease,
  type Release,
  type ReleaseCause,
  staffOf,
  type WorkerState,
} from "./state.ts";
import { type Failure, report, type Step } from "./step.ts";
import { clearBad, knownVersion, markBad, versionRecord } from "./versions.ts";

/**
 * Which release serves: what is wanted against what is.
 *
 * 1. `current` is the one assignment: a candidate takes its place when all its instances are healthy, in one step.
 * 2. The last release that is proven stays as `standby` until the new one is, and takes back in one step.
 * 3. Only the desired version is built or becomes a candidate, and not while it is bad.
 */
export function chooseRelease(step: Step): void {
  const { state } = step;
  if (state.wanted !== "up" || !hasProcesses(state.spec)) return giveUpAll(step);
  const version = desiredVersion(state);
  dropOthers(step, version);
  if (version === null) return;
  const record = knownVersion(state, version);
  if (record.bad !== null) return;
  if (!record.isBuilt) startBuild(step, version);
  if (state.current?.version === version) restartIfOwed(step, state.current, record.isBuilt);
  else if (state.standby?.version === version && healthyOf(state, state.standby).length > 0)
    switchTo(step, state.standby);
  else if (record.isBuilt) startRelease(step, version, causeOf(state, version));
  const { candidate } = state;
  if (candidate && healthyOf(state, candidate).length >= state.spec.instances) switchTo(step, candidate);
}

/** Ends a probation whose time has come, and lets a standby go that can take nothing back. */
export function advanceProbation(step: Step): void {
  const { state, nowMs } = step;
  const { probation, standby } = state;
  if (standby && staffOf(state, standby).length === 0) state.standby = null;
  if (!state.standby) state.probation = null;
  else if (probation?.untilMs != null && nowMs >= probation.untilMs) {
    report(step, "probation_over", { version: state.current?.version ?? null });
    releaseStandby(step, "the new version has proven itself");
  }
}

export function releaseStandby(step: Step, reason: string): void {
  retireAll(step, step.state.standby, reason);
  step.state.standby = null;
  step.state.probation = null;
}

export const canTakeBack = (state: WorkerState): boolean =>
  state.probation !== null && healthyOf(state, state.standby).length > 0;

/** The one before takes back at once, whole. */
export function switchBack(step: Step, { reason, instance, output }: Failure): void {
  const { state } = step;
  const failing = state.current!;
  state.current = state.standby!;
  state.standby = null;
  state.probation = null;
  clearBad(state, state.current.version); // it is the best there is, whatever became of another start of it
  retireAll(step, failing, reason);
  announceSwitch(step, failing);
  report(step, "switched_back", { from: failing.version, to: state.current.version, reason });
  if (failing.version !== state.current.version) {
    markBad(step, failing.version, { phase: "probation", reason, instance, failure: null, output });
  } else report(step, "restart_failed", { version: failing.version, reason });
}

/** Its instances never got a request. */
export function abandonCandidate(step: Step, reason: string): void {
  const { state } = step;
  if (!state.candidate) return;
  report(step, "release_abandoned", { version: state.candidate.version, reason });
  retireAll(step, state.candidate, reason);
  state.candidate = null;
}

function cancelBuild(step: Step): void {
  const { build } = step.state;
  if (!build) return;
  step.actions.push({ kind: "cancel_build", version: build.version });
  step.state.build = null;
}

function dropOthers(step: Step, version: string | null): void {
  const { state } = step;
  if (state.build && state.build.version !== version) cancelBuild(step);
  const { candidate } = state;
  if (!candidate) return;
  if (candidate.version !== version) abandonCandidate(step, "another version is wanted");
  // Also a restart of one that has just shown itself to be bad.
  else if (versionRecord(state, version)?.bad) abandonCandidate(step, "its version is bad");
}

function startBuild(step: Step, version: string): void {
  const { state, nowMs, actions } = step;
  if (state.build) return;
  state.build = { version, deadlineMs: nowMs + state.spec.buildTimeoutMs };
  actions.push({ kind: "build", version, isForced: state.restartOwed === "build" });
  report(step, "build_started", { version });
}

function restartIfOwed(step: Step, current: Release, isBuilt: boolean): void {
  const { state } = step;
  if (state.restartOwed === null || !isBuilt) return;
  if (staffOf(state, current).length > 0) return startRelease(step, current.version, "restart");
  state.restartOwed = null; // it runs nowhere: it is started anyway
}

function startRelease(step: Step, version: string, cause: ReleaseCause): void {
  const { state } = step;
  state.restartOwed = null;
  if (state.candidate) return;
  state.candidate = newRelease(state.nextRelease++, version, cause);
  report(step, "release_started", { version, cause });
}

function causeOf(state: WorkerState, version: string): ReleaseCause {
  if (state.pin === version) return "rollback";
  return state.current === null ? "start" : "sources";
}

function switchTo(step: Step, next: Release): void {
  const { state } = step;
  const before = state.current;
  const proven = provenBefore(state, next);
  for (const release of [before, state.standby]) {
    if (release !== null && release !== next && release !== proven) retireAll(step, release, "another version serves");
  }
  if (state.candidate === next) state.candidate = null;
  else abandonCandidate(step, "another version serves");
  state.current = next;
  state.standby = proven;
  state.probation = proven && { publication: state.publication + 1, untilMs: null };
  knownVersion(state, next.version).servedAtMs = step.nowMs;
  announceSwitch(step, before);
  report(step, "switched", { from: before?.version ?? null, to: next.version, cause: next.cause });
}

/** The release to go back to: not one that is on probation itself, while there is a better one. */
function provenBefore(state: WorkerState, next: Release): Release | null {
  const candidates = state.probation ? [state.standby, state.current] : [state.current];
  return candidates.find((release) => release !== next && healthyOf(state, release).length > 0) ?? null;
}

function announceSwitch(step: Step, before: Release | null): void {
  const { state, actions } = step;
  step.mustPublish = true;
  if (before?.version === state.current?.version) return;
  if (state.current) actions.push({ kind: "link", version: state.current.version });
  if (state.spec.isLive) state.reloadAt = state.publication + 1;
}

/** It is not to serve, or has no processes (any more). */
function giveUpAll(step: Step): void {
  const { state } = step;
  cancelBuild(step);
  abandonCandidate(step, "is not wanted");
  for (const instance of state.instances) if (instance.release !== null) retire(step, instance, "is not wanted");
  state.current = null;
  state.standby = null;
  state.probation = null;
  state.restartOwed = null;
}
