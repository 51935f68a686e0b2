import { ansiWidth } from "../text/ansi.ts";
import { innerColumns, innerRows, layoutOf } from "./layout.ts";
import type { LogLine, LogPane, LogPanelId, Model } from "./model.ts";

/** Rows of a log on the screen: which are visible, and where scrolling by rows leads. A wrapped line takes several. */

export interface ViewSize {
  columns: number;
  rows: number;
}

/** One row on the screen: a line, or a part of it when it is wrapped. */
export interface LogRow {
  line: LogLine;
  row: number;
}

export function visibleRows(pane: LogPane, size: ViewSize): LogRow[] {
  const rows: LogRow[] = [];
  let { line, row } = topOf(pane, size);
  while (rows.length < size.rows && line < pane.lines.length) {
    const current = pane.lines[line]!;
    const count = rowCount(current, pane, size);
    while (row < count && rows.length < size.rows) {
      rows.push({ line: current, row });
      row += 1;
    }
    line += 1;
    row = 0;
  }
  return rows;
}

export function viewSize(model: Model, panel: LogPanelId): ViewSize {
  const rect = layoutOf(model)?.panels[panel];
  return { columns: Math.max(1, innerColumns(rect)), rows: innerRows(rect) };
}

/** Puts the line that holds `byte` a third below the top. */
export function showByte(pane: LogPane, byte: number, size: ViewSize): LogPane {
  const line = Math.max(
    0,
    pane.lines.findIndex((candidate) => candidate.endByte > byte),
  );
  const top = walk(pane, { line, row: 0 }, -Math.floor(size.rows / 3), size);
  return clamped({ ...pane, follow: false, top }, size);
}

export function topOf(pane: LogPane, size: ViewSize): LogPane["top"] {
  return pane.follow ? bottomTop(pane, size) : pane.top;
}

/** The last row stands at the bottom at the lowest. */
export function clamped(pane: LogPane, size: ViewSize): LogPane {
  if (pane.follow) return pane;
  const bottom = bottomTop(pane, size);
  const { line, row } = pane.top;
  const isBelow = line > bottom.line || (line === bottom.line && row > bottom.row);
  const top = isBelow ? bottom : line < 0 ? { line: 0, row: 0 } : pane.top;
  return top === pane.top ? pane : { ...pane, top };
}

export const isAtBottom = (pane: LogPane, size: ViewSize): boolean => {
  const bottom = bottomTop(pane, size);
  return pane.top.line === bottom.line && pane.top.row === bottom.row;
};

/** The top at which the last row stands at the bottom. */
function bottomTop(pane: LogPane, size: ViewSize): LogPane["top"] {
  let rows = size.rows;
  for (let line = pane.lines.length - 1; line >= 0; line--) {
    const count = rowCount(pane.lines[line]!, pane, size);
    if (count >= rows) return { line, row: count - rows };
    rows -= count;
  }
  return { line: 0, row: 0 };
}

/** `rows` up (negative) or down from a row, within the window. */
export function walk(pane: LogPane, from: LogPane["top"], rows: number, size: ViewSize): LogPane["top"] {
  if (!pane.wrap) {
    return { line: Math.max(0, Math.min(from.line + rows, Math.max(0, pane.lines.length - 1))), row: 0 };
  }
  let { line, row } = from;
  for (let left = Math.abs(rows); left > 0; left--) {
    if (rows < 0) {
      if (row > 0) row -= 1;
      else if (line > 0) {
        line -= 1;
        row = rowCount(pane.lines[line]!, pane, size) - 1;
      }
    } else if (row + 1 < (pane.lines[line] ? rowCount(pane.lines[line]!, pane, size) : 1)) row += 1;
    else if (line + 1 < pane.lines.length) {
      line += 1;
      row = 0;
    }
  }
  return { line, row };
}

function rowCount(line: LogLine, pane: LogPane, size: ViewSize): number {
  if (!pane.wrap) return 1;
  return Math.max(1, Math.ceil(ansiWidth(line.text) / size.columns));
}
