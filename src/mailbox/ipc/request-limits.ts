import type { Clock } from "../../platform/clock.ts";

/** claude-ipc's own limits, which only `--compat strict` keeps: they are far below what agents do. */
export const STRICT = {
  requestsPerMinute: 100,
  /** Of one recipient. */
  unreadMax: 100,
  renameIntervalMs: 60 * 60 * 1000,
} as const;

const WINDOW_MS = 60 * 1000;

/** A sliding window per key. Keys whose window is empty are forgotten. */
export class RequestLimits {
  readonly #clock: Clock;
  readonly #times = new Map<string, number[]>();
  readonly #renamedAt = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** False, and not counted, when `key` has had its requests of the last minute. */
  admits(key: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#forget(nowMs);
    const times = (this.#times.get(key) ?? []).filter((each) => each > nowMs - WINDOW_MS);
    if (times.length >= STRICT.requestsPerMinute) return false;
    times.push(nowMs);
    this.#times.set(key, times);
    return true;
  }

  /** How many minutes, rounded up, until `name` may be renamed; 0: now. */
  minutesUntilRename(name: string): number {
    const renamedAt = this.#renamedAt.get(name);
    if (renamedAt === undefined) return 0;
    const leftMs = renamedAt + STRICT.renameIntervalMs - this.#clock.monotonicMs();
    if (leftMs <= 0) this.#renamedAt.delete(name);
    return Math.max(0, Math.ceil(leftMs / 60_000));
  }

  /** Its next rename is counted under the new name. */
  renamed(from: string, to: string): void {
    this.#renamedAt.delete(from);
    this.#renamedAt.set(to, this.#clock.monotonicMs());
  }

  #forget(nowMs: number): void {
    for (const [key, times] of this.#times) if ((times.at(-1) ?? 0) <= nowMs - WINDOW_MS) this.#times.delete(key);
  }
}
