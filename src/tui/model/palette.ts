import { COMMANDS, type Command, isEnabled } from "./commands.ts";
import type { Model } from "./model.ts";

/** The commands that can be run now and match what was typed, the best first. */
export function paletteMatches(model: Model, query: string): Command[] {
  const candidates = COMMANDS.filter((command) => command.id !== "palette" && isEnabled(model, command));
  if (query.trim() === "") return candidates;
  return candidates
    .map((command, index) => ({ command, index, score: score(command.title, query) }))
    .filter((candidate) => candidate.score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map((candidate) => candidate.command);
}

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
