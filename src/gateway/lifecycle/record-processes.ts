import { unreachable } from "../../protocol/errors.ts";
import type { Outcome } from "../../protocol/outcome.ts";
import type { WorkerEvent } from "./events.ts";
import { stopNow } from "./leaving.ts";
import { type Instance, isSpare } from "./state.ts";
import { fail, find, type Step } from "./step.ts";

/** What is known of the processes: that they are there, that they ended, and that they do not do what they should. */

type Of<K extends WorkerEvent["kind"]> = Extract<WorkerEvent, { kind: K }>;

/** A spare that could not be had is not tried again for so long. */
const SPARE_RETRY_MS = 30_000;

export function recordStart(step: Step, { instance: id, pid, port }: Of<"started">): void {
  const instance = find(step, id);
  if (instance?.process !== "asked") return;
  instance.process = "running";
  instance.pid = pid;
  instance.port = port;
  instance.probe = { isOut: false, atMs: step.nowMs };
}

export function recordStartFailure(
  step: Step,
  { instance: id, code, reason, isVersionsFault }: Of<"start_failed">,
): void {
  const instance = find(step, id);
  if (instance?.process !== "asked") return;
  forget(step, instance);
  if (instance.leaving) return;
  if (isSpare(instance)) return postponeSpare(step);
  const kind = code === "PORT_TAKEN" ? "port" : isVersionsFault ? "ended" : "circumstance";
  fail(step, instance, { kind, reason });
}

export function recordLoadFailure(step: Step, { instance: id, reason, output }: Of<"load_failed">): void {
  const instance = find(step, id);
  if (!instance || instance.leaving || instance.health !== "unproven" || isSpare(instance)) return;
  fail(step, instance, { kind: "ended", reason, output });
  stopNow(step, instance);
}

export function recordExit(step: Step, { instance: id, outcome, leftCount, isPortTaken, output }: Of<"exited">): void {
  const instance = find(step, id);
  if (!instance) return;
  instance.process = "running"; // a `started` that comes after it tells nothing new
  addOutput(step, id, output);
  const wasLeaving = instance.leaving !== null;
  const hasLeft = leftCount > 0;
  if (!wasLeaving) {
    const reason = hasLeft
      ? `${textOf(outcome)}, and left ${leftCount} ${leftCount === 1 ? "process" : "processes"} behind`
      : textOf(outcome);
    if (isSpare(instance)) postponeSpare(step);
    // It went into the background: another start would do the same.
    else
      fail(step, instance, {
        kind: isPortTaken ? "port" : "ended",
        reason,
        output,
        isFinal: hasLeft && instance.health === "unproven",
      });
  }
  if (hasLeft) stopNow(step, instance);
  else forget(step, instance);
}

/** Also of one whose end nobody told. */
export function recordGone(step: Step, id: string): void {
  const instance = find(step, id);
  if (!instance) return;
  forget(step, instance);
  if (instance.leaving) return;
  if (isSpare(instance)) postponeSpare(step);
  else fail(step, instance, { kind: "ended", reason: "is gone" });
}

export function recordSquatter(step: Step, { instance: id, port }: Of<"squatted">): void {
  const instance = find(step, id);
  if (!instance || instance.leaving || isSpare(instance)) return;
  fail(step, instance, {
    kind: "ended",
    reason: `listens on port ${port}, not on $PORT (${instance.port})`,
    isFinal: true,
  });
  stopNow(step, instance);
}

export function recordMemory(step: Step, { instance: id, bytes }: Of<"memory">): void {
  const { state } = step;
  const limit = state.spec.memoryBytesMax;
  const instance = find(step, id);
  if (limit === undefined || bytes <= limit || !instance || instance.leaving || instance.retiring) return;
  if (isSpare(instance) || instance.release === state.standby?.id) return;
  const reason = `uses ${bytes} bytes of memory, more than ${limit}`;
  instance.retiring = reason;
  fail(step, instance, { kind: "unhealthy", reason });
}

export function expireStarts(step: Step): void {
  for (const instance of step.state.instances) if (step.nowMs >= instance.startDeadlineMs) expireStart(step, instance);
}

function expireStart(step: Step, instance: Instance): void {
  if (instance.leaving || instance.health !== "unproven") return;
  if (isSpare(instance) && instance.process === "running") return;
  const seconds = Math.round((step.nowMs - instance.askedAtMs) / 1000);
  // The prober itself waits until now for an answer.
  const detail = instance.reason ?? (instance.port === null ? "it was not started" : unanswered(instance.port));
  if (isSpare(instance)) postponeSpare(step);
  else fail(step, instance, { kind: "ended", reason: `was not healthy after ${seconds} s: ${detail}` });
  stopNow(step, instance);
}

const unanswered = (port: number): string => `nothing answers HTTP on $PORT (${port})`;

function forget({ state }: Step, instance: Instance): void {
  state.instances = state.instances.filter((other) => other !== instance);
}

function postponeSpare({ state, nowMs }: Step): void {
  state.spareNotBeforeMs = nowMs + SPARE_RETRY_MS;
}

/** The last lines of one that was stopped for what it did come with its end. */
function addOutput({ state }: Step, instance: string, output: string[]): void {
  for (const { bad } of state.versions) if (bad?.instance === instance && bad.output.length === 0) bad.output = output;
}

function textOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exited":
      return `ended with exit status ${outcome.status}`;
    case "signalled":
      return `was ended by ${outcome.signal}`;
    case "lost":
      return `was lost: ${outcome.reason}`;
    default:
      return unreachable(outcome);
  }
}
