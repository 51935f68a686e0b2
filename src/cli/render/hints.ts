import type { Output } from "../output.ts";

/** Commands to paste next, dim, at most three, with what they do behind them in one column; none where nobody types, in a pipe. */
export function hintLines(output: Output, hints: readonly (readonly [command: string, does: string])[]): string[] {
  if (!output.isTerminal) return [];
  const shown = hints.slice(0, 3);
  const width = Math.max(0, ...shown.map(([command]) => command.length));
  return shown.map(([command, does]) => output.style.dim(`  ${command.padEnd(width)}   # ${does}`));
}
