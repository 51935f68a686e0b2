import type { Clock } from "../platform/clock.ts";

/** A clock is corrected by less. */
const JUMP_MS = 5_000;

/**
 * Since when the machine has been awake, as far as it was seen: while it sleeps wall time passes and monotonic time does not (clock_gettime(2)). A clock that
 * somebody sets ahead looks the same.
 */
export class Awake {
  readonly #clock: Clock;
  /** Wall time less monotonic time. */
  #aheadMs: number;
  #sinceMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#aheadMs = clock.wallMs() - clock.monotonicMs();
  }

  /** Milliseconds since 1970; a sleep is noticed at the first call after it. */
  sinceMs(): number {
    const nowMs = this.#clock.wallMs();
    const aheadMs = nowMs - this.#clock.monotonicMs();
    if (aheadMs - this.#aheadMs > JUMP_MS) this.#sinceMs = nowMs;
    this.#aheadMs = aheadMs;
    this.#sinceMs = Math.min(this.#sinceMs, nowMs);
    return this.#sinceMs;
  }
}
