import { hastenDrain, retire, stopSpares } from "./leaving.ts";
import { releaseStandby } from "./releases.ts";
import {
  desiredVersion,
  hasProcesses,
  healthyOf,
  type Instance,
  isSpare,
  type Release,
  staffOf,
  type WorkerState,
} from "./state.ts";
import type { Step } from "./step.ts";

/**
 * How many processes a release has: wanted against running. There are never more than 2 × `instances` + 1 of a worker, those that leave included, and one
 * spare. Who is unhealthy or is to be replaced goes when others do its work.
 */
export function staff(step: Step): void {
  const { state } = step;
  if (state.wanted !== "up" || !hasProcesses(state.spec)) return stopSpares(step);
  // In development the old version is kept warm, not alive: nobody is served by it.
  const isKept = state.spec.mode === "prod" || state.current?.version === desiredVersion(state);
  if (isKept) trim(step, state.current);
  else cap(step, state.current);
  cap(step, state.standby);
  trim(step, state.candidate);
  if (state.current && isKept) fill(step, state.current);
  if (state.candidate) fill(step, state.candidate);
  keepSpare(step);
}

function fill(step: Step, release: Release): void {
  const { state, nowMs } = step;
  let missing = state.spec.instances - staffOf(state, release).filter(isSound).length;
  if (nowMs < release.restarts.notBeforeMs) return;
  for (; missing > 0; missing--) {
    if (!hasRoom(state)) return makeRoom(step);
    start(step, release);
  }
}

/** Does its work, or will. */
const isSound = ({ health, retiring }: Instance): boolean => health !== "unhealthy" && retiring === null;

const processLimit = ({ spec }: WorkerState): number => 2 * Math.max(1, spec.instances) + 1;

const hasRoom = (state: WorkerState): boolean =>
  state.instances.filter((instance) => !isSpare(instance)).length < processLimit(state);

/** What goes first is what is needed least: who leaves already, the standby, who is unwell. */
function makeRoom(step: Step): void {
  const { state } = step;
  const isAwaited = state.instances.some((instance) => !isSpare(instance) && instance.leaving?.kind === "stopping");
  if (isAwaited) return; // a place is free in a moment
  if (state.instances.some(({ leaving }) => leaving !== null)) {
    if (state.spec.mode === "dev") hastenDrain(step);
    return;
  }
  if (state.standby) return releaseStandby(step, "its place is needed");
  const unsound = staffOf(state, state.current).filter((instance) => !isSound(instance));
  // Who still serves only if there is no other: then two of them do, or there would be room.
  const [first] = unsound.toSorted((a, b) => rankOf(b) - rankOf(a));
  if (first) retire(step, first, "its place is needed");
}

function start(step: Step, release: Release): void {
  const { state, nowMs, actions } = step;
  const startDeadlineMs = nowMs + state.spec.startTimeoutMs;
  const spare = state.instances.find((one) => isSpare(one) && one.process === "running" && one.leaving === null);
  if (spare) {
    Object.assign(spare, { release: release.id, version: release.version, askedAtMs: nowMs, startDeadlineMs });
    spare.probe = { isOut: false, atMs: nowMs };
    actions.push({ kind: "load", instance: spare.id, version: release.version });
    return;
  }
  const instance = newInstance(step, release);
  actions.push({ kind: "start", instance: instance.id, version: release.version });
}

function newInstance({ state, nowMs }: Step, release: Release | null): Instance {
  const instance: Instance = {
    id: `${state.idPrefix}-${state.nextInstance++}`,
    release: release?.id ?? null,
    version: release?.version ?? null,
    wasSpare: release === null,
    process: "asked",
    pid: null,
    port: null,
    askedAtMs: nowMs,
    startDeadlineMs: nowMs + state.spec.startTimeoutMs,
    health: "unproven",
    healthSinceMs: nowMs,
    streak: 0,
    errorAnswers: 0,
    reason: null,
    probe: { isOut: false, atMs: nowMs },
    connectionFailures: 0,
    retiring: null,
    wasPublished: false,
    leaving: null,
  };
  state.instances.push(instance);
  return instance;
}

/** Who is not sound goes when others do all the work; until then only who is one too many. */
function trim(step: Step, release: Release | null): void {
  const staffed = staffOf(step.state, release);
  const healthy = staffed.filter(({ health }) => health === "healthy");
  if (healthy.filter(isSound).length >= step.state.spec.instances) return cap(step, release);
  retireSurplus(step, staffed.filter(isSound));
  retireSurplus(step, healthy);
}

/** Not more than are wanted, whatever their health: nobody is started in their place. */
function cap(step: Step, release: Release | null): void {
  retireSurplus(step, staffOf(step.state, release));
}

/** Keeps who serves, of them who is sound; of sound ones the oldest, of others the youngest. */
function retireSurplus(step: Step, staffed: readonly Instance[]): void {
  const kept = staffed.toSorted((a, b) => rankOf(a) - rankOf(b) || (isSound(a) ? 0 : b.askedAtMs - a.askedAtMs));
  for (const instance of kept.slice(step.state.spec.instances))
    retire(step, instance, instance.retiring ?? "is one too many");
}

const rankOf = (instance: Instance): number => (instance.health === "healthy" ? 0 : 2) + (isSound(instance) ? 0 : 1);

/** Booted when nothing else is going on, so that it costs a save nothing. */
function keepSpare(step: Step): void {
  const { state, nowMs, actions } = step;
  if (!state.spec.hasSpare) return stopSpares(step);
  const isBusy = state.candidate !== null || state.build !== null || state.touched !== null;
  const isInForce = state.appliedPublication === state.publication; // who waited for the switch goes first
  const isQuiet = !isBusy && isInForce && healthyOf(state, state.current).length > 0;
  if (!isQuiet || nowMs < state.spareNotBeforeMs || state.instances.some(isSpare)) return;
  const spare = newInstance(step, null);
  actions.push({ kind: "start", instance: spare.id, version: null });
}
