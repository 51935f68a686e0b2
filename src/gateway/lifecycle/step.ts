import type { ReportName, WorkerAction } from "./actions.ts";
import type { Instance, WorkerState } from "./state.ts";

/** One call of `decide`: the copy of the state that it changes, and what it has decided so far. */
export interface Step {
  readonly state: WorkerState;
  readonly nowMs: number;
  readonly actions: WorkerAction[];
  /** What was found wrong with a release in this step; judged once all facts are recorded. */
  readonly failures: Failure[];
  /** The front is to be told even if its record reads as before. */
  mustPublish: boolean;
}

export interface Failure {
  /**
   * `ended`: an instance is no more. `unhealthy`: it is there, and does not answer well. `release`: the release as a whole does badly.
   * `port`: its port was another's. `circumstance`: it could not be started, for a reason that lies outside.
   */
  kind: "ended" | "unhealthy" | "release" | "port" | "circumstance";
  release: number;
  instance: string | null;
  reason: string;
  output: string[];
  /** Another start cannot do better. */
  isFinal: boolean;
  /** It had been healthy for long. */
  wasStable: boolean;
  /** When its instance was asked for. */
  askedAtMs: number;
}

/** An instance that was healthy for so long was a good one. */
const STABLE_MS = 10_000;

const isStable = ({ health, healthSinceMs }: Instance, nowMs: number): boolean =>
  health === "healthy" && nowMs - healthSinceMs >= STABLE_MS;

export function fail(
  step: Step,
  instance: Instance,
  failure: Partial<Failure> & Pick<Failure, "kind" | "reason">,
): void {
  if (instance.release === null) return;
  step.failures.push({
    release: instance.release,
    instance: instance.id,
    output: [],
    isFinal: false,
    wasStable: isStable(instance, step.nowMs),
    askedAtMs: instance.askedAtMs,
    ...failure,
  });
  report(step, failure.kind === "unhealthy" ? "instance_unhealthy" : "instance_failed", {
    instance: instance.id,
    version: instance.version,
    reason: failure.reason,
  });
}

export function report(step: Step, name: ReportName, fields: Record<string, string | number | null> = {}): void {
  step.actions.push({ kind: "report", name, fields });
}

export const find = (step: Step, id: string): Instance | undefined => step.state.instances.find((one) => one.id === id);
