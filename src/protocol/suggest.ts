/**
 * What was probably meant by a word that is not known: for keys of configuration files, commands and names. No imports; runs in browsers.
 */

/** Longer words are not compared: nobody mistypes them, and the cost grows with the square. */
const WORD_CHARACTERS_MAX = 64;

/** The candidate nearest to `word`, when it is near enough to have been meant (a third of its length, at least one edit); the first of equals. */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  if (wanted.length === 0 || wanted.length > WORD_CHARACTERS_MAX) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    if (candidate.length > WORD_CHARACTERS_MAX) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    // A word of one letter is one edit away from every other.
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let twoAbove: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      let cost = Math.min(replaced, above[column]! + 1, current[column - 1]! + 1);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, twoAbove[column - 2]! + 1);
      current.push(cost);
    }
    twoAbove = above;
    above = current;
  }
  return above[b.length]!;
}
