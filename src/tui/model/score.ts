/**
 * 0 when the letters of `query` do not stand in `text` in their order. Otherwise more for letters that follow each other and for those that begin a
 * word, so "rs" finds "restart" and "sto" finds "stop" before "go to stdout".
 */
export function score(text: string, query: string): number {
  const letters = query.toLowerCase().replaceAll(" ", "");
  const lower = text.toLowerCase();
  let best = 0;
  for (let start = lower.indexOf(letters[0] ?? ""); start !== -1; start = lower.indexOf(letters[0]!, start + 1)) {
    best = Math.max(best, scoreFrom(lower, letters, start));
  }
  return best;
}

function scoreFrom(lower: string, letters: string, start: number): number {
  let total = start === 0 ? 4 : 0;
  let at = start - 1;
  for (const letter of letters) {
    const next = lower.indexOf(letter, at + 1);
    if (next === -1) return 0;
    const beginsWord = next === 0 || !/[a-z0-9]/.test(lower[next - 1]!);
    total += 1 + (beginsWord ? 3 : 0) + (next === at + 1 ? 2 : 0);
    at = next;
  }
  return total;
}
