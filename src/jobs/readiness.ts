import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { messageOf } from "../protocol/errors.ts";
import type { Condition } from "../protocol/units.ts";
import type { LiveRun } from "./live-run.ts";
import { holds } from "./probes.ts";

/** Watches runs until they are ready by their job's own condition, and says so once. One watch for each run: another condition takes its place. */
export interface ReadinessOptions {
  logsDir: string;
  clock: Clock;
  log: Log;
  onReady: (run: LiveRun) => void;
  /** Its time to become ready is over. */
  onLate: (run: LiveRun) => void;
}

export class Readiness {
  readonly #options: ReadinessOptions;
  readonly #watches = new WeakMap<LiveRun, { ready: Condition | undefined; over: AbortController }>();

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  /** The same condition once more goes on where it is; its time begins with a condition that is new. Undefined: nothing is waited for any more. */
  watch(run: LiveRun, ready: Condition | undefined, signal: AbortSignal): void {
    const before = this.#watches.get(run);
    if (JSON.stringify(before?.ready) === JSON.stringify(ready)) return;
    before?.over.abort();
    const over = new AbortController();
    this.#watches.set(run, { ready, over });
    if (ready) this.#watch(run, ready, AbortSignal.any([run.over, over.signal, signal]));
  }

  #watch(run: LiveRun, ready: Condition, until: AbortSignal): void {
    const { clock, log, onReady, onLate } = this.#options;
    const cancel =
      ready.timeout_ms === undefined ? () => {} : clock.timer(ready.timeout_ms, () => !until.aborted && onLate(run));
    until.addEventListener("abort", cancel, { once: true });
    void holds(run, ready, until, this.#options).then(
      (isReady) => {
        cancel();
        if (isReady && !until.aborted) onReady(run);
      },
      // Whether it is ready is not known: its time goes on.
      (error) => log.error("readiness_unknown", { run: run.id, error: messageOf(error) }),
    );
  }
}
