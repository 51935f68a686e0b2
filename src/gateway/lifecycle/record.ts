import { unreachable } from "../../protocol/errors.ts";
import { recordCommand } from "./commands.ts";
import type { WorkerEvent } from "./events.ts";
import { noteDrainInForce, stopSpares } from "./leaving.ts";
import { recordProbe, recordTrouble } from "./probing.ts";
import {
  recordExit,
  recordGone,
  recordLoadFailure,
  recordMemory,
  recordSquatter,
  recordStart,
  recordStartFailure,
} from "./record-processes.ts";
import { recordBuildFailure, recordBuilt, recordSources, recordTouch, settleChange } from "./record-sources.ts";
import { recordRecovered } from "./recovery.ts";
import { abandonCandidate } from "./releases.ts";
import { recordRemoteProbe } from "./remote.ts";
import { find, type Step } from "./step.ts";

/** Writes down what an event says, and nothing that follows from it. */
export function record(step: Step, event: WorkerEvent): void {
  switch (event.kind) {
    case "configured":
      return recordSpec(step, event);
    case "removed":
      step.state.wanted = "removed";
      return;
    case "touched":
      return recordTouch(step, event.change);
    case "sources":
      return recordSources(step, event);
    case "unchanged":
      return settleChange(step, event.change);
    case "built":
      return recordBuilt(step, event.version);
    case "build_failed":
      return recordBuildFailure(step, event);
    case "started":
      return recordStart(step, event);
    case "start_failed":
      return recordStartFailure(step, event);
    case "load_failed":
      return recordLoadFailure(step, event);
    case "exited":
      return recordExit(step, event);
    case "gone":
      return recordGone(step, event.instance);
    case "squatted":
      return recordSquatter(step, event);
    case "probed":
      return step.state.spec.kind === "url" ? recordRemoteProbe(step, event) : recordProbe(step, event);
    case "trouble":
      return recordTrouble(step, event);
    case "memory":
      return recordMemory(step, event);
    case "applied":
      return recordApplied(step, event.publication);
    case "drained":
      return recordDrained(step, event.instance);
    case "command":
      return recordCommand(step, event.command);
    case "recovered":
      return recordRecovered(step, event);
    case "tick":
      return;
    default:
      return unreachable(event);
  }
}

function recordSpec(step: Step, { spec }: Extract<WorkerEvent, { kind: "configured" }>): void {
  const { state } = step;
  const before = state.spec;
  state.spec = spec;
  if (state.wanted === "removed") state.wanted = "up";
  if (spec.mode === "prod") state.touched = null;
  else if (before.mode === "prod") state.lookAtMs = step.nowMs;
  if (spec.runKey === before.runKey && spec.mode === before.mode) return;
  stopSpares(step);
  abandonCandidate(step, "the configuration has changed");
  if (state.current) state.restartOwed = "configuration";
}

function recordApplied(step: Step, publication: number): void {
  const { state, nowMs, actions } = step;
  state.appliedPublication = Math.max(state.appliedPublication, Math.min(publication, state.publication));
  noteDrainInForce(step);
  const { probation, reloadAt, appliedPublication } = state;
  if (probation?.untilMs === null && appliedPublication >= probation.publication) {
    probation.untilMs = nowMs + state.spec.probationMs;
  }
  if (reloadAt === null || appliedPublication < reloadAt) return;
  state.reloadAt = null;
  actions.push({ kind: "reload" });
}

function recordDrained(step: Step, id: string): void {
  const leaving = find(step, id)?.leaving;
  if (leaving?.kind === "draining") leaving.isDrained = true;
}
