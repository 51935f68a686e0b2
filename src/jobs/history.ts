import { type Outcome, succeeded } from "../protocol/outcome.ts";

/**
 * What a job's ended runs tell about the next one. Pure; the fields are gob's, so that its readers find what they know.
 *
 * A run counts as a success (exit status 0) or a failure (another status). A run that a signal ended, or that is lost, says nothing about how
 * long the command takes or whether it works: it counts in `runCount` alone.
 */
export interface RunStats {
  /** Ended runs, the killed and the lost included. */
  readonly runCount: number;
  readonly successCount: number;
  readonly failureCount: number;
  readonly successTotalMs: number;
  readonly failureTotalMs: number;
  /** Of successes and failures; 0 before the first. */
  readonly minMs: number;
  readonly maxMs: number;
  /** Durations of the last RECENT_SUCCESSES_MAX successes, oldest first. */
  readonly recentSuccessesMs: readonly number[];
}

/** Successes from which percentiles are taken; the oldest is dropped. */
export const RECENT_SUCCESSES_MAX = 100;
/** Fewer successes than this predict nothing. */
const SUCCESSES_TO_PREDICT = 3;
/** A run of a job without enough history is stuck after this much time (and silence). */
const STUCK_WITHOUT_HISTORY_MS = 5 * 60_000;
/** With history: the average success and this much more. */
const STUCK_MARGIN_MS = 60_000;
const STUCK_SILENCE_MS = 60_000;

export const NO_RUNS: RunStats = {
  runCount: 0,
  successCount: 0,
  failureCount: 0,
  successTotalMs: 0,
  failureTotalMs: 0,
  minMs: 0,
  maxMs: 0,
  recentSuccessesMs: [],
};

/** The statistics with one more ended run. */
export function addOutcome(stats: RunStats, outcome: Outcome, durationMs: number): RunStats {
  const counted = { ...stats, runCount: stats.runCount + 1 };
  if (outcome.kind !== "exited") return counted;
  const first = stats.successCount + stats.failureCount === 0;
  const bounded = {
    ...counted,
    minMs: first ? durationMs : Math.min(stats.minMs, durationMs),
    maxMs: first ? durationMs : Math.max(stats.maxMs, durationMs),
  };
  if (!succeeded(outcome)) {
    return { ...bounded, failureCount: stats.failureCount + 1, failureTotalMs: stats.failureTotalMs + durationMs };
  }
  return {
    ...bounded,
    successCount: stats.successCount + 1,
    successTotalMs: stats.successTotalMs + durationMs,
    recentSuccessesMs: [...stats.recentSuccessesMs, durationMs].slice(-RECENT_SUCCESSES_MAX),
  };
}

/** Average duration of the successes, in whole milliseconds; 0 without one. */
export const avgSuccessMs = (stats: RunStats): number => average(stats.successTotalMs, stats.successCount);

export const avgFailureMs = (stats: RunStats): number => average(stats.failureTotalMs, stats.failureCount);

/** 0–100: successes among the runs that succeeded or failed; 0 without one. */
export function successRate(stats: RunStats): number {
  const judged = stats.successCount + stats.failureCount;
  return judged === 0 ? 0 : (stats.successCount / judged) * 100;
}

export interface Expected {
  /** How long a success takes; undefined without one. */
  successMs: number | undefined;
  /** After how long a failure shows; undefined without one. */
  failureMs: number | undefined;
  /** Of the recent successes; undefined with fewer than SUCCESSES_TO_PREDICT. */
  p50Ms: number | undefined;
  p90Ms: number | undefined;
}

export function expected(stats: RunStats): Expected {
  return {
    successMs: stats.successCount > 0 ? avgSuccessMs(stats) : undefined,
    failureMs: stats.failureCount > 0 ? avgFailureMs(stats) : undefined,
    p50Ms: percentile(stats, 50),
    p90Ms: percentile(stats, 90),
  };
}

/** 0–100 in whole steps, of `expected(stats).p50Ms`; undefined when that is not known. A run that takes longer stays at 100. */
export function progressPercent(elapsedMs: number, p50Ms: number | undefined): number | undefined {
  if (p50Ms === undefined || p50Ms <= 0) return undefined;
  return Math.min(100, Math.max(0, Math.floor((elapsedMs / p50Ms) * 100)));
}

export interface Silence {
  elapsedMs: number;
  /** Since its last output, or since its start when there is none. */
  silentMs: number;
  stats: RunStats;
}

/** Running for much longer than it should, and silent: it probably waits for something that will not come. */
export function isStuck({ elapsedMs, silentMs, stats }: Silence): boolean {
  return elapsedMs > stuckAfterMs(stats) && silentMs > STUCK_SILENCE_MS;
}

/** Five minutes with fewer than three successes, else their average and a minute. */
export function stuckAfterMs(stats: RunStats): number {
  return stats.successCount < SUCCESSES_TO_PREDICT ? STUCK_WITHOUT_HISTORY_MS : avgSuccessMs(stats) + STUCK_MARGIN_MS;
}

/** Nearest rank: the smallest duration that at least `percent` of the recent successes did not exceed. */
function percentile(stats: RunStats, percent: number): number | undefined {
  if (stats.successCount < SUCCESSES_TO_PREDICT) return undefined;
  const sorted = stats.recentSuccessesMs.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

function average(total: number, count: number): number {
  return count === 0 ? 0 : Math.round(total / count);
}
