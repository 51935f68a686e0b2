/**
 * CLOCK_REALTIME in nanoseconds, which another process's reading (`date +%s%N`) can be compared with. Node tells it in whole milliseconds only, so the
 * monotonic clock is laid beside it at the edge of a millisecond, anew for each measurement: the two drift apart.
 */
export interface WallClock {
  nowNs(): bigint;
}

/** Spins for at most a millisecond to see the edge. */
export function wallClock(): WallClock {
  const beforeMs = Date.now();
  let edgeMs = beforeMs;
  let monotonicNs = process.hrtime.bigint();
  while (edgeMs === beforeMs) {
    monotonicNs = process.hrtime.bigint();
    edgeMs = Date.now();
  }
  const offsetNs = BigInt(edgeMs) * 1_000_000n - monotonicNs;
  return { nowNs: () => process.hrtime.bigint() + offsetNs };
}
