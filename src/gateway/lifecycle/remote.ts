import type { WorkerEvent } from "./events.ts";
import { report, type Step } from "./step.ts";

/**
 * The other end of a `url` worker: probed as instances are, for people to see. Requests go there whatever it says, since nobody else could answer them, and
 * nothing is started or stopped.
 */
export interface Remote {
  health: "unproven" | "healthy" | "unhealthy";
  /** Answers in a row that speak against `health`. */
  streak: number;
  reason: string | null;
  /** When the next probe is sent; when `isOut`: when its answer is given up. */
  probe: { isOut: boolean; atMs: number };
}

type Answer = Pick<Extract<WorkerEvent, { kind: "probed" }>, "isOk" | "status" | "reason">;

/** Between probes of one that does not answer well. */
const SUSPECT_INTERVAL_MS = 1_000;
/** Past its own limits an answer of the prober's is given up. */
const ANSWER_SLACK_MS = 5_000;

export function recordRemoteProbe(step: Step, answer: Answer): void {
  if (step.state.remote?.probe.isOut) takeAnswer(step, answer);
}

/** Sends what is due, and gives up what does not come back. */
export function probeRemote(step: Step): void {
  const { state, nowMs, actions } = step;
  if (state.spec.kind !== "url" || state.wanted !== "up") {
    state.remote = null;
    return;
  }
  state.remote ??= { health: "unproven", streak: 0, reason: null, probe: { isOut: false, atMs: nowMs } };
  if (nowMs < state.remote.probe.atMs) return;
  if (state.remote.probe.isOut) return takeAnswer(step, { isOk: false, reason: "the probe did not come back" });
  const { timeoutMs } = state.spec.health;
  state.remote.probe = { isOut: true, atMs: nowMs + timeoutMs + ANSWER_SLACK_MS };
  actions.push({ kind: "probe", instance: state.spec.name, waitMs: 0, timeoutMs });
}

/** The first answer counts by itself: until then nobody knows anything. */
function takeAnswer(step: Step, { isOk, status, reason }: Answer): void {
  const { state, nowMs } = step;
  const remote = state.remote!;
  const { rise, fall, intervalMs } = state.spec.health;
  const now = isOk ? "healthy" : "unhealthy";
  remote.streak = now === remote.health ? 0 : remote.streak + 1;
  if (remote.health === "unproven" || remote.streak >= (isOk ? rise : fall)) turn(step, now);
  remote.reason = isOk ? null : (reason ?? `answered ${status ?? "nothing"}`);
  const isWell = isOk && remote.health === "healthy";
  remote.probe = { isOut: false, atMs: nowMs + (isWell ? intervalMs : Math.min(intervalMs, SUSPECT_INTERVAL_MS)) };
}

function turn(step: Step, health: "healthy" | "unhealthy"): void {
  const remote = step.state.remote!;
  report(step, health === "healthy" ? "remote_healthy" : "remote_unhealthy");
  remote.health = health;
  remote.streak = 0;
}
