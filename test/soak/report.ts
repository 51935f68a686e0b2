import type { Judged } from "./judging.ts";
import { isBad } from "./judging.ts";
import type { Fault } from "./ledger.ts";

/** What a run says: a line each minute, and one table at its end. */
export interface Outcome {
  seed: number;
  minutes: number;
  counts: readonly { what: string; count: number }[];
  allowed: ReadonlyMap<string, number>;
  growth: readonly Judged[];
  faults: readonly Fault[];
}

/** Of a fault's words; the rest is a stack. */
const WORDS_MAX = 1_500;

export const hasPassed = ({ faults, growth }: Outcome): boolean => faults.length === 0 && !growth.some(isBad);

export function reportOf(outcome: Outcome): string {
  const { seed, minutes, counts, allowed, growth, faults } = outcome;
  const rows = [
    ["", "first", "last", "peak", "", ""],
    ...growth.map(({ what, unit, from, to, peak, verdict, why }) => [
      what,
      ...[from, to, peak].map((value) => `${unit === "" ? Math.round(value) : value.toFixed(1)}${unit && ` ${unit}`}`),
      verdict,
      why,
    ]),
  ];
  const bad = growth.filter(isBad).length;
  const end = hasPassed(outcome)
    ? `passed: nothing lost, nothing doubled, nothing grows (${minutes} min, WARREN_SEED=${seed})`
    : `FAILED: ${faults.length} faults, ${bad} that grow or are above their limit (${minutes} min); again with WARREN_SEED=${seed}`;
  return [
    "",
    table(counts.map(({ what, count }) => [what, String(count)])),
    ...[...allowed].map(([sentence, count]) => `${count} × as the contract allows: ${sentence}`),
    "",
    table(rows),
    "",
    ...faults.map(({ part, what, atMs }) => `${part}, ${clock(atMs)}: ${what.slice(0, WORDS_MAX)}\n`),
    end,
  ].join("\n");
}

/** `03:20` of a run. */
export function clock(atMs: number): string {
  const seconds = Math.floor(atMs / 1_000);
  return [Math.floor(seconds / 60), seconds % 60].map((part) => String(part).padStart(2, "0")).join(":");
}

/** The first column and the last to the left, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const isText = (at: number): boolean => at === 0 || at > 3;
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (isText(at) ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join("  ");
  return rows.map((row) => line(row).trimEnd()).join("\n");
}
