/** Time as a parameter: wall time is for people, monotonic time is for durations and deadlines, so that a clock that jumps shortens nothing. */
export interface Clock {
  /** Milliseconds since 1970. */
  wallMs(): number;
  /** Milliseconds since some fixed moment; never goes back. */
  monotonicMs(): number;
  /** Calls `task` once after `delayMs`; the answer cancels it. Does not keep the process alive. */
  timer(delayMs: number, task: () => void): () => void;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  timer(delayMs, task) {
    let handle: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, TIMER_MS_MAX);
      handle = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : task()), stepMs);
      handle.unref();
    };
    arm(delayMs);
    return () => clearTimeout(handle);
  },
};

/** Almost 25 days: setTimeout takes what is longer for 1 ms. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

export const timestamp = (wallMs: number): string => new Date(wallMs).toISOString();
