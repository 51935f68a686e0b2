import type { Clock } from "../platform/clock.ts";
import { bootId, isAlive } from "../platform/process.ts";
import type { LiveRun } from "./live-run.ts";
import type { JobOptions, JobRecord } from "./records.ts";

/** What ends a run that does not end by itself: its time limit, and the death of the process that owns it. Asks for the stop, and leaves it to others. */
export interface RunLimitsOptions {
  clock: Clock;
  stop: (run: LiveRun, by: "timeout" | "owner") => void;
}

/** Without an owner that lives no more: what it owned has ended with it, and what somebody else starts is not its own. */
export function withoutDeadOwner(options: JobOptions): JobOptions {
  const { owner, ...rest } = options;
  return owner && isOwnerAlive(owner) ? options : rest;
}

const isOwnerAlive = ({ pid, start_ticks }: NonNullable<JobOptions["owner"]>): boolean =>
  isAlive({ bootId: bootId(), pid, startTicks: start_ticks ?? -1 });

/** Owners are looked after this often: no system call tells of the death of a process that is not our child. */
const OWNER_LOOK_MS = 1_000;

export class RunLimits {
  readonly #options: RunLimitsOptions;
  readonly #signal: AbortSignal;
  /** Live runs that end with somebody else. */
  readonly #owned = new Map<LiveRun, NonNullable<JobOptions["owner"]>>();

  constructor(options: RunLimitsOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  start(): void {
    const owners = setInterval(() => this.#lookAfterOwners(), OWNER_LOOK_MS);
    owners.unref();
    this.#signal.addEventListener("abort", () => clearInterval(owners), { once: true });
  }

  /** From now on until the run's end. */
  watch(run: LiveRun, job: JobRecord): void {
    const until = AbortSignal.any([run.over, this.#signal]);
    const { owner } = job.options;
    if (owner?.on_death === "kill") {
      this.#owned.set(run, owner);
      until.addEventListener("abort", () => this.#owned.delete(run), { once: true });
    }
    this.#armTimeout(run, job, until);
  }

  /** What is left of the time limit, when the run was taken over. */
  #armTimeout(run: LiveRun, job: JobRecord, until: AbortSignal): void {
    const { timeout_ms: timeoutMs } = job.options;
    if (timeoutMs === undefined) return;
    const { clock, stop } = this.#options;
    // A wall clock that jumped must neither cut the run short by more than was measured nor give it more than its whole time.
    const spentMs = Math.max(0, clock.wallMs() - run.record.startedAtMs);
    const cancel = clock.timer(Math.max(0, Math.min(timeoutMs, timeoutMs - spentMs)), () => stop(run, "timeout"));
    until.addEventListener("abort", cancel, { once: true });
  }

  #lookAfterOwners(): void {
    for (const [run, owner] of this.#owned) {
      if (run.stopping) continue;
      if (!isOwnerAlive(owner)) this.#options.stop(run, "owner");
    }
  }
}
