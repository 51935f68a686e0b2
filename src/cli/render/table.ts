import type { Output } from "../output.ts";
import { padEnd, widthOf } from "./text-width.ts";

/** `Label  text` a line, the labels in one column. */
export function facts({ style }: Output, rows: readonly [string, string][]): string[] {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, text]) => `${style.dim(label.padEnd(width))}  ${text}`);
}

/** Columns as wide as their widest cell, under their titles. */
export function table({ style }: Output, head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, at) => Math.max(widthOf(title), ...rows.map((row) => widthOf(row[at] ?? ""))));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => padEnd(cell, widths[at]!))
      .join("  ")
      .trimEnd();
  return [style.dim(line(head)), ...rows.map(line)];
}
