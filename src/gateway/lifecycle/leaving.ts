import { type Draining, type Instance, isSpare, type Release, staffOf } from "./state.ts";
import { report, type Step } from "./step.ts";

/**
 * How instances go. One that the front may have sent requests to is drained first: it gets nothing new, and is stopped when nothing is in flight there, or
 * when its limit has passed. Who leaves never comes back.
 */

/** What is still open is closed over this time before the drain limit, or a third of a short limit. */
const CLOSE_SPREAD_MS = 10_000;
/** A front that does not say what it goes by is waited for so long, besides. */
export const FRONT_SILENT_MS = 10_000;
/** A stop that has not come to its end is ordered again after the grace and this. */
export const STOP_AGAIN_MS = 10_000;
/** What is in flight where a person said stop. */
const STOP_DRAIN_MS = 2_000;
/** A newer version needs its place, in development. */
const HASTE_MS = 1_000;

/** At once for one that never served. */
export function retire(step: Step, instance: Instance, reason: string): void {
  if (instance.leaving !== null) return;
  if (!instance.wasPublished) return stopNow(step, instance);
  const { state, nowMs } = step;
  const limitMs = state.wanted === "stopped" ? Math.min(STOP_DRAIN_MS, state.spec.drainMs) : state.spec.drainMs;
  const publication = state.publication + 1;
  const draining: Draining = {
    kind: "draining",
    limitMs,
    publication,
    isInForce: false,
    deadlineMs: 0,
    closeAtMs: 0,
    isDrained: false,
  };
  endBy(draining, nowMs + FRONT_SILENT_MS + limitMs);
  instance.leaving = draining;
  report(step, "instance_retired", { instance: instance.id, version: instance.version, reason });
}

export function retireAll(step: Step, release: Release | null, reason: string): void {
  for (const instance of staffOf(step.state, release)) retire(step, instance, reason);
}

export function stopNow(step: Step, instance: Instance): void {
  const { stopGraceMs } = step.state.spec;
  instance.leaving = { kind: "stopping", againAtMs: step.nowMs + stopGraceMs + STOP_AGAIN_MS };
  step.actions.push({ kind: "stop", instance: instance.id, graceMs: stopGraceMs });
}

export function stopSpares(step: Step): void {
  for (const instance of step.state.instances) {
    if (isSpare(instance) && instance.leaving?.kind !== "stopping") stopNow(step, instance);
  }
}

/** The drain that began first is to end soon. False: nobody drains. */
export function hastenDrain(step: Step): boolean {
  const draining = step.state.instances.find(({ leaving }) => leaving?.kind === "draining");
  if (draining?.leaving?.kind !== "draining") return false;
  shorten(draining.leaving, step.nowMs, HASTE_MS);
  return true;
}

/** A person said stop to what drains already. */
export function shortenDrains(step: Step): void {
  for (const { leaving } of step.state.instances) {
    if (leaving?.kind === "draining") shorten(leaving, step.nowMs, STOP_DRAIN_MS);
  }
}

/** Goes on with everything that leaves. */
export function advanceLeaving(step: Step): void {
  const { state, nowMs, actions } = step;
  for (const instance of state.instances) {
    const { leaving } = instance;
    if (leaving?.kind === "stopping" && nowMs >= leaving.againAtMs) stopNow(step, instance);
    if (leaving?.kind !== "draining") continue;
    if (!leaving.isDrained && nowMs >= leaving.deadlineMs) {
      report(step, "drain_overdue", { instance: instance.id, version: instance.version });
      leaving.isDrained = true;
    }
    if (leaving.isDrained) stopNow(step, instance);
    else if (leaving.closeAtMs !== null && nowMs >= leaving.closeAtMs) {
      actions.push({ kind: "close", instance: instance.id, spreadMs: Math.max(0, leaving.deadlineMs - nowMs) });
      leaving.closeAtMs = null;
    }
  }
}

/** The front gives it nothing new from now on. */
export function noteDrainInForce(step: Step): void {
  for (const { leaving } of step.state.instances) {
    if (leaving?.kind !== "draining" || leaving.isInForce || step.state.appliedPublication < leaving.publication)
      continue;
    leaving.isInForce = true;
    endBy(leaving, step.nowMs + leaving.limitMs);
  }
}

/** A server died, perhaps before it could tell the front, which goes on giving it requests. */
export function awaitFrontAgain(draining: Draining, nowMs: number): void {
  if (!draining.isInForce) endBy(draining, nowMs + FRONT_SILENT_MS + draining.limitMs);
  else if (draining.closeAtMs === null) draining.closeAtMs = nowMs;
}

function endBy(draining: Draining, deadlineMs: number): void {
  draining.deadlineMs = deadlineMs;
  draining.closeAtMs = deadlineMs - Math.min(CLOSE_SPREAD_MS, Math.floor(draining.limitMs / 3));
}

function shorten(draining: Draining, nowMs: number, limitMs: number): void {
  if (draining.limitMs <= limitMs || draining.deadlineMs <= nowMs + limitMs) return;
  draining.limitMs = limitMs;
  if (!draining.isInForce) return;
  draining.deadlineMs = nowMs + limitMs;
  draining.closeAtMs = nowMs;
}
