import type { WorkerAction } from "./actions.ts";
import type { WorkerEvent } from "./events.ts";
import { publish } from "./front-record.ts";
import { judgeFailures } from "./judge.ts";
import { advanceLeaving } from "./leaving.ts";
import { giveUpProbes, probeAll } from "./probing.ts";
import { record } from "./record.ts";
import { expireStarts } from "./record-processes.ts";
import { expireSources } from "./record-sources.ts";
import { boundDeadlines } from "./recovery.ts";
import { advanceProbation, chooseRelease } from "./releases.ts";
import { probeRemote } from "./remote.ts";
import { staff } from "./staffing.ts";
import { copyOf, type WorkerState } from "./state.ts";
import type { Step } from "./step.ts";
import { forgetVersions } from "./versions.ts";
import { orderWake } from "./wake.ts";

/**
 * Everything that is decided of a worker: an event is recorded, and then what is wanted is compared with what is. Pure: the same arguments give the same
 * answer, `state` stays as it is, and the answer is plain JSON.
 *
 * The caller writes the new state to disk, then carries out the actions in their order, then comes with the next event. After a start it comes with
 * `recovered` first. `nowMs` is the time of a clock that goes on through restarts (Unix time); somebody may set it back, which holds nothing up.
 *
 * Invariants, beside those of docs/gateway.md; `testing/invariants.ts` checks them over random schedules:
 * 1. Only healthy instances of the current release are in the front's record, and none that leaves.
 * 2. Who may have been sent requests is stopped only when it is drained or its limit has passed; who leaves never serves again.
 * 3. There are at most 2 × `instances` + 1 processes, and one spare.
 * 4. A bad version is started again only after the sources have changed or a person has asked.
 * 5. Whatever is waited for has a moment at which it is given up or asked for again: there is always a next event.
 */
export function decide(
  before: WorkerState,
  event: WorkerEvent,
  nowMs: number,
): { state: WorkerState; actions: WorkerAction[] } {
  const step: Step = { state: copyOf(before), nowMs, actions: [], failures: [], mustPublish: false };
  if (nowMs < before.decidedAtMs) boundDeadlines(step.state, nowMs);
  step.state.decidedAtMs = nowMs;
  record(step, event);
  expireSources(step);
  expireStarts(step);
  giveUpProbes(step);
  judgeFailures(step);
  advanceProbation(step);
  chooseRelease(step);
  staff(step);
  advanceLeaving(step);
  probeAll(step);
  probeRemote(step);
  publish(step);
  forgetVersions(step.state);
  orderWake(step);
  return { state: step.state, actions: step.actions };
}

/** What happens all the time, and what is lost of it when the server dies is learnt anew: probes and what they answered. */
const FLEETING_EVENTS: readonly WorkerEvent["kind"][] = ["tick", "probed", "trouble"];
const FLEETING_ACTIONS: readonly WorkerAction["kind"][] = ["probe", "wake"];

/** False: nothing is lost if the state is not written to disk after this decision, so that a quiet worker writes nothing. */
export const needsWriting = (event: WorkerEvent, actions: readonly WorkerAction[]): boolean =>
  !FLEETING_EVENTS.includes(event.kind) || actions.some(({ kind }) => !FLEETING_ACTIONS.includes(kind));
