/**
 * Interleaved series: A B C, A B C, … so that what the machine does meanwhile falls on all candidates alike. Times are milliseconds.
 *
 * A series has at least `roundCountMin` rounds, and goes on until each candidate's median has settled (the medians of the first and the second half
 * differ by less than SETTLED), but never past `roundCountMax`.
 */
export interface Candidate {
  name: string;
  /** One measurement; `round` counts from 0, warm-up rounds are negative. */
  sample: (round: number) => Promise<number>;
}

export interface SeriesOptions {
  roundCountMin: number;
  roundCountMax: number;
  /** Rounds before the first that counts; default 1. */
  warmUpCount?: number;
}

const SETTLED = 0.04;

export async function runSeries(
  candidates: readonly Candidate[],
  { roundCountMin, roundCountMax, warmUpCount = 1 }: SeriesOptions,
): Promise<Map<string, number[]>> {
  const samples = new Map<string, number[]>(candidates.map(({ name }) => [name, []]));
  for (let round = -warmUpCount; round < roundCountMax; round++) {
    for (const { name, sample } of candidates) {
      const value = await sample(round);
      if (round >= 0) samples.get(name)!.push(value);
    }
    if (round + 1 >= roundCountMin && [...samples.values()].every(hasSettled)) break;
  }
  return samples;
}

/** Nearest rank: the smallest value that at least `percent` of the values do not exceed. @param percent 0–100 */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)]!;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

export interface Point {
  x: number;
  y: number;
}

/** Least squares: how much y grows with each x; 0 for fewer than two points. */
export function slope(points: readonly Point[]): number {
  if (points.length < 2) return 0;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / points.length;
  const covariance = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const variance = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return variance === 0 ? 0 : covariance / variance;
}

function hasSettled(values: readonly number[]): boolean {
  const half = Math.floor(values.length / 2);
  const before = median(values.slice(0, half));
  return Math.abs(median(values.slice(half)) - before) <= SETTLED * before;
}
