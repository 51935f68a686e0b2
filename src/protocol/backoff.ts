/** Growing, jittered, capped, reset by success: the one retry delay in the house. */
export class Backoff {
  #attempt = 0;
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;

  constructor({ firstMs, maxMs, random = Math.random }: { firstMs: number; maxMs: number; random?: () => number }) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  get attempt(): number {
    return this.#attempt;
  }

  /** The next delay: doubled each time, at most `maxMs`, then shortened by up to a quarter so that a herd spreads. */
  nextMs(): number {
    const whole = Math.min(this.#maxMs, this.#firstMs * 2 ** Math.min(this.#attempt, 30));
    this.#attempt += 1;
    return Math.round(whole * (1 - this.#random() / 4));
  }

  reset(): void {
    this.#attempt = 0;
  }
}
