import type { WorkerInstance } from "../../protocol/gateway-units.ts";
import { holds } from "../model/find.ts";
import { innerColumns, innerRows, type Layout } from "../model/layout.ts";
import type { Model } from "../model/model.ts";
import { runIndexOf } from "../model/runs.ts";
import { useOfWorker } from "../model/usage.ts";
import { workerFacts } from "../model/worker-facts.ts";
import { instancesOf, type WorkerView } from "../model/workers.ts";
import { formatAge } from "../text/age.ts";
import { inOneRow, plainLine, sliceColumns } from "../text/ansi.ts";
import { cutEnd, padEnd, padStart, widthOf } from "../text/width.ts";
import { fit } from "./frame.ts";
import { instanceState, workerState } from "./states.ts";
import { bold, paint, reverse, type Theme } from "./theme.ts";
import { useColumns } from "./use-text.ts";

/** A worker's row in panel 1, and panels 2 and 3 while one is selected. */

const AGE_COLUMNS = 4;
const WORD_COLUMNS = 11;
/** Below this width a state's glyph stands alone, and the age goes. */
const COLUMNS_FOR_WORD = 32;
const VERSION_COLUMNS = 8;

/** Glyph, name, route and how many instances answer there, word, age. */
export function workerRow(theme: Theme, model: Model, view: WorkerView, columns: number): string {
  const { worker, project } = view;
  const { glyph, word, tone } = workerState(theme, worker);
  const isWide = columns >= COLUMNS_FOR_WORD;
  const age = worker.started_at === undefined ? "" : formatAge(model.nowMs - Date.parse(worker.started_at));
  const use = useColumns(useOfWorker(worker), columns);
  const right = isWide ? `${padEnd(cutEnd(word, WORD_COLUMNS), WORD_COLUMNS)}${use}${padStart(age, AGE_COLUMNS)}` : "";
  const room = columns - 2 - widthOf(right) - (right ? 1 : 0);
  const healthy = worker.instances.filter(({ state }) => state === "healthy").length;
  const count = healthy > 1 ? ` ${theme.glyphs ? "×" : "x"}${healthy}` : "";
  const folder = model.allDirectories ? `  ${project}/` : "";
  const rest = `${folder}  ${worker.route}${count}`;
  const { column } = model.lists.units;
  const cut = (text: string): string => fit(sliceColumns(text, column, room), room);
  const isSelected = model.selectedId === view.id;
  if (isSelected && model.focus === "units")
    return reverse(fit(`${glyph} ${cut(`${worker.name}${rest}`)} ${right}`, columns));
  const isFound = model.search?.panel === "units" && holds(`${worker.name}${rest}`, model.search.query);
  const name = isSelected ? bold(worker.name) : worker.name;
  const shown = isFound ? paint(theme, "accent", `${worker.name}${rest}`) : `${name}${paint(theme, "quiet", rest)}`;
  const said = paint(theme, tone, right.slice(0, WORD_COLUMNS)) + paint(theme, "quiet", right.slice(WORD_COLUMNS));
  return fit(`${paint(theme, tone, glyph)} ${cut(shown)} ${said}`, columns);
}

export function factRows(theme: Theme, model: Model, view: WorkerView, layout: Layout): string[] {
  const rect = layout.panels.ports;
  const { top, column } = model.lists.ports;
  const columns = innerColumns(rect);
  const isWrong = view.worker.failure !== undefined;
  return workerFacts(view)
    .slice(top, top + innerRows(rect))
    .map((line, at) => {
      const text = sliceColumns(plainLine(line), column, columns);
      if (top + at === 0) return paint(theme, "accent", text);
      return isWrong && line.startsWith(view.worker.failure!.message) ? paint(theme, "bad", text) : text;
    });
}

/** Glyph, word, version, port, what is in flight, age; where there is little room the word and the age go. */
export function instanceRows(theme: Theme, model: Model, view: WorkerView, layout: Layout): string[] {
  const rect = layout.panels.runs;
  const columns = innerColumns(rect);
  const instances = instancesOf(view);
  if (instances.length === 0) return [paint(theme, "quiet", emptyText(view))];
  const { top, column } = model.lists.runs;
  const selected = runIndexOf(model);
  return instances.slice(top, top + innerRows(rect)).map((instance, at) => {
    const row = instanceRow(theme, instance, { nowMs: model.nowMs, columns, column });
    if (top + at !== selected) return row.styled;
    return model.focus === "runs" ? reverse(row.plain) : bold(row.plain);
  });
}

function emptyText({ worker: { type, state } }: WorkerView): string {
  if (type === "static" || type === "url") return `${type}: it has no process`;
  return state === "stopped" ? "stopped; space starts it" : "none is running";
}

function instanceRow(
  theme: Theme,
  { state, version, port, in_flight, started_at, reason }: WorkerInstance,
  { nowMs, columns, column }: { nowMs: number; columns: number; column: number },
) {
  const { glyph, word, tone } = instanceState(theme, state);
  const age = padStart(started_at === undefined ? "" : formatAge(nowMs - Date.parse(started_at)), AGE_COLUMNS);
  const parts = [padEnd(word, 9), version.slice(0, VERSION_COLUMNS), port === undefined ? "" : `:${port}`];
  if (in_flight) parts.push(`${in_flight} in flight`);
  if (reason !== undefined) parts.push(inOneRow(reason));
  const room = columns - 2 - AGE_COLUMNS;
  const shown = fit(sliceColumns(parts.join(" "), column, room), room);
  return {
    plain: fit(`${glyph} ${shown}${age}`, columns),
    styled: fit(`${paint(theme, tone, glyph)} ${shown}${paint(theme, "quiet", age)}`, columns),
  };
}
