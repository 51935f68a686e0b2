import type { Model, PanelId } from "./model.ts";
import { NEW_ID, selectedJob, selectedSession } from "./model.ts";
import { workerFacts } from "./worker-facts.ts";
import { selectedWorker } from "./workers.ts";

/**
 * Where each panel stands. Pure, so that views draw and the mouse is answered from one source. All numbers are cells; borders are inside the
 * rectangles.
 *
 * Left: 40 % of the width, between 40 and 60 columns (below 100 columns 40 % as it is). Header 3 rows, description 3 rows when there is one, ports
 * 20 % (at least 4; of a worker its facts, up to 35 %), runs 30 % (at least 5), units the rest. Right: stderr 20 %, or 80 % while it has the focus. Below ROWS_FOR_ALL the header and
 * description go, and of ports and runs only the one that was used last stands, so that 60×15 still shows eight units.
 */

export const COLUMNS_MIN = 60;
export const ROWS_MIN = 15;
export const ROWS_FOR_ALL = 24;
const LEFT_COLUMNS = { min: 40, max: 60 };
const COLUMNS_FOR_LEFT_MIN = 100;

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Layout {
  panels: Partial<Record<PanelId | "header" | "description" | "preview", Rect>>;
  status: Rect;
}

/** Undefined when the terminal is too small. */
export function layoutOf(model: Model): Layout | undefined {
  const { columns, rows } = model;
  if (columns < COLUMNS_MIN || rows < ROWS_MIN) return undefined;
  const height = rows - 1;
  const left = leftColumns(columns);
  if (isSessionsScreen(model)) return { panels: sessionPanels(model, left, height), status: statusRect(model) };
  const panels = rows < ROWS_FOR_ALL ? shortColumn(model, left, height) : tallColumn(model, left, height);
  const stderrHeight = Math.max(4, Math.round(height * (model.focus === "stderr" ? 0.8 : 0.2)));
  const right = { x: left, width: columns - left };
  panels.stdout = { ...right, y: 0, height: height - stderrHeight };
  panels.stderr = { ...right, y: height - stderrHeight, height: stderrHeight };
  return { panels, status: statusRect(model) };
}

export function leftColumns(columns: number): number {
  const share = Math.round(columns * 0.4);
  return columns < COLUMNS_FOR_LEFT_MIN ? share : Math.min(LEFT_COLUMNS.max, Math.max(LEFT_COLUMNS.min, share));
}

/** A session has one screen, and neither ports nor runs. "+ New session" stands among them. */
export const isSessionsScreen = (model: Model): boolean =>
  selectedSession(model) !== undefined || (model.selectedId === NEW_ID && model.sessions.rows.length > 1);

const statusRect = ({ columns, rows }: Model): Rect => ({ x: 0, y: rows - 1, width: columns, height: 1 });

/** Panel 1 begins where it begins with a job, so that the list stays in place when the cursor goes from the one to the other. */
function sessionPanels({ columns, rows }: Model, left: number, height: number): Layout["panels"] {
  const headerRows = rows < ROWS_FOR_ALL ? 0 : 3;
  return {
    ...(headerRows === 0 ? {} : { header: { x: 0, y: 0, width: left, height: headerRows } }),
    units: { x: 0, y: headerRows, width: left, height: height - headerRows },
    preview: { x: left, y: 0, width: columns - left, height },
  };
}

function tallColumn(model: Model, width: number, height: number): Layout["panels"] {
  const runs = Math.max(5, Math.round(height * 0.3));
  const ports = portsRows(model, height);
  const description = selectedJob(model)?.description ? 3 : 0;
  const units = height - 3 - description - ports - runs;
  const panels: Layout["panels"] = {};
  let y = 0;
  const place = (id: keyof Layout["panels"], rows: number): void => {
    if (rows > 0) panels[id] = { x: 0, y, width, height: rows };
    y += rows;
  };
  place("header", 3);
  place("units", units);
  place("description", description);
  place("ports", ports);
  place("runs", runs);
  return panels;
}

/** A worker's facts need more room than ports, most when something is wrong; never so much that the list goes. */
function portsRows(model: Model, height: number): number {
  const view = selectedWorker(model);
  if (!view) return Math.max(4, Math.round(height * 0.2));
  return Math.max(6, Math.min(workerFacts(view).length + 2, Math.round(height * 0.35)));
}

function shortColumn(model: Model, width: number, height: number): Layout["panels"] {
  const detail = model.lastDetail === "ports" ? (selectedWorker(model) ? 6 : 4) : 5;
  return {
    units: { x: 0, y: 0, width, height: height - detail },
    [model.lastDetail]: { x: 0, y: height - detail, width, height: detail },
  };
}

/** Rows inside the borders. */
export const innerRows = (rect: Rect | undefined): number => Math.max(0, (rect?.height ?? 2) - 2);
export const innerColumns = (rect: Rect | undefined): number => Math.max(0, (rect?.width ?? 2) - 2);

export function panelAt(layout: Layout, x: number, y: number): PanelId | undefined {
  for (const [id, rect] of Object.entries(layout.panels)) {
    if (id === "header" || id === "description" || id === "preview") continue;
    if (x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height) return id as PanelId;
  }
  return undefined;
}
