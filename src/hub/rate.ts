import type { Clock } from "../platform/clock.ts";
import type { HubLimits } from "./limits.ts";

/**
 * How fast a member may send: frames and bytes a second, of which some seconds' worth may come at once. It refuses nothing: it says how long not to read,
 * and what was sent waits in the sender's own system meanwhile.
 */
export class Rate {
  readonly #clock: Clock;
  readonly #limits: HubLimits;
  #frames: number;
  #bytes: number;
  #lastMs: number;

  constructor(clock: Clock, limits: HubLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#frames = limits.framesPerSecond * limits.rateBurstSeconds;
    this.#bytes = limits.bytesPerSecond * limits.rateBurstSeconds;
    this.#lastMs = clock.monotonicMs();
  }

  /** Takes a frame of so many bytes. How many milliseconds nothing more should be read; 0: read on. */
  take(bytes: number): number {
    this.#refill();
    this.#frames -= 1;
    this.#bytes -= bytes;
    const { framesPerSecond, bytesPerSecond } = this.#limits;
    return 1_000 * Math.max(0, -this.#frames / framesPerSecond, -this.#bytes / bytesPerSecond);
  }

  #refill(): void {
    const { framesPerSecond, bytesPerSecond, rateBurstSeconds } = this.#limits;
    const nowMs = this.#clock.monotonicMs();
    const seconds = (nowMs - this.#lastMs) / 1_000;
    this.#lastMs = nowMs;
    this.#frames = Math.min(framesPerSecond * rateBurstSeconds, this.#frames + seconds * framesPerSecond);
    this.#bytes = Math.min(bytesPerSecond * rateBurstSeconds, this.#bytes + seconds * bytesPerSecond);
  }
}
