/**
 * Randomness that can be had again: a failure prints the seed, and `WARREN_SEED=<seed>` gives the same choices. What the scheduler does with them is
 * its own affair, so a seed makes a failure likely, not certain.
 */
export interface Random {
  readonly seed: number;
  /** In [0, 1). */
  next(): number;
  /** An integer in [from, to]. */
  between(from: number, to: number): number;
  /** True in one of `n`. */
  oneIn(n: number): boolean;
  pick<T>(from: readonly T[]): T;
}

export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  // mulberry32: 32 bits of state are plenty for choices in a test.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return { seed, next, between, oneIn: (n) => between(1, n) === 1, pick: (from) => from[between(0, from.length - 1)]! };
}

/** Runs `work` with the seed of WARREN_SEED, or a new one; a failure names it. */
export async function withSeed<T>(work: (random: Random) => Promise<T>, env = process.env): Promise<T> {
  const seed = env.WARREN_SEED ? Number(env.WARREN_SEED) : Math.floor(Math.random() * 2 ** 31);
  try {
    return await work(randomOf(seed));
  } catch (error) {
    console.error(`WARREN_SEED=${seed} makes these choices again`);
    throw error;
  }
}
