import { COMMANDS, type Command, isEnabled } from "./commands.ts";
import type { Model } from "./model.ts";
import { score } from "./score.ts";

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
