import { withoutSgr } from "../text/ansi.ts";
import { findFirst, findNext, holds } from "./find.ts";
import { readLog, withPane } from "./log-pane.ts";
import { showByte, topOf, viewSize, visibleRows } from "./log-scroll.ts";
import { isLogPanel, type LogPanelId, type LogSource, type Model, type PanelId, type Step } from "./model.ts";
import { say } from "./say.ts";

/**
 * Search in logs, and in the list by `find.ts`. A query is plain text; without a capital letter it matches both cases. The window of a log is looked
 * through first, then the file, by the effect `find-in-log`.
 */

/** Enter in the search line. A log that is followed is searched upwards from its last row, another one downwards from its first. */
export function beginSearch(model: Model, panel: PanelId, query: string): Step {
  if (query === "") return endSearch(model);
  const next = { ...model, overlay: null, search: { panel, query } };
  if (!isLogPanel(panel)) return findFirst(next, query);
  const pane = next.panes[panel];
  const size = viewSize(next, panel);
  const rows = visibleRows(pane, size);
  const last = rows.at(-1)?.line.endByte ?? 0;
  const first = pane.lines[topOf(pane, size).line]?.startByte ?? 0;
  return pane.follow ? findInPane(next, panel, query, -1, last) : findInPane(next, panel, query, 1, first);
}

/** `n` and `N`. */
export function continueSearch(model: Model, direction: 1 | -1): Step {
  if (model.search === null) return [model, []];
  const { panel, query } = model.search;
  if (!isLogPanel(panel)) return findNext(model, query, direction);
  const pane = model.panes[panel];
  const at = pane.matchByte ?? pane.lines[topOf(pane, viewSize(model, panel)).line]?.startByte ?? 0;
  const from = direction === 1 && pane.matchByte !== null ? at + 1 : at;
  return findInPane(model, panel, query, direction, from);
}

export function endSearch(model: Model): Step {
  const { stdout, stderr } = model.panes;
  const panes = { stdout: { ...stdout, matchByte: null }, stderr: { ...stderr, matchByte: null } };
  return [{ ...model, overlay: null, search: null, panes }, []];
}

/** The file was looked through: to the line that was found, or nowhere. */
export function applyFound(model: Model, panel: LogPanelId, source: LogSource, matchByte: number | null): Step {
  const pane = model.panes[panel];
  if (pane.source?.path !== source.path || model.search === null) return [model, []];
  if (matchByte === null) return say(model, `no other line holds "${model.search.query}"`);
  return readLog(withPane(model, panel, { ...pane, matchByte, follow: false }), panel, {
    kind: "around",
    byte: matchByte,
  });
}

/** Lines that begin at `fromByte` or later, or, upwards, before it. */
function findInPane(model: Model, panel: LogPanelId, query: string, direction: 1 | -1, fromByte: number): Step {
  const pane = model.panes[panel];
  if (pane.source === null) return say(model, "no output yet");
  const isIn = (text: string): boolean => holds(withoutSgr(text), query);
  const line =
    direction === 1
      ? pane.lines.find((candidate) => candidate.startByte >= fromByte && isIn(candidate.text))
      : pane.lines.findLast((candidate) => candidate.startByte < fromByte && isIn(candidate.text));
  if (line) {
    const shown = showByte({ ...pane, matchByte: line.startByte }, line.startByte, viewSize(model, panel));
    return [withPane(model, panel, shown), []];
  }
  const isWhole = direction === 1 ? pane.atEnd : pane.atStart;
  if (isWhole) return applyFound(model, panel, pane.source, null);
  const edge = direction === 1 ? (pane.lines.at(-1)?.endByte ?? 0) : (pane.lines[0]?.startByte ?? 0);
  const effect = { kind: "find-in-log", panel, source: pane.source, query, fromByte: edge, direction } as const;
  return [model, [effect]];
}
