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
    const handle = setTimeout(task, delayMs);
    handle.unref();
    return () => clearTimeout(handle);
  },
};

export const timestamp = (wallMs: number): string => new Date(wallMs).toISOString();
