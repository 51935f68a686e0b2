import { type Output, typed } from "../output.ts";

type Hint = readonly [command: string, does: string];

/** Commands to paste next, dim, at most three, with what they do behind them in one column; none where nobody types, in a pipe. */
export const hintLines = (output: Output, hints: readonly Hint[]): string[] =>
  output.isTerminal ? nextLines(output, hints) : [];

/** The same where they belong to the answer itself, as in gob's `add` and `run`: an agent reads them through a pipe. */
export function nextLines(output: Output, hints: readonly Hint[]): string[] {
  const shown = hints.slice(0, 3).map(([command, does]): Hint => [typed(output, command), does]);
  const width = Math.max(0, ...shown.map(([command]) => command.length));
  return shown.map(([command, does]) => output.style.dim(`  ${command.padEnd(width)}   # ${does}`));
}
