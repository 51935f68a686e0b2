import type { ContactLimits } from "./limits.ts";
import type { RemoteClock } from "./network.ts";

/** Whether another end still lives: after `silenceMs` without a word it is pinged, and after `pongMs` more it is silent. */
export class SilenceWatch {
  readonly #options: SilenceOptions;
  #heardMs: number;
  #isPinged = false;
  #cancel: () => void = () => {};

  /** Begins at once. */
  constructor(options: SilenceOptions) {
    this.#options = options;
    this.#heardMs = options.clock.monotonicMs();
    this.#look();
  }

  /** Anything came. */
  heard(): void {
    this.#heardMs = this.#options.clock.monotonicMs();
    this.#isPinged = false;
  }

  close(): void {
    this.#cancel();
  }

  #look(): void {
    const { clock, limits, ping, onSilent } = this.#options;
    const silentMs = clock.monotonicMs() - this.#heardMs;
    const lostMs = limits.silenceMs + limits.pongMs;
    if (this.#isPinged && silentMs >= lostMs) return onSilent();
    if (!this.#isPinged && silentMs >= limits.silenceMs) {
      this.#isPinged = true;
      ping();
    }
    const limitMs = this.#isPinged ? lostMs : limits.silenceMs;
    this.#cancel = clock.timer(Math.max(1, limitMs - silentMs), () => this.#look());
  }
}

export interface SilenceOptions {
  clock: RemoteClock;
  limits: Pick<ContactLimits, "silenceMs" | "pongMs">;
  ping(): void;
  /** Once; then it is over. */
  onSilent(): void;
}
