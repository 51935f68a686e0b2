import { innerRows, isSessionsScreen, layoutOf } from "./layout.ts";
import { clampTop, scrollToShow } from "./list.ts";
import { follow, moveColumn, refit, scrollLog, scrollToStart } from "./log-pane.ts";
import { isLogPanel, type Model, PANELS, type PanelId, type Step, selectedJob } from "./model.ts";
import { isSelectable, rowAt, rowCount, showSelected } from "./rows.ts";
import { listedRuns, runIndexOf, runsHeaderRows, selectRun } from "./runs.ts";
import { moveSelection, select } from "./units.ts";
import { workerFacts } from "./worker-facts.ts";
import { selectedWorker } from "./workers.ts";

/** Moving: between panels, along a list, through a log. */

/** Columns that h, l, H and L move by. */
export const COLUMN_STEP = 4;
const FAR = Number.MAX_SAFE_INTEGER;

export function focusOn(model: Model, panel: PanelId): Step {
  if (panel === model.focus || (panel !== "units" && isSessionsScreen(model))) return [model, []];
  const lastDetail = panel === "ports" || panel === "runs" ? panel : model.lastDetail;
  return [showSelected(refit({ ...model, focus: panel, lastDetail, armed: null })), []];
}

export function focusNext(model: Model, direction: 1 | -1): Step {
  const at = PANELS.indexOf(model.focus);
  return focusOn(model, PANELS[(at + direction + PANELS.length) % PANELS.length]!);
}

/** Enter: to the output of what is selected; escape comes back. */
export function openSelected(model: Model): Step {
  return selectedJob(model) ? focusOn(model, "stdout") : [model, []];
}

/** Lines in a log, entries in a list. */
export function move(model: Model, rows: number): Step {
  switch (model.focus) {
    case "units":
      return moveSelection(model, rows);
    case "runs":
      return selectRun(model, runIndexOf(model) + rows);
    case "ports":
      return selectedWorker(model) ? scrollPanel(model, "ports", rows) : selectPort(model, model.portIndex + rows);
    default:
      return scrollLog(model, model.focus, rows);
  }
}

export function moveHalfPage(model: Model, direction: 1 | -1): Step {
  const rows = Math.max(1, Math.floor(innerRows(layoutOf(model)?.panels[model.focus]) / 2));
  return move(model, direction * rows);
}

export function moveToStart(model: Model): Step {
  return isLogPanel(model.focus) ? scrollToStart(model, model.focus) : move(model, -FAR);
}

/** In a log: to the end, and follow it. */
export function moveToEnd(model: Model): Step {
  return isLogPanel(model.focus) ? follow(model, model.focus) : move(model, FAR);
}

export function moveSideways(model: Model, columns: number): Step {
  if (isLogPanel(model.focus)) return moveColumn(model, model.focus, columns);
  const list = model.lists[model.focus];
  const next = { ...list, column: Math.max(0, list.column + columns) };
  return [{ ...model, lists: { ...model.lists, [model.focus]: next } }, []];
}

export function selectPort(model: Model, index: number): Step {
  const count = selectedJob(model)?.ports?.length ?? 0;
  const portIndex = Math.max(0, Math.min(count - 1, index));
  const rows = innerRows(layoutOf(model)?.panels.ports) - 1;
  const ports = { ...model.lists.ports, top: scrollToShow(model.lists.ports.top, portIndex, rows, count) };
  return [{ ...model, portIndex, lists: { ...model.lists, ports } }, []];
}

export function selectUnitAt(model: Model, index: number): Step {
  const row = rowAt(model, index);
  return isSelectable(row) ? select(model, row.id) : [model, []];
}

/** The wheel moves what is shown and leaves the selection where it is. */
export function scrollPanel(model: Model, panel: PanelId, rows: number): Step {
  if (isLogPanel(panel)) return scrollLog(model, panel, rows);
  const shown = innerRows(layoutOf(model)?.panels[panel]);
  const job = selectedJob(model);
  const view = selectedWorker(model);
  const sizes = {
    units: { count: rowCount(model), rows: shown },
    ports: view
      ? { count: workerFacts(view).length, rows: shown }
      : { count: job?.ports?.length ?? 0, rows: shown - 1 },
    runs: { count: listedRuns(model).length, rows: shown - runsHeaderRows(job) },
  };
  const list = model.lists[panel];
  const top = clampTop(list.top + rows, sizes[panel].rows, sizes[panel].count);
  return top === list.top ? [model, []] : [{ ...model, lists: { ...model.lists, [panel]: { ...list, top } } }, []];
}
