import { abandonCandidate, canTakeBack, switchBack } from "./releases.ts";
import type { Release } from "./state.ts";
import { type Failure, report, type Step } from "./step.ts";
import { markBad } from "./versions.ts";

/** What follows from what went wrong: a version is bad, the one before takes back, or the same is started again after a while. */

/** Ports in a row that others had: past it something else is wrong, and starts are spread as after a crash. */
const PORT_TRIES_MAX = 10;

export function judgeFailures(step: Step): void {
  for (const failure of step.failures) judge(step, failure);
  step.failures.length = 0;
}

function judge(step: Step, failure: Failure): void {
  const { state } = step;
  const isOf = (release: Release | null): release is Release => release?.id === failure.release;
  const release = [state.candidate, state.current].find(isOf);
  if (!release) return; // of the standby, or of one that is long given up
  if (failure.kind === "port") return retryPort(step, release, failure);
  if (failure.kind === "circumstance") return planRestart(step, release, failure);
  if (release === state.candidate) return judgeCandidate(step, release, failure);
  if (canTakeBack(state)) return switchBack(step, failure);
  if (failure.kind !== "release") planRestart(step, release, failure);
}

/**
 * A candidate never replaces what serves. Where nothing serves or did, in production, it is started again instead: what it lacks may come.
 */
function judgeCandidate(step: Step, candidate: Release, failure: Failure): void {
  const { state } = step;
  if (candidate.version === state.current?.version) {
    state.restartOwed = null;
    report(step, "restart_failed", { version: candidate.version, reason: failure.reason });
    return abandonCandidate(step, failure.reason);
  }
  if (state.current === null && state.spec.mode === "prod" && !failure.isFinal)
    return planRestart(step, candidate, failure);
  const { instance, reason, output } = failure;
  abandonCandidate(step, reason);
  markBad(step, candidate.version, { phase: "start", reason, instance, failure: null, output });
}

function retryPort(step: Step, release: Release, failure: Failure): void {
  release.restarts.portTries += 1;
  if (release.restarts.portTries >= PORT_TRIES_MAX) planRestart(step, release, failure);
}

function planRestart(step: Step, release: Release, failure: Failure): void {
  const { nowMs } = step;
  const { restarts } = release;
  const { firstMs, maxMs, loopCount } = step.state.spec.restart;
  restarts.reason = failure.reason;
  restarts.output = failure.output;
  // Those that were started before the last failure share its fate: one event, however many processes.
  const isSameWave = restarts.failures > 0 && failure.askedAtMs < restarts.lastMs && !failure.wasStable;
  if (isSameWave) return;
  restarts.failures = failure.wasStable ? 1 : restarts.failures + 1;
  restarts.lastMs = nowMs;
  const delayMs = restarts.failures === 1 ? 0 : Math.min(maxMs, firstMs * 2 ** Math.min(restarts.failures - 2, 30));
  restarts.notBeforeMs = Math.max(restarts.notBeforeMs, nowMs + delayMs);
  const name = restarts.failures === loopCount ? "crash_looping" : "restart_planned";
  report(step, name, {
    version: release.version,
    failures: restarts.failures,
    delay_ms: delayMs,
    reason: failure.reason,
  });
}
