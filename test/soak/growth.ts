/**
 * Whether something grows without end, from looks at it at even distances.
 *
 * The first half of a run is for warming up: caches fill, heaps find their size, rings become full. The second half is cut into three windows, and the level of a
 * window is its lower median, which a few looks at a bad moment (two generations of a server beside each other) do not move. **It grows when the level rises from
 * the first window to the second, and again from the second to the third, each time by more than its allowance.** So one step is no growth, nor is a saw's tooth
 * that is shorter than a window; a leak is, as soon as a third of the half lets through more than the allowance. What leaks once in many minutes, and what is
 * given back by a restart within a window, is not seen.
 */
export interface Allowance {
  /** How much a level may rise between two windows, in the series' own unit. */
  absolute: number;
  /** The same as a share of the level before; the larger of the two counts. */
  share: number;
}

export interface Growth {
  kind: "steady" | "grows" | "too few";
  /** Of the three windows; empty when there are too few looks. */
  levels: number[];
  peak: number;
}

/** Looks in one window; with fewer a median says nothing. */
export const WINDOW_LOOKS_MIN = 5;
const WINDOWS = 3;

export function growthOf(looks: readonly number[], allowance: Allowance): Growth {
  const half = looks.slice(Math.floor(looks.length / 2));
  const size = Math.floor(half.length / WINDOWS);
  const peak = Math.max(0, ...looks);
  if (size < WINDOW_LOOKS_MIN) return { kind: "too few", levels: [], peak };
  const first = half.length - size * WINDOWS; // the remainder belongs to the warming up
  const levels = Array.from({ length: WINDOWS }, (_, at) =>
    lowerMedian(half.slice(first + at * size, first + (at + 1) * size)),
  );
  const [one, two, three] = levels as [number, number, number];
  const rises = (from: number, to: number): boolean => to - from > Math.max(allowance.absolute, from * allowance.share);
  return { kind: rises(one, two) && rises(two, three) ? "grows" : "steady", levels, peak };
}

/** One of the values, never between two of them: a step in the middle of a window is on one side of it. */
const lowerMedian = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
