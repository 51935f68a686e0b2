import { formatBytes } from "../../protocol/durations.ts";
import { holds } from "../model/find.ts";
import { viewSize, visibleRows } from "../model/log-scroll.ts";
import { type LogPanelId, type Model, selectedJob } from "../model/model.ts";
import { selectedWorker } from "../model/workers.ts";
import { AGE_STEP_MS, formatAge } from "../text/age.ts";
import { ansiWidth, sliceColumns, withoutSgr } from "../text/ansi.ts";
import { fit } from "./frame.ts";
import { jobState, runState } from "./states.ts";
import { paint, reverse, reverseTone, type Theme } from "./theme.ts";

/** Panels 4 and 5: what is visible of a log, with matches and the lines dragged over in reverse. */

/** Key, corners and lines around title and note (frame.ts). */
const TITLE_EXTRA_COLUMNS = 8;

export function logRows(theme: Theme, model: Model, panel: LogPanelId): string[] {
  const pane = model.panes[panel];
  const size = viewSize(model, panel);
  if (pane.lines.length === 0) return [paint(theme, "quiet", emptyText(model, panel))];
  const query = model.search?.panel === panel ? model.search.query : "";
  const { from, to } = selectionOf(pane.selection);
  return visibleRows(pane, size).map(({ line, row }) => {
    const start = pane.wrap ? row * size.columns : pane.column;
    const shown = sliceColumns(line.text, start, size.columns);
    if (line.startByte >= from && line.startByte <= to) return reverse(fit(withoutSgr(shown), size.columns));
    const plain = withoutSgr(shown);
    if (query !== "" && holds(plain, query)) return marked(plain, query, theme, line.startByte === pane.matchByte);
    const visible = theme.color ? shown : plain;
    return panel === "stderr" && theme.color && visible === plain ? paint(theme, "attention", visible) : visible;
  });
}

export function logTitle(theme: Theme, model: Model, panel: LogPanelId): string {
  const pane = model.panes[panel];
  const job = selectedJob(model);
  const view = selectedWorker(model);
  if (view && pane.source) return `${panel}: ${pane.source.runId}`;
  if (!pane.source || !job) return panel;
  const run = model.runs.find((candidate) => candidate.id === pane.source?.runId);
  const { glyph, tone, short } = run ? runState(theme, run) : jobState(theme, job);
  const startedAt = run?.started_at ?? job.started_at;
  const isRunning = (run ?? job).status === "running";
  const age = isRunning && startedAt !== undefined ? lasted(model.nowMs - Date.parse(startedAt)) : "";
  return `${panel}: ${pane.source.runId} ${paint(theme, tone, glyph)}${short ? ` ${short}` : ""}${age}`;
}

/** Nothing for what has just begun. */
const lasted = (ms: number): string => (ms < AGE_STEP_MS ? "" : ` ${formatAge(ms)}`);

/** In words where they fit beside the title, else in letters. */
export function logNote(theme: Theme, model: Model, panel: LogPanelId): string {
  const pane = model.panes[panel];
  if (!pane.source) return "";
  const room = viewSize(model, panel).columns - ansiWidth(logTitle(theme, model, panel)) - TITLE_EXTRA_COLUMNS;
  const long = [
    pane.droppedBytes > 0 ? `[oldest ${formatBytes(pane.droppedBytes)} dropped]` : "",
    pane.follow ? "[following]" : pane.atEnd ? "" : "[more below]",
    pane.wrap ? "[wrap]" : pane.column > 0 ? `[column ${pane.column}]` : "",
  ];
  const short = [pane.follow ? "[f]" : pane.atEnd ? "" : "[↓]", pane.wrap ? "[w]" : ""];
  const text = long.filter(Boolean).join(" ");
  return paint(theme, "quiet", text.length <= room ? text : short.filter(Boolean).join(" "));
}

function emptyText(model: Model, panel: LogPanelId): string {
  const pane = model.panes[panel];
  if (!pane.source) return "";
  if (pane.reading) return "";
  return panel === "stderr" ? "nothing on stderr" : "no output yet";
}

function selectionOf(selection: { fromByte: number; toByte: number } | null): { from: number; to: number } {
  if (!selection) return { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY };
  const { fromByte, toByte } = selection;
  return { from: Math.min(fromByte, toByte), to: Math.max(fromByte, toByte) };
}

function marked(plain: string, query: string, theme: Theme, isCurrent: boolean): string {
  const haystack = query === query.toLowerCase() ? plain.toLowerCase() : plain;
  const at = haystack.indexOf(query);
  const match = plain.slice(at, at + query.length);
  const shown = isCurrent ? reverseTone(theme, "attention", match) : reverse(match);
  return plain.slice(0, at) + shown + plain.slice(at + query.length);
}
