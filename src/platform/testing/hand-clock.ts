import type { Clock } from "../clock.ts";

interface Timer {
  atMs: number;
  delayMs: number;
  task: () => void;
}

/** Time that passes when a test says so. */
export class HandClock implements Clock {
  #wallMs: number;
  #monotonicMs = 1_000;
  readonly #timers = new Set<Timer>();

  /** @param wallMs where wall time begins; a test whose files carry real times gives `Date.now()` */
  constructor({ wallMs = Date.UTC(2026, 10, 1) }: { wallMs?: number } = {}) {
    this.#wallMs = wallMs;
  }

  wallMs = (): number => this.#wallMs;

  monotonicMs = (): number => this.#monotonicMs;

  timer(delayMs: number, task: () => void): () => void {
    const timer = { atMs: this.#monotonicMs + delayMs, delayMs, task };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** The delays of the timers that wait, the shortest first. */
  get delays(): number[] {
    return [...this.#timers].map(({ delayMs }) => delayMs).sort((a, b) => a - b);
  }

  /** Each task is called at its own moment, and what it sets falls due on the way as well. */
  pass(ms: number): void {
    const endMs = this.#monotonicMs + ms;
    for (let next = this.#due(endMs)[0]; next; next = this.#due(endMs)[0]) this.#ring(next);
    this.#goTo(endMs);
  }

  /** The same, and what a task leaves to promises is done before the next one is called. */
  async passSlowly(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    for (let next = this.#due(endMs)[0]; next; next = this.#due(endMs)[0]) {
      this.#ring(next);
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#goTo(endMs);
  }

  /** As over a machine's sleep: all of it passes at once, and what has fallen due is called then. */
  leap(ms: number): void {
    this.#goTo(this.#monotonicMs + ms);
    for (const timer of this.#due(this.#monotonicMs)) if (this.#timers.delete(timer)) timer.task();
  }

  /** Somebody sets the clock; monotonic time does not notice. */
  jumpWall(ms: number): void {
    this.#wallMs += ms;
  }

  #due(byMs: number): Timer[] {
    return [...this.#timers].filter(({ atMs }) => atMs <= byMs).sort((a, b) => a.atMs - b.atMs);
  }

  #ring(timer: Timer): void {
    this.#timers.delete(timer);
    this.#goTo(Math.max(this.#monotonicMs, timer.atMs));
    timer.task();
  }

  #goTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}
