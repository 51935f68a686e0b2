import type { BuildFailure, FrontWorker } from "../../protocol/front-messages.ts";
import {
  type Bad,
  desiredVersion,
  hasProcesses,
  healthyOf,
  isOutdated,
  loopingRelease,
  type Release,
  type WorkerState,
} from "./state.ts";
import type { Step } from "./step.ts";
import { versionRecord } from "./versions.ts";

/** What the front goes by: computed from the state alone, so that it may be told at any time again. */

/**
 * In every state `instances` are those that serve, or will if nothing changes: the healthy ones of the current release. Whether they get requests now is
 * said by `state` alone, so a front may keep its connections to them through a pause or a hold.
 */
export function frontWorkerOf(state: WorkerState): FrontWorker {
  const { spec } = state;
  return {
    name: spec.name,
    kind: hasProcesses(spec) ? "http" : spec.kind === "url" ? "url" : "static",
    instances: instancesOf(state),
    ...(spec.publicDir === undefined ? {} : { publicDir: spec.publicDir }),
    isLive: spec.isLive,
    ...conductOf(state),
  };
}

/** Instances that get nothing new and whose last exchange is waited for. */
export const drainingOf = (state: WorkerState): string[] =>
  state.instances.filter(({ leaving }) => leaving?.kind === "draining").map(({ id }) => id);

/** Orders a publication if the front is to know something else than it was told last. */
export function publish(step: Step): void {
  const { state, actions } = step;
  const key = keyOf(state);
  if (key === state.publishedKey && !step.mustPublish) return;
  state.publishedKey = key;
  state.publication += 1;
  for (const instance of healthyOf(state, state.current)) instance.wasPublished = true;
  actions.push({ kind: "publish", publication: state.publication });
}

type Conduct = Pick<FrontWorker, "state" | "holdMs" | "failure" | "reason">;

function conductOf(state: WorkerState): Conduct {
  const { spec, wanted, current } = state;
  if (wanted !== "up")
    return { state: "gone", reason: wanted === "removed" ? "is not configured any more" : `was ${wanted}` };
  if (state.isPaused) return { state: "held", reason: "is paused" };
  if (!hasProcesses(spec)) return { state: "serving" };
  const bad = state.touched ? null : (versionRecord(state, desiredVersion(state))?.bad ?? null);
  if (spec.mode === "dev") {
    if (bad && isOutdated(state)) return { state: "failed", reason: bad.reason, failure: failureOf(state, bad) };
    const looping = loopingRelease(state);
    if (looping && !isOutdated(state))
      return { state: "failed", reason: reasonOf(looping), failure: loopOf(state, looping) };
  }
  if (bad && current === null) return { state: "gone", reason: `no version works: ${bad.reason}` };
  const obstacle = state.candidate?.restarts.reason;
  if (isOutdated(state)) return held(state, obstacle ? `the change cannot be started: ${obstacle}` : CHANGING);
  if (healthyOf(state, current).length > 0) return { state: "serving" };
  const reason = (current ?? state.candidate)?.restarts.reason;
  return held(state, reason ? `is started again: ${reason}` : "is starting");
}

const CHANGING = "a change is taken up";

const held = ({ spec }: WorkerState, reason: string): Conduct => ({ state: "held", holdMs: spec.holdMs, reason });

function instancesOf(state: WorkerState): FrontWorker["instances"] {
  const { spec } = state;
  if (spec.kind === "url" && spec.target) return [{ id: spec.name, version: "url", ...spec.target }];
  return healthyOf(state, state.current).map(({ id, version, port }) => ({
    id,
    version: version!,
    host: "127.0.0.1",
    port: port!,
  }));
}

function failureOf({ spec }: WorkerState, { phase, reason, atMs, failure, output }: Bad): BuildFailure {
  if (failure) return failure;
  const at = new Date(atMs).toISOString();
  return { worker: spec.name, at, phase: phase === "build" ? "build" : "start", message: reason, places: [], output };
}

const reasonOf = ({ restarts }: Release): string => restarts.reason ?? "does not stay up";

function loopOf({ spec }: WorkerState, release: Release): BuildFailure {
  const at = new Date(release.restarts.lastMs).toISOString();
  return {
    worker: spec.name,
    at,
    phase: "start",
    message: reasonOf(release),
    places: [],
    output: release.restarts.output,
  };
}

/** Tells records apart without building them: it is compared after each decision. */
function keyOf(state: WorkerState): string {
  const { spec } = state;
  const conduct = conductOf(state);
  let key = `${conduct.state}|${conduct.holdMs ?? ""}|${conduct.reason ?? ""}|${conduct.failure?.at ?? ""}`;
  key += `|${conduct.failure?.output.length ?? ""}|${spec.kind}|${spec.publicDir ?? ""}|${spec.isLive}`;
  if (spec.target)
    key += `|${spec.target.host}:${spec.target.port}:${spec.target.isTls ?? false}:${spec.target.ca ?? ""}`;
  for (const { id } of healthyOf(state, state.current)) key += ` ${id}`;
  key += "|";
  for (const id of drainingOf(state)) key += ` ${id}`;
  return key;
}
