import type { WorkerCommand } from "./events.ts";
import { shortenDrains } from "./leaving.ts";
import { abandonCandidate } from "./releases.ts";
import { desiredVersion, type WorkerState } from "./state.ts";
import { report, type Step } from "./step.ts";
import { clearBad, knownVersion, rollbackTarget } from "./versions.ts";

/** What a person says. A command may bring back what was given up: bad versions get another chance, waits end. */
export function recordCommand(step: Step, command: WorkerCommand): void {
  const { state } = step;
  if (state.wanted === "removed") return;
  report(step, "command_taken", { verb: command.verb });
  switch (command.verb) {
    case "pause":
      state.isPaused = true;
      return;
    case "unpause":
      state.isPaused = false;
      return;
    case "stop":
      state.wanted = "stopped";
      return shortenDrains(step);
    case "drain":
      if (state.wanted === "up") state.wanted = "drained";
      return;
    case "start":
      return tryAgain(state);
    case "restart":
      tryAgain(state);
      if (state.current?.version === desiredVersion(state)) state.restartOwed = "restart";
      return;
    case "build":
      return buildAgain(step);
    case "rollback":
      return rollBack(step, command.to);
  }
}

function tryAgain(state: WorkerState): void {
  state.wanted = "up";
  clearBad(state, desiredVersion(state));
  for (const release of [state.current, state.candidate]) {
    if (release) release.restarts = { ...release.restarts, failures: 0, notBeforeMs: 0, portTries: 0 };
  }
  state.spareNotBeforeMs = 0;
}

function buildAgain(step: Step): void {
  const { state } = step;
  state.pin = null;
  tryAgain(state);
  if (state.source === null || state.build?.version === state.source) return;
  knownVersion(state, state.source).isBuilt = false;
  state.restartOwed = "build";
  if (state.candidate?.version === state.source) abandonCandidate(step, "is built again");
}

function rollBack(step: Step, to: string | undefined): void {
  const { state } = step;
  const target = rollbackTarget(state, to);
  if ("refusal" in target) return report(step, "rollback_refused", { to: to ?? null, reason: target.refusal });
  state.pin = target.version === state.source ? null : target.version;
  tryAgain(state);
}
