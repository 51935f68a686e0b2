import { copyLines } from "./copy.ts";
import { layoutOf, panelAt } from "./layout.ts";
import { withPane } from "./log-pane.ts";
import { viewSize, visibleRows } from "./log-scroll.ts";
import { mailMouse } from "./mail-verbs.ts";
import {
  chain,
  isLogPanel,
  type LogPanelId,
  type Model,
  type MouseInput,
  type PanelId,
  type Step,
  selectedJob,
} from "./model.ts";
import { focusOn, scrollPanel, selectPort, selectUnitAt } from "./navigate.ts";
import { listedRuns, runsHeaderRows, selectRun } from "./runs.ts";
import { selectedWorker } from "./workers.ts";

/** The mouse: the wheel scrolls what is under it, a click focuses and selects, dragging over a log copies its lines. */

export function applyMouse(model: Model, mouse: MouseInput): Step {
  const layout = layoutOf(model);
  if (!layout) return [model, []];
  if (model.overlay) return mouse.kind === "press" ? [{ ...model, overlay: null }, []] : [model, []];
  if (model.mail.isOpen) return mailMouse(model, mouse);
  switch (mouse.kind) {
    case "wheel": {
      const panel = panelAt(layout, mouse.x, mouse.y);
      return panel ? scrollPanel(model, panel, mouse.lines) : [model, []];
    }
    case "press": {
      const panel = panelAt(layout, mouse.x, mouse.y);
      return panel ? press(model, panel, mouse.y - layout.panels[panel]!.y - 1) : [model, []];
    }
    case "drag":
      return model.drag ? dragTo(model, model.drag, mouse.y - layout.panels[model.drag.panel]!.y - 1) : [model, []];
    case "release":
      return release(model);
  }
}

/** `row` counts from the first one inside the border. The row is taken before the focus moves, because panels change their size with it. */
function press(model: Model, panel: PanelId, row: number): Step {
  if (isLogPanel(panel)) return pressLog(model, panel, row);
  const index = row - headerRows(model, panel) + model.lists[panel].top;
  return chain(
    model,
    (current) => focusOn(current, panel),
    (current) => (row < headerRows(model, panel) ? [current, []] : pick(current, panel, index)),
  );
}

function pick(model: Model, panel: Exclude<PanelId, LogPanelId>, index: number): Step {
  if (panel === "units") return selectUnitAt(model, index);
  if (panel === "ports") return selectedWorker(model) ? [model, []] : selectPort(model, index);
  return index < listedRuns(model).length ? selectRun(model, index) : [model, []];
}

function headerRows(model: Model, panel: Exclude<PanelId, LogPanelId>): number {
  if (panel === "units") return 0;
  return panel === "ports" ? 1 : runsHeaderRows(selectedJob(model));
}

function pressLog(model: Model, panel: LogPanelId, row: number): Step {
  const fromByte = byteAt(model, panel, row);
  const pane = { ...model.panes[panel], selection: null };
  const next = withPane(model, panel, pane);
  // Focusing stderr makes it grow under the mouse; a drag then goes on with the rows as they stand.
  const [focused, effects] = focusOn(next, panel);
  return [{ ...focused, drag: fromByte === undefined ? null : { panel, fromByte, moved: false } }, effects];
}

function dragTo(model: Model, drag: NonNullable<Model["drag"]>, row: number): Step {
  const toByte = byteAt(model, drag.panel, row);
  if (toByte === undefined || (!drag.moved && toByte === drag.fromByte)) return [model, []];
  const pane = { ...model.panes[drag.panel], selection: { fromByte: drag.fromByte, toByte } };
  return [{ ...withPane(model, drag.panel, pane), drag: { ...drag, moved: true } }, []];
}

function release(model: Model): Step {
  if (model.drag === null) return [model, []];
  const next = { ...model, drag: null };
  return model.drag.moved ? copyLines(next, model.drag.panel) : [next, []];
}

/** Below the last row: the last line. */
function byteAt(model: Model, panel: LogPanelId, row: number): number | undefined {
  const rows = visibleRows(model.panes[panel], viewSize(model, panel));
  return rows[Math.max(0, Math.min(row, rows.length - 1))]?.line.startByte;
}
