import { formatDuration } from "../../protocol/durations.ts";
import type { Job, Run } from "../../protocol/units.ts";
import { innerColumns, innerRows, type Layout } from "../model/layout.ts";
import { type Model, selectedJob } from "../model/model.ts";
import { progressOf, runIndexOf, runsHeaderRows } from "../model/runs.ts";
import { formatAge } from "../text/age.ts";
import { sliceColumns } from "../text/ansi.ts";
import { padEnd, padStart } from "../text/width.ts";
import { fit } from "./frame.ts";
import { runState } from "./states.ts";
import { bold, paint, reverse, type Theme } from "./theme.ts";

/** Panels 2 and 3: the ports and the runs of the selected unit. */

const BAR_COLUMNS_MAX = 24;
/** Below this width an exit status stands for the word. */
const COLUMNS_FOR_WORD = 32;
const WORD_COLUMNS = 11;
const SHORT_COLUMNS = 5;

export function portRows(theme: Theme, model: Model, layout: Layout): string[] {
  const rect = layout.panels.ports;
  const job = selectedJob(model);
  const ports = job?.ports ?? [];
  if (ports.length === 0) return [paint(theme, "quiet", job?.status === "running" ? "listens on no port" : "")];
  const { top, column } = model.lists.ports;
  const header = paint(theme, "quiet", " PORT PROTO ADDRESS          PID");
  const rows = ports.map(({ port, protocol, address, pid }, index) => {
    const row = `${padStart(String(port), 5)} ${padEnd(protocol, 5)} ${padEnd(address, 15)} ${pid}`;
    const shown = fit(sliceColumns(row, column, innerColumns(rect)), innerColumns(rect));
    return index === model.portIndex && model.focus === "ports" ? reverse(shown) : shown;
  });
  return [header, ...rows.slice(top, top + innerRows(rect) - 1)];
}

export function runRows(theme: Theme, model: Model, layout: Layout): string[] {
  const rect = layout.panels.runs;
  const job = selectedJob(model);
  if (!job) return [];
  if (job.run_count === 0) return [paint(theme, "quiet", "no run yet; space starts it")];
  const columns = innerColumns(rect);
  const rows = innerRows(rect) - runsHeaderRows(job);
  const { top, column } = model.lists.runs;
  const selected = runIndexOf(model);
  const list = model.runs.slice(top, top + rows).map((run, at) => {
    const row = runRow(theme, run, model.nowMs, columns, column);
    if (top + at !== selected) return row.styled;
    return model.focus === "runs" ? reverse(row.plain) : bold(row.plain);
  });
  return [...summary(theme, job, model.nowMs, columns), ...list];
}

function summary(theme: Theme, job: Job, nowMs: number, columns: number): string[] {
  const ended = job.success_count + job.failure_count;
  const parts = [`${job.run_count} ${job.run_count === 1 ? "run" : "runs"}`];
  if (ended > 0) parts.push(`${Math.round(job.success_rate)}% ok`);
  if (job.avg_duration_ms > 0) parts.push(`avg ${formatDuration(job.avg_duration_ms)}`);
  const first = paint(theme, "quiet", parts.join(" · "));
  return progressOf(job) === undefined ? [first] : [first, progress(theme, job, nowMs, columns)];
}

function progress(theme: Theme, job: Job, nowMs: number, columns: number): string {
  const elapsedMs = job.started_at === undefined ? 0 : Math.max(0, nowMs - Date.parse(job.started_at));
  const percent = Math.min(100, Math.round((100 * elapsedMs) / job.avg_duration_ms));
  const text = ` ${padStart(String(percent), 3)}% of ${formatDuration(job.avg_duration_ms)}`;
  const width = Math.max(4, Math.min(BAR_COLUMNS_MAX, columns - text.length));
  const full = Math.round((width * percent) / 100);
  const [on, off] = theme.glyphs ? ["▓", "░"] : ["#", "."];
  return paint(theme, "live", on.repeat(full)) + paint(theme, "quiet", off.repeat(width - full)) + text;
}

function runRow(theme: Theme, run: Run, nowMs: number, columns: number, column: number) {
  const { glyph, word, short, tone } = runState(theme, run);
  const said = columns < COLUMNS_FOR_WORD ? padEnd(short, SHORT_COLUMNS) : padEnd(word, WORD_COLUMNS);
  const age = padStart(formatAge(nowMs - Date.parse(run.stopped_at ?? run.started_at)), 4);
  const took = run.status === "running" ? "" : formatDuration(run.duration_ms);
  const middle = `${padEnd(run.id, 7)} ${said}${padStart(took, 7)}`;
  const room = columns - 2 - 4;
  const shown = fit(sliceColumns(middle, column, room), room);
  return {
    plain: fit(`${glyph} ${shown}${age}`, columns),
    styled: fit(`${paint(theme, tone, glyph)} ${shown}${paint(theme, "quiet", age)}`, columns),
  };
}
