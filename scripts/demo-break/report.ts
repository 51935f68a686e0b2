import type { Count } from "./counts.ts";
import type { Visitor } from "./visitor.ts";

/** As text: what was done to the demo and when, then what of it was lost. */
export interface Done {
  what: string;
  pid: number;
  atMs: number;
  /** What the agents were doing. */
  fox: string;
  owl: string;
}

export function blowLines(done: readonly Done[]): string[] {
  const rows = done.map(({ what, pid, atMs, fox, owl }, at) => [
    String(at + 1),
    `${(atMs / 1_000).toFixed(2)} s`,
    what === "reload" ? "reload" : `kill -9 ${what}`,
    String(pid),
    fox,
    owl,
  ]);
  return table([["#", "at", "what", "pid", "fox", "owl"], ...rows], new Set([0, 1, 3]));
}

export function countLines(counts: readonly Count[]): string[] {
  const rows = counts.map(({ what, wanted, lost, doubled }) => [
    what,
    String(wanted),
    String(lost.length),
    String(doubled.length),
  ]);
  const details = counts.flatMap(({ lost, doubled }) => [
    ...lost.map((one) => `✗ lost: ${one}`),
    ...doubled.map((one) => `✗ doubled: ${one}`),
  ]);
  return [...table([["counted", "must be", "lost", "doubled"], ...rows], new Set([1, 2, 3])), ...details];
}

export function visitorLines({ answered, cut, failures }: Visitor): string[] {
  const cutText = cut > 0 ? `, ${cut} of them cut by the front's death and asked again` : "";
  const problems = [...Map.groupBy(failures, (one) => one)].map(([one, { length }]) => `✗ failed: ${one} (${length}×)`);
  return [`requests for the page: ${answered + failures.length}${cutText}; failed: ${failures.length}`, ...problems];
}

function table(rows: readonly string[][], rightAligned: ReadonlySet<number>): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (rightAligned.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join("   ")
      .trimEnd(),
  );
}
