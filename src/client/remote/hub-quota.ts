import type { DeviceLimits } from "./limits.ts";
import type { HubWire, RemoteClock } from "./world.ts";

/**
 * How much one hub is read: so many frames and bytes a second, and so many bytes that wait to be looked at. A hub that sends more is not read until it
 * is its turn again, so that it costs itself alone; where the wire cannot wait it is hung up on.
 */
export class HubQuota {
  readonly #clock: RemoteClock;
  readonly #limits: DeviceLimits;
  readonly #onFlood: () => void;
  #wire: HubWire | undefined;
  #sinceMs: number;
  #frameCount = 0;
  #byteCount = 0;
  #waitingBytes = 0;
  #isPaused = false;
  #cancelTurn: (() => void) | undefined;

  constructor({ clock, limits, onFlood }: { clock: RemoteClock; limits: DeviceLimits; onFlood: () => void }) {
    this.#clock = clock;
    this.#limits = limits;
    this.#onFlood = onFlood;
    this.#sinceMs = clock.monotonicMs();
  }

  on(wire: HubWire): void {
    this.#wire = wire;
    if (this.#isPaused) this.#hold();
  }

  came(bytes: number): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#sinceMs >= SECOND_MS) this.#turn(nowMs);
    this.#frameCount += 1;
    this.#byteCount += bytes;
    this.#waitingBytes += bytes;
    if (this.#isOver && !this.#isPaused) this.#hold();
  }

  /** So many bytes were looked at. */
  done(bytes: number): void {
    this.#waitingBytes -= bytes;
    this.#goOn();
  }

  close(): void {
    this.#cancelTurn?.();
    this.#wire = undefined;
  }

  get #isOver(): boolean {
    const { framesPerSecond, bytesPerSecond, unreadBytes } = this.#limits;
    return this.#frameCount > framesPerSecond || this.#byteCount > bytesPerSecond || this.#waitingBytes > unreadBytes;
  }

  #hold(): void {
    this.#isPaused = true;
    if (!this.#wire) return; // before the dial's end: when it is there
    if (!this.#wire.pause) return this.#onFlood();
    this.#wire.pause();
    const leftMs = Math.max(1, SECOND_MS - (this.#clock.monotonicMs() - this.#sinceMs));
    this.#cancelTurn?.();
    this.#cancelTurn = this.#clock.timer(leftMs, () => {
      this.#turn(this.#clock.monotonicMs());
      this.#goOn();
    });
  }

  #goOn(): void {
    if (!this.#isPaused || this.#isOver) return;
    this.#isPaused = false;
    this.#wire?.resume?.();
  }

  #turn(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#frameCount = 0;
    this.#byteCount = 0;
  }
}

const SECOND_MS = 1_000;
