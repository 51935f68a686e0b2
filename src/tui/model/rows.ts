import { innerRows, layoutOf } from "./layout.ts";
import { clampTop, scrollToShow } from "./list.ts";
import type { Model, Row } from "./model.ts";

/**
 * Panel 1 as one list: "+ New session", the sessions by server, the jobs, the workers. The rows of sessions are made when sessions change (`session-list.ts`), those
 * of jobs and workers are `order` and `workerOrder`; here they are only counted together, so that a frame and a key touch no more rows than the screen has.
 */

const JOBS_ROW: Row = { kind: "jobs" };
const WORKERS_ROW: Row = { kind: "workers" };

export const isSelectable = (row: Row | undefined): row is Extract<Row, { id: string }> =>
  row !== undefined && "id" in row;

/** The heading above the jobs stands only where there are sessions or servers to tell them from. */
const jobsHeadingRows = (model: Model): number => (model.order.length > 0 && model.sessions.rows.length > 1 ? 1 : 0);

const firstJobRow = (model: Model): number => model.sessions.rows.length + jobsHeadingRows(model);

/** The heading above the workers stands wherever there are any. */
const firstWorkerRow = (model: Model): number =>
  firstJobRow(model) + model.order.length + (model.workerOrder.length > 0 ? 1 : 0);

export const rowCount = (model: Model): number => firstWorkerRow(model) + model.workerOrder.length;

export function rowAt(model: Model, index: number): Row | undefined {
  const { rows } = model.sessions;
  if (index < rows.length) return rows[index];
  const first = firstJobRow(model);
  if (index < first) return JOBS_ROW;
  const id = model.order[index - first];
  if (id !== undefined) return { kind: "job", id };
  const firstWorker = firstWorkerRow(model);
  if (model.workerOrder.length > 0 && index === firstWorker - 1) return WORKERS_ROW;
  const worker = model.workerOrder[index - firstWorker];
  return worker === undefined ? undefined : { kind: "worker", id: worker };
}

/** -1 when it is not in the list. */
export function rowOf(model: Model, id: string | null): number {
  if (id === null) return -1;
  const place = model.sessions.places.get(id);
  if (place !== undefined) return place;
  const at = model.order.indexOf(id);
  if (at !== -1) return firstJobRow(model) + at;
  const worker = model.workerOrder.indexOf(id);
  return worker === -1 ? -1 : firstWorkerRow(model) + worker;
}

/** The id of the first row from `index` on in that direction that can be selected, else of the first in the other one. */
export function selectableFrom(model: Model, index: number, direction: 1 | -1): string | null {
  const count = rowCount(model);
  const start = Math.max(0, Math.min(count - 1, index));
  for (const way of [direction, -direction]) {
    for (let at = start; at >= 0 && at < count; at += way) {
      const row = rowAt(model, at);
      if (isSelectable(row)) return row.id;
    }
  }
  return null;
}

/** What is on the screen of the list. */
export function shownRows(model: Model): Row[] {
  const height = innerRows(layoutOf(model)?.panels.units);
  const { top } = model.lists.units;
  return Array.from({ length: height }, (_, at) => rowAt(model, top + at)).filter((row) => row !== undefined);
}

/** Scrolls as little as needed to show what is selected, and the heading above it where it stands at the top. */
export function showSelected(model: Model): Model {
  const layout = layoutOf(model);
  const index = rowOf(model, model.selectedId);
  if (!layout || index < 0) return model;
  const rows = innerRows(layout.panels.units);
  return withTop(model, scrollToShow(model.lists.units.top, headingAbove(model, index, rows), rows, rowCount(model)));
}

/** What stands under the cursor stays there when rows come or go above it. */
export function anchored(model: Model, before: Model): Model {
  const index = rowOf(model, model.selectedId);
  const was = rowOf(before, model.selectedId);
  if (index < 0 || was < 0 || index === was) return model;
  const rows = innerRows(layoutOf(model)?.panels.units);
  return withTop(model, clampTop(model.lists.units.top + index - was, rows, rowCount(model)));
}

function headingAbove(model: Model, index: number, rows: number): number {
  const isBelowTop = index > model.lists.units.top;
  return isBelowTop || rows < 2 || index === 0 || isSelectable(rowAt(model, index - 1)) ? index : index - 1;
}

function withTop(model: Model, top: number): Model {
  const { units } = model.lists;
  return top === units.top ? model : { ...model, lists: { ...model.lists, units: { ...units, top } } };
}
