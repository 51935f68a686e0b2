import { clamped, isAtBottom, showByte, topOf, viewSize, walk } from "./log-scroll.ts";
import {
  type Effect,
  emptyPane,
  type LogLine,
  type LogPane,
  type LogPanelId,
  type LogRange,
  type LogSource,
  type LogWindow,
  type Model,
  type Step,
} from "./model.ts";

/**
 * What panels 4 and 5 show: a window of a log file, moved and grown by reads. The file is never read whole.
 *
 * Invariants
 * 1. One read at a time per pane. What grows while it runs is noted (`queued`) and read after, so a flood costs one window a read.
 * 2. A pane whose window reaches the end (`atEnd`) reads on when the file grows; another one only notes that there is more.
 * 3. The first row on the screen stays when lines are added above or dropped there.
 * 4. The window holds at most WINDOW_LINES_MAX lines and WINDOW_BYTES_MAX bytes; what is farther from the view goes first.
 */

export const WINDOW_LINES_MAX = 5_000;
/** Twice PREFETCH_ROWS and the rows of a tall terminal, of the longest lines that are shown: with less, each read would take what the last one has brought. */
const WINDOW_BYTES_MAX = 4 * 1024 * 1024;
/** Rows between the view and the window's border at which more is read. */
const PREFETCH_ROWS = 100;

export function openLogs(model: Model, sources: Record<LogPanelId, LogSource | null>): Step {
  let current = model;
  const effects: Effect[] = [];
  for (const panel of ["stdout", "stderr"] as const) {
    const pane = current.panes[panel];
    const source = sources[panel];
    if (pane.source?.path === source?.path) continue;
    const fresh: LogPane = { ...emptyPane(), source, wrap: pane.wrap, reading: source !== null };
    current = withPane(current, panel, fresh);
    effects.push({ kind: "watch-log", panel, source });
    if (source) effects.push({ kind: "read-log", panel, source, range: { kind: "tail" } });
  }
  return [current, effects];
}

export function applyRead(
  model: Model,
  panel: LogPanelId,
  source: LogSource,
  range: LogRange,
  window: LogWindow,
): Step {
  const pane = model.panes[panel];
  if (pane.source?.path !== source.path) return [model, []];
  const read = { ...merged(pane, range, window), reading: false, droppedBytes: window.startBytes };
  const placed = range.kind === "around" ? showByte(read, range.byte, viewSize(model, panel)) : read;
  const next = withPane(model, panel, clamped(placed, viewSize(model, panel)));
  if (pane.queued === null) return prefetch(next, panel);
  const unqueued = withPane(next, panel, { ...next.panes[panel], queued: null });
  return pane.queued === "growth" ? grew(unqueued, panel, source) : readLog(unqueued, panel, pane.queued);
}

/** The file grew. */
export function grew(model: Model, panel: LogPanelId, source: LogSource): Step {
  const pane = model.panes[panel];
  if (pane.source?.path !== source.path) return [model, []];
  if (pane.reading) return [pane.queued ? model : withPane(model, panel, { ...pane, queued: "growth" }), []];
  if (pane.follow && !pane.atEnd) return readLog(model, panel, { kind: "tail" });
  if (!pane.atEnd) return [model, []];
  return readLog(model, panel, { kind: pane.follow ? "latest" : "after", byte: lastLineStart(pane) });
}

/** Rows up (negative) or down. Up leaves following, down to the last row takes it up again. */
export function scrollLog(model: Model, panel: LogPanelId, rows: number): Step {
  const size = viewSize(model, panel);
  const pane = model.panes[panel];
  const moved = { ...pane, top: walk(pane, topOf(pane, size), rows, size), follow: false };
  const settled = clamped(moved, size);
  const isLast = settled.atEnd && rows > 0 && isAtBottom(settled, size);
  return prefetch(withPane(model, panel, isLast ? { ...settled, follow: true } : settled), panel);
}

export function scrollToStart(model: Model, panel: LogPanelId): Step {
  const pane = { ...model.panes[panel], follow: false, top: { line: 0, row: 0 } };
  const next = withPane(model, panel, pane);
  return pane.atStart ? [next, []] : readLog(next, panel, { kind: "head" });
}

export function follow(model: Model, panel: LogPanelId): Step {
  const pane = { ...model.panes[panel], follow: true };
  const next = withPane(model, panel, pane);
  return pane.atEnd ? [next, []] : readLog(next, panel, { kind: "tail" });
}

export function toggleFollow(model: Model, panel: LogPanelId): Step {
  const pane = model.panes[panel];
  if (!pane.follow) return follow(model, panel);
  return [withPane(model, panel, { ...pane, follow: false, top: topOf(pane, viewSize(model, panel)) }), []];
}

export function toggleWrap(model: Model, panel: LogPanelId): Step {
  const pane = model.panes[panel];
  const top = { line: topOf(pane, viewSize(model, panel)).line, row: 0 };
  const next = { ...pane, wrap: !pane.wrap, column: 0, top };
  return [withPane(model, panel, clamped(next, viewSize(model, panel))), []];
}

export function moveColumn(model: Model, panel: LogPanelId, columns: number): Step {
  const pane = model.panes[panel];
  if (pane.wrap) return [model, []];
  return [withPane(model, panel, { ...pane, column: Math.max(0, pane.column + columns) }), []];
}

export function readLog(model: Model, panel: LogPanelId, range: LogRange): Step {
  const pane = model.panes[panel];
  if (pane.source === null) return [model, []];
  if (pane.reading) return [withPane(model, panel, { ...pane, queued: range }), []];
  const effect: Effect = { kind: "read-log", panel, source: pane.source, range };
  return [withPane(model, panel, { ...pane, reading: true }), [effect]];
}

/** After a resize: the first row stays as far as there is something below it. */
export function refit(model: Model): Model {
  let current = model;
  for (const panel of ["stdout", "stderr"] as const) {
    const size = viewSize(current, panel);
    const pane = current.panes[panel];
    current = withPane(current, panel, clamped({ ...pane, top: { ...pane.top, row: 0 } }, size));
  }
  return current;
}

export const withPane = (model: Model, panel: LogPanelId, pane: LogPane): Model => ({
  ...model,
  panes: { ...model.panes, [panel]: pane },
});

function merged(pane: LogPane, range: LogRange, window: LogWindow): LogPane {
  switch (range.kind) {
    case "before":
      return prepended(pane, window);
    case "after":
    case "latest":
      return appended(pane, range.byte, window);
    default:
      return withEdges({ ...pane, lines: bounded(window.lines, range), top: { line: 0, row: 0 } }, window);
  }
}

/** A read holds many lines when they are short; those far from where one looks are left out. */
function bounded(lines: readonly LogLine[], range: LogRange): readonly LogLine[] {
  if (lines.length <= WINDOW_LINES_MAX) return lines;
  if (range.kind === "tail") return lines.slice(-WINDOW_LINES_MAX);
  if (range.kind === "head") return lines.slice(0, WINDOW_LINES_MAX);
  const middle = lines.findIndex((line) => line.endByte > ("byte" in range ? range.byte : 0));
  return lines.slice(Math.max(0, middle - WINDOW_LINES_MAX / 2), middle + WINDOW_LINES_MAX / 2);
}

function prepended(pane: LogPane, window: LogWindow): LogPane {
  const firstByte = pane.lines[0]?.startByte ?? Number.POSITIVE_INFINITY;
  const older = window.lines.filter((line) => line.startByte < firstByte);
  const kept = trimmed([...older, ...pane.lines], "end");
  const top = { line: pane.top.line + older.length, row: pane.top.row };
  const wasCut = kept.length < older.length + pane.lines.length;
  const next = withEdges({ ...pane, lines: kept, top }, window);
  return wasCut ? { ...next, atEnd: false } : next;
}

function appended(pane: LogPane, fromByte: number, window: LogWindow): LogPane {
  const first = window.lines[0]?.startByte;
  // More was written than one read holds, or the oldest was dropped meanwhile: the window begins anew at what was read.
  if (first !== undefined && first > fromByte) return withEdges({ ...pane, lines: window.lines }, window);
  const older = pane.lines.filter((line) => line.startByte < fromByte);
  const all = [...older, ...window.lines];
  const kept = trimmed(all, "start");
  const cut = all.length - kept.length;
  const top = cut > pane.top.line ? { line: 0, row: 0 } : { line: pane.top.line - cut, row: pane.top.row };
  return withEdges({ ...pane, lines: kept, top }, window);
}

function withEdges(pane: LogPane, { startBytes, endBytes }: LogWindow): LogPane {
  const first = pane.lines[0];
  const last = pane.lines.at(-1);
  return {
    ...pane,
    atStart: first === undefined || first.startByte <= startBytes,
    atEnd: last === undefined || last.endByte >= endBytes,
  };
}

function trimmed(lines: LogLine[], side: "start" | "end"): LogLine[] {
  let from = 0;
  let to = lines.length;
  const isOver = (): boolean =>
    to - from > WINDOW_LINES_MAX ||
    (to - from > 1 && lines[to - 1]!.endByte - lines[from]!.startByte > WINDOW_BYTES_MAX);
  while (isOver()) {
    if (side === "start") from += 1;
    else to -= 1;
  }
  return from === 0 && to === lines.length ? lines : lines.slice(from, to);
}

/** The last line is read again: it may have been unfinished. */
const lastLineStart = (pane: LogPane): number => pane.lines.at(-1)?.startByte ?? 0;

function prefetch(model: Model, panel: LogPanelId): Step {
  const pane = model.panes[panel];
  if (pane.reading || pane.lines.length === 0 || pane.follow) return [model, []];
  const line = topOf(pane, viewSize(model, panel)).line;
  if (!pane.atStart && line < PREFETCH_ROWS)
    return readLog(model, panel, { kind: "before", byte: pane.lines[0]!.startByte });
  const below = pane.lines.length - line - viewSize(model, panel).rows;
  if (!pane.atEnd && below < PREFETCH_ROWS) return readLog(model, panel, { kind: "after", byte: lastLineStart(pane) });
  return [model, []];
}
