import type { ContactLimits } from "./limits.ts";
import type { HubWire, RemoteClock } from "./network.ts";

/**
 * How much one hub is read: so many frames and bytes a second, and so many bytes that wait to be looked at. A hub that sends more is not read until it
 * is its turn again, so that it costs itself alone. A wire that cannot wait brings all that was missed at once: there ten times as much is let through,
 * and who sends more is hung up on.
 */
export class HubQuota {
  readonly #clock: RemoteClock;
  readonly #limits: ContactLimits;
  readonly #onFlood: () => void;
  #wire: HubWire | undefined;
  #sinceMs: number;
  #frameCount = 0;
  #byteCount = 0;
  #waitingBytes = 0;
  #isPaused = false;
  #cancelTurn: (() => void) | undefined;

  constructor({ clock, limits, onFlood }: { clock: RemoteClock; limits: ContactLimits; onFlood: () => void }) {
    this.#clock = clock;
    this.#limits = limits;
    this.#onFlood = onFlood;
    this.#sinceMs = clock.monotonicMs();
  }

  on(wire: HubWire): void {
    this.#wire = wire;
    this.#isPaused = false;
    if (this.#isOver) this.#hold();
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
    const share = this.#wire && !this.#wire.pause ? WITHOUT_PAUSE : 1;
    return (
      this.#frameCount > share * framesPerSecond ||
      this.#byteCount > share * bytesPerSecond ||
      this.#waitingBytes > share * unreadBytes
    );
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
const WITHOUT_PAUSE = 10;
