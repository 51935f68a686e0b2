import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { messageOf } from "../protocol/errors.ts";
import type { Condition } from "../protocol/units.ts";
import type { LiveRun } from "./live-run.ts";
import { holds } from "./probes.ts";
import type { JobRecord } from "./records.ts";

/** Watches runs until they are ready by their job's own condition, and says so once. */
export interface ReadinessOptions {
  logsDir: string;
  clock: Clock;
  log: Log;
  onReady: (run: LiveRun, job: JobRecord) => void;
  /** Its time to become ready is over. */
  onLate: (run: LiveRun) => void;
}

export class Readiness {
  readonly #options: ReadinessOptions;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  watch(run: LiveRun, job: JobRecord, ready: Condition, signal: AbortSignal): void {
    const until = AbortSignal.any([run.over, signal]);
    const { clock, log, onReady, onLate } = this.#options;
    const cancel =
      ready.timeout_ms === undefined ? () => {} : clock.timer(ready.timeout_ms, () => !until.aborted && onLate(run));
    until.addEventListener("abort", cancel, { once: true });
    void holds(run, ready, until, this.#options).then(
      (isReady) => {
        cancel();
        if (isReady && !until.aborted) onReady(run, job);
      },
      // Whether it is ready is not known: its time goes on.
      (error) => log.error("readiness_unknown", { run: run.id, error: messageOf(error) }),
    );
  }
}
