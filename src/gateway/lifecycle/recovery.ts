import type { WorkerEvent } from "./events.ts";
import { awaitFrontAgain, FRONT_SILENT_MS, STOP_AGAIN_MS, stopNow } from "./leaving.ts";
import { ANSWER_SLACK_MS } from "./probing.ts";
import { LOOK_AGAIN_MS } from "./record-sources.ts";
import type { WorkerSpec } from "./spec.ts";
import { type Instance, isSpare, type WorkerState } from "./state.ts";
import { fail, report, type Step } from "./step.ts";
import { knownVersion } from "./versions.ts";

/**
 * The state was read back by a server that knows nothing else. What was ordered last may have been carried out, twice, or not at all: who has a process goes
 * on, who has none has ended, and what nobody waits for any more is ordered again.
 */
export function recordRecovered(step: Step, event: Extract<WorkerEvent, { kind: "recovered" }>): void {
  const { state } = step;
  const found = new Map(event.instances.map((one) => [one.id, one]));
  for (const instance of [...state.instances]) takeUp(step, instance, found.get(instance.id));
  stopStrangers(step, event.instances);
  takeUpVersions(step, event.versions);
  // Nobody numbers changes as the server before did, and some may have gone unseen. In production nothing is taken up unasked.
  state.sourceChange = 0;
  state.remote = null; // also of a state that was written before there was such a thing
  if (state.touched) state.touched.change = 0;
  if (state.spec.mode === "dev" || state.source === null) state.lookAtMs = step.nowMs;
  boundDeadlines(state, step.nowMs);
  step.mustPublish = true;
  if (state.current) step.actions.push({ kind: "link", version: state.current.version });
  report(step, "recovered", { instances: event.instances.length });
}

function takeUp(step: Step, instance: Instance, found: { pid: number; port: number | null } | undefined): void {
  const { state, nowMs } = step;
  if (!found) {
    // Perhaps the machine was started anew: nobody is blamed.
    state.instances = state.instances.filter((other) => other !== instance);
    const wasThere = instance.process === "running" && instance.leaving === null;
    if (wasThere) fail(step, instance, { kind: "circumstance", reason: "ended while no server looked" });
    return;
  }
  instance.process = "running";
  instance.pid = found.pid;
  instance.port = found.port ?? instance.port;
  instance.probe = { isOut: false, atMs: nowMs };
  if (instance.leaving?.kind === "stopping") stopNow(step, instance);
  // A spare may have been told to load, or not: another process is sooner right than this one asked.
  else if (isSpare(instance) || isLoading(instance) || instance.port === null) stopNow(step, instance);
  else if (instance.leaving?.kind === "draining") awaitFrontAgain(instance.leaving, nowMs);
}

const isLoading = ({ wasSpare, health }: Instance): boolean => wasSpare && health === "unproven";

function stopStrangers(step: Step, found: { id: string }[]): void {
  const known = new Set(step.state.instances.map(({ id }) => id));
  const { stopGraceMs } = step.state.spec;
  for (const { id } of found)
    if (!known.has(id)) step.actions.push({ kind: "stop", instance: id, graceMs: stopGraceMs });
}

function takeUpVersions({ state }: Step, onDisk: string[]): void {
  for (const version of state.versions) version.isBuilt = onDisk.includes(version.id);
  const { build } = state;
  if (!build) return;
  state.build = null; // ordered again, unless it is done; of one that a person asked for the old artefact is no proof
  knownVersion(state, build.version).isBuilt = onDisk.includes(build.version) && state.restartOwed !== "build";
}

/** The clock may have been set, also while nobody ran: no moment is farther away than what it was made of. */
export function boundDeadlines(state: WorkerState, nowMs: number): void {
  const { spec } = state;
  const within = (ms: number, limitMs: number): number => Math.min(ms, nowMs + limitMs);
  if (state.lookAtMs !== null) state.lookAtMs = within(state.lookAtMs, LOOK_AGAIN_MS);
  if (state.build) state.build = { ...state.build, deadlineMs: within(state.build.deadlineMs, spec.buildTimeoutMs) };
  if (state.probation?.untilMs != null) state.probation.untilMs = within(state.probation.untilMs, spec.probationMs);
  state.spareNotBeforeMs = within(state.spareNotBeforeMs, spec.restart.maxMs);
  for (const release of [state.current, state.candidate]) {
    if (!release) continue;
    release.restarts.notBeforeMs = within(release.restarts.notBeforeMs, spec.restart.maxMs);
    release.restarts.lastMs = within(release.restarts.lastMs, 0);
  }
  for (const one of [...state.instances, ...(state.remote ? [state.remote] : [])]) {
    one.probe.atMs = within(one.probe.atMs, probeLimitMs(spec, one.probe));
  }
  for (const instance of state.instances) boundInstance(instance, spec, within);
}

function boundInstance(instance: Instance, spec: WorkerSpec, within: (ms: number, limitMs: number) => number): void {
  const { leaving } = instance;
  instance.askedAtMs = within(instance.askedAtMs, 0);
  instance.healthSinceMs = within(instance.healthSinceMs, 0);
  instance.startDeadlineMs = within(instance.startDeadlineMs, spec.startTimeoutMs);
  if (leaving?.kind === "stopping") leaving.againAtMs = within(leaving.againAtMs, spec.stopGraceMs + STOP_AGAIN_MS);
  if (leaving?.kind !== "draining") return;
  const limitMs = leaving.limitMs + (leaving.isInForce ? 0 : FRONT_SILENT_MS);
  leaving.deadlineMs = within(leaving.deadlineMs, limitMs);
  if (leaving.closeAtMs !== null) leaving.closeAtMs = within(leaving.closeAtMs, limitMs);
}

const probeLimitMs = ({ health, startTimeoutMs }: WorkerSpec, { isOut }: Instance["probe"]): number =>
  isOut ? startTimeoutMs + health.timeoutMs + ANSWER_SLACK_MS : health.intervalMs;
