/** A server that nobody needs goes by itself: it looks now and then, rather than at each thing that ends. */
const LOOK_MS = 5_000;

export interface IdlenessOptions {
  /** Somebody is connected, or something runs. */
  isNeeded: () => boolean;
  /** Milliseconds without need after which it goes; 0: never. */
  limitMs: () => number;
  onUnneeded: () => void;
  signal: AbortSignal;
}

export class Idleness {
  readonly #options: IdlenessOptions;
  #lastNeedMs = performance.now();

  constructor(options: IdlenessOptions) {
    this.#options = options;
  }

  start(): void {
    this.touch(); // it may have waited for long before it could serve, and whoever started it comes now
    const timer = setInterval(() => this.#look(), LOOK_MS);
    timer.unref();
    this.#options.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  }

  /** It was needed just now. */
  touch(): void {
    this.#lastNeedMs = performance.now();
  }

  #look(): void {
    const { isNeeded, limitMs, onUnneeded } = this.#options;
    if (isNeeded()) return this.touch();
    const limit = limitMs();
    if (limit > 0 && performance.now() - this.#lastNeedMs >= limit) onUnneeded();
  }
}
