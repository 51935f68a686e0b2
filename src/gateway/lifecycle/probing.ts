import type { WorkerEvent } from "./events.ts";
import { healthyOf, type Instance, isSpare, type Release } from "./state.ts";
import { fail, find, report, type Step } from "./step.ts";

/** Health: probes that rise and fall, and what the front saw (passive). */

type Probed = Extract<WorkerEvent, { kind: "probed" }>;
type Trouble = Extract<WorkerEvent, { kind: "trouble" }>;

/** Between probes of one that answers, but not well yet. */
const UNREADY_INTERVAL_MS = 100;
/** Between probes of one that is under suspicion: in probation, or unhealthy. */
const SUSPECT_INTERVAL_MS = 1_000;
/** Past its own limits an answer of the prober's is given up. */
export const ANSWER_SLACK_MS = 5_000;
/** Exchanges in a row that could not be had. */
const CONNECTION_FAILURES_MAX = 3;
/** `seen` forgets half past this, so that it tells of the last minutes. */
const SEEN_MAX = 1_000;
/** A new version does clearly worse than the one before: so many failed, this share of all, and so many times the share of the one before. */
const WORSE = { bad: 5, share: 0.1, times: 3 };

export function recordProbe(step: Step, event: Probed): void {
  const instance = find(step, event.instance);
  if (!instance?.probe.isOut || instance.leaving !== null) return;
  takeAnswer(step, instance, event);
}

/** Sends what is due, and gives up what does not come back. */
export function probeAll(step: Step): void {
  for (const instance of step.state.instances) {
    if (instance.process !== "running" || isSpare(instance) || instance.leaving !== null) continue;
    if (step.nowMs >= instance.probe.atMs) sendProbe(step, instance);
  }
}

export function giveUpProbes(step: Step): void {
  for (const instance of step.state.instances) {
    if (!instance.probe.isOut || instance.leaving !== null || step.nowMs < instance.probe.atMs) continue;
    takeAnswer(step, instance, { isOk: false, reason: "the probe did not come back" });
  }
}

export function recordTrouble(step: Step, event: Trouble): void {
  const instance = find(step, event.instance);
  const release = instance && releaseOf(step, instance);
  if (!instance || !release || instance.leaving !== null) return;
  const lost = event.refused + event.reset;
  note(release, lost + event.late + event.bad + event.failed, event.total);
  instance.connectionFailures = lost > 0 && lost >= event.total ? instance.connectionFailures + lost : 0;
  if (instance.connectionFailures >= CONNECTION_FAILURES_MAX) suspect(step, instance, release);
  judgeShare(step, instance, release);
}

const releaseOf = (step: Step, { release }: Instance): Release | undefined =>
  [step.state.current, step.state.candidate, step.state.standby].find((one) => one !== null && one.id === release) ??
  undefined;

function takeAnswer(step: Step, instance: Instance, answer: Pick<Probed, "isOk" | "status" | "reason">): void {
  const { nowMs, state } = step;
  const { rise, fall } = state.spec.health;
  instance.reason = answer.isOk ? null : (answer.reason ?? `answered ${answer.status ?? "nothing"}`);
  const speaksAgainst = answer.isOk === (instance.health !== "healthy");
  instance.streak = speaksAgainst ? instance.streak + 1 : 0;
  if (answer.isOk && speaksAgainst && instance.streak >= rise) turnHealthy(step, instance);
  else if (!answer.isOk && speaksAgainst && instance.streak >= fall) turnUnhealthy(step, instance, instance.reason!);
  instance.probe = { isOut: false, atMs: nowMs + intervalOf(step, instance) };
  if (!answer.isOk && instance.health === "unproven") countErrorAnswer(step, instance, answer.status);
}

function turnHealthy(step: Step, instance: Instance): void {
  if (instance.health === "unhealthy")
    report(step, "instance_healthy", { instance: instance.id, version: instance.version });
  instance.health = "healthy";
  instance.healthSinceMs = step.nowMs;
  instance.streak = 0;
  instance.connectionFailures = 0;
  const release = releaseOf(step, instance);
  if (release) release.restarts.portTries = 0;
}

function turnUnhealthy(step: Step, instance: Instance, reason: string): void {
  fail(step, instance, { kind: "unhealthy", reason }); // before: whether it was stable counts
  instance.health = "unhealthy";
  instance.healthSinceMs = step.nowMs;
  instance.streak = 0;
  instance.reason = reason;
}

/** 500 from the health path of one that starts does not get better by waiting; 503 may. */
function countErrorAnswer(step: Step, instance: Instance, status: number | undefined): void {
  instance.errorAnswers = status !== undefined && status >= 500 && status !== 503 ? instance.errorAnswers + 1 : 0;
  if (instance.errorAnswers < step.state.spec.health.fall) return;
  instance.errorAnswers = 0;
  instance.startDeadlineMs = step.nowMs; // is over in this very step
}

/** The only one that serves stays, since nothing else would; a probe says at once what is true. */
function suspect(step: Step, instance: Instance, release: Release): void {
  instance.connectionFailures = 0;
  const hasOthers = healthyOf(step.state, release).some((other) => other !== instance);
  if (instance.health === "healthy" && hasOthers) turnUnhealthy(step, instance, "gives no answers, says the front");
  if (!instance.probe.isOut) instance.probe.atMs = step.nowMs;
}

/** In development a 5xx is the author's to see, not a reason to go back. */
function judgeShare(step: Step, instance: Instance, release: Release): void {
  const { state } = step;
  if (state.spec.mode === "dev" || state.probation === null || release !== state.current || !state.standby) return;
  const { bad, total } = release.seen;
  const before = state.standby.seen;
  const shareBefore = before.total > 0 ? before.bad / before.total : 0;
  if (bad < WORSE.bad || bad / total < Math.max(WORSE.share, WORSE.times * shareBefore)) return;
  fail(step, instance, { kind: "release", reason: `${bad} of ${total} requests failed` });
}

function note(release: Release, bad: number, total: number): void {
  const { seen } = release;
  seen.bad += bad;
  seen.total += Math.max(total, bad);
  if (seen.total <= SEEN_MAX) return;
  seen.bad /= 2;
  seen.total /= 2;
}

function intervalOf({ state }: Step, instance: Instance): number {
  const { intervalMs } = state.spec.health;
  if (instance.health === "unproven") return Math.min(intervalMs, UNREADY_INTERVAL_MS);
  // A candidate is in probation as soon as it serves.
  const isNew =
    instance.release === state.candidate?.id || (state.probation !== null && instance.release === state.current?.id);
  const isSuspect = instance.health === "unhealthy" || isNew;
  return isSuspect ? Math.min(intervalMs, SUSPECT_INTERVAL_MS) : intervalMs;
}

/** Until it was healthy once, the prober itself tries again until there is an answer. */
function sendProbe(step: Step, instance: Instance): void {
  const { timeoutMs } = step.state.spec.health;
  const waitMs = instance.health === "unproven" ? Math.max(0, instance.startDeadlineMs - step.nowMs) : 0;
  instance.probe = { isOut: true, atMs: step.nowMs + waitMs + timeoutMs + ANSWER_SLACK_MS };
  step.actions.push({ kind: "probe", instance: instance.id, waitMs, timeoutMs });
}
