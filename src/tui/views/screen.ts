import { COLUMNS_MIN, type Layout, layoutOf, type Rect, ROWS_MIN } from "../model/layout.ts";
import type { Model } from "../model/model.ts";
import type { Frame, Segment } from "../terminal/painter.ts";
import { sliceColumns } from "../text/ansi.ts";
import { fit } from "./frame.ts";
import { mailPanels } from "./mail-screen.ts";
import { type Box, overlayBox } from "./overlay-box.ts";
import { PANEL_IDS, panelLines } from "./panels.ts";
import { statusLine } from "./status-line.ts";
import type { Theme } from "./theme.ts";

/** The whole screen as rows of segments, each already cut to its place, so that only what changed is written. */
export function screenOf(theme: Theme, model: Model): Frame {
  const { columns, rows } = model;
  const layout = layoutOf(model);
  if (!layout) return { columns, rows, lines: tooSmall(columns, rows) };
  const lines: Segment[][] = Array.from({ length: rows }, () => []);
  for (const { rect, lines: panel } of model.mail.isOpen
    ? mailPanels(theme, model)
    : unitPanels(theme, model, layout)) {
    for (const [at, text] of panel.entries()) lines[rect.y + at]?.push({ x: rect.x, text });
  }
  lines[layout.status.y] = [{ x: 0, text: statusLine(theme, model) }];
  const overlay = overlayBox(theme, model);
  if (overlay) lay(lines, overlay, columns);
  return { columns, rows, lines };
}

const unitPanels = (theme: Theme, model: Model, layout: Layout): { rect: Rect; lines: string[] }[] =>
  PANEL_IDS.flatMap((id) => {
    const rect = layout.panels[id];
    return rect ? [{ rect, lines: panelLines(theme, model, layout, id, rect) }] : [];
  });

/** Puts the box over the rows: what stands left and right of it stays. */
function lay(lines: Segment[][], { rect, lines: box }: Box, columns: number): void {
  for (const [at, text] of box.entries()) {
    const below = lines[rect.y + at];
    if (!below) continue;
    const row = below.map((segment) => segment.text).join("");
    const right = rect.x + rect.width;
    lines[rect.y + at] = [
      { x: 0, text: fit(sliceColumns(row, 0, rect.x), rect.x) },
      { x: rect.x, text },
      { x: right, text: fit(sliceColumns(row, right, columns - right), columns - right) },
    ];
  }
}

function tooSmall(columns: number, rows: number): Segment[][] {
  const said = [`This terminal is ${columns}×${rows}.`, `Warren needs ${COLUMNS_MIN}×${ROWS_MIN}.`, "q quits."];
  return Array.from({ length: rows }, (_, at) => [{ x: 0, text: fit(said[at] ?? "", columns) }]);
}
