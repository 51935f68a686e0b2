import type { ContactLimits } from "./limits.ts";

type RetryLimits = Pick<ContactLimits, "retryFirstMs" | "retryMostMs" | "retryRefusedMs">;

/**
 * The one delay between two dials of a hub, with full jitter: any time up to a bound that doubles, so that a thousand members of a hub that was
 * restarted do not come back together. Reset by a welcome.
 */
export class RetryDelay {
  readonly #limits: RetryLimits;
  readonly #random: () => number;
  #failureCount = 0;

  /** @param random 0–1, 1 excluded */
  constructor(limits: RetryLimits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
  }

  /** @param isRefused no waiting mends it: somebody has to do something first */
  nextMs(isRefused: boolean): number {
    const { retryFirstMs, retryMostMs, retryRefusedMs } = this.#limits;
    const doubledMs = Math.min(retryMostMs, retryFirstMs * 2 ** Math.min(this.#failureCount, 30));
    const boundMs = isRefused ? retryRefusedMs : doubledMs;
    this.#failureCount += 1;
    return Math.round(boundMs * (1 - this.#random()));
  }

  reset(): void {
    this.#failureCount = 0;
  }
}
