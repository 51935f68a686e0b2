import type { Rect } from "../model/layout.ts";
import { ansiWidth, sliceColumns } from "../text/ansi.ts";
import { bold, paint, type Theme } from "./theme.ts";

/** A panel's border with its title in the upper edge, and its lines cut and filled to the width. */

const ROUND = { corners: ["╭", "╮", "╰", "╯"], across: "─", down: "│" } as const;
const PLAIN = { corners: ["+", "+", "+", "+"], across: "-", down: "|" } as const;

export interface FrameOptions {
  rect: Pick<Rect, "width" | "height">;
  /** The key that goes to it. */
  key?: string;
  title: string;
  /** In the upper edge at the right, when there is room. */
  note?: string;
  lines: readonly string[];
  focused?: boolean;
}

/** Exactly `rect.height` lines of `rect.width` columns. */
export function frame(theme: Theme, { rect, key, title, note = "", lines, focused = false }: FrameOptions): string[] {
  const edge = theme.glyphs ? ROUND : PLAIN;
  const line = (text: string): string => paint(theme, focused ? "accent" : "quiet", text);
  const inner = rect.width - 2;
  const prefix = key === undefined ? "" : `[${key}]`;
  const shownTitle = sliceColumns(title, 0, inner - prefix.length - 3);
  const used = 1 + prefix.length + (prefix ? 1 : 0) + ansiWidth(shownTitle);
  const noteWidth = ansiWidth(note);
  const hasNote = note !== "" && used + noteWidth + 3 <= inner;
  const filler = edge.across.repeat(Math.max(0, inner - used - (hasNote ? noteWidth + 1 : 0)));
  const top =
    line(`${edge.corners[0]}${edge.across}${prefix}${prefix ? edge.across : ""}`) +
    (focused ? bold(shownTitle) : shownTitle) +
    line(filler) +
    (hasNote ? note + line(edge.across) : "") +
    line(edge.corners[1]);
  const side = line(edge.down);
  const rows = Array.from({ length: rect.height - 2 }, (_, at) => side + fit(lines[at] ?? "", inner) + side);
  return [top, ...rows, line(edge.corners[2] + edge.across.repeat(inner) + edge.corners[3])];
}

/** Cut or filled to exactly `columns`. */
export function fit(text: string, columns: number): string {
  const width = ansiWidth(text);
  if (width === columns) return text;
  return width > columns ? filled(sliceColumns(text, 0, columns), columns) : text + " ".repeat(columns - width);
}

const filled = (text: string, columns: number): string => text + " ".repeat(Math.max(0, columns - ansiWidth(text)));
