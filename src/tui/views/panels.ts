import type { Layout, Rect } from "../model/layout.ts";
import { innerColumns } from "../model/layout.ts";
import { labelOf, type Model, type PanelId, selectedJob } from "../model/model.ts";
import { urgencyOf } from "../model/units.ts";
import { selectedWorker, type WorkerView } from "../model/workers.ts";
import { ansiWidth, inOneRow } from "../text/ansi.ts";
import { cutStart } from "../text/width.ts";
import { portRows, runRows } from "./detail-rows.ts";
import { type FrameOptions, fit, frame } from "./frame.ts";
import { logNote, logRows, logTitle } from "./log-rows.ts";
import { previewNote, previewRows, previewTitle } from "./session-preview.ts";
import { glyphOf, jobState, workerState } from "./states.ts";
import { paint, type Theme, type Tone } from "./theme.ts";
import { unitRows } from "./unit-rows.ts";
import { useText } from "./use-text.ts";
import { factRows, instanceRows } from "./worker-rows.ts";

/** The text of each panel: exactly as many lines and columns as its rectangle. */
export function panelLines(
  theme: Theme,
  model: Model,
  layout: Layout,
  id: keyof Layout["panels"],
  rect: Rect,
): string[] {
  return frame(theme, { rect, ...contentOf(theme, model, layout, id), focused: model.focus === id });
}

function contentOf(theme: Theme, model: Model, layout: Layout, id: keyof Layout["panels"]): Omit<FrameOptions, "rect"> {
  const job = selectedJob(model);
  const view = selectedWorker(model);
  const of = job ? `: ${labelOf(job)}` : "";
  switch (id) {
    case "header":
      return {
        title: `warren ${model.version}`,
        lines: [headerLine(theme, model, innerColumns(layout.panels.header))],
      };
    case "description":
      return { title: "description", lines: [inOneRow(job?.description ?? "")] };
    case "units":
      return {
        key: "1",
        title: unitsTitle(model, layout),
        note: unitsNote(theme, model),
        lines: unitRows(theme, model, layout),
      };
    case "preview":
      return {
        title: previewTitle(theme, model),
        note: previewNote(theme, model),
        lines: previewRows(theme, model, layout),
      };
    case "ports":
      if (view)
        return {
          key: "2",
          title: `worker: ${view.worker.name}`,
          note: workerNote(theme, view),
          lines: factRows(theme, model, view, layout),
        };
      return { key: "2", title: `ports${of}`, note: jobNote(theme, model), lines: portRows(theme, model, layout) };
    case "runs":
      if (view)
        return { key: "3", title: `instances: ${view.worker.name}`, lines: instanceRows(theme, model, view, layout) };
      return { key: "3", title: `runs${of}`, lines: runRows(theme, model, layout) };
    case "stdout":
    case "stderr": {
      const key = id === "stdout" ? "4" : "5";
      return {
        key,
        title: logTitle(theme, model, id),
        note: logNote(theme, model, id),
        lines: logRows(theme, model, id),
      };
    }
  }
}

/** Without room for the header the place stands here. */
function unitsTitle(model: Model, layout: Layout): string {
  if (layout.panels.header) return "units";
  return cutStart(whereOf(model), innerColumns(layout.panels.units) - 12);
}

/** What the job uses, where the list has no room for it. */
function jobNote(theme: Theme, model: Model): string {
  const use = model.selectedId === null ? undefined : model.usage.get(model.selectedId);
  return use ? paint(theme, "quiet", useText(use, theme)) : "";
}

function workerNote(theme: Theme, { worker }: WorkerView): string {
  const { glyph, word, tone } = workerState(theme, worker);
  return paint(theme, tone, `${glyph} ${word}`);
}

function unitsNote(theme: Theme, model: Model): string {
  const count = model.order.length + model.workerOrder.length + model.sessions.byId.size;
  return count === 0 ? "" : paint(theme, "quiet", String(count));
}

function headerLine(theme: Theme, model: Model, columns: number): string {
  const shown = model.order.flatMap((id) => model.jobs.get(id) ?? []);
  const served = model.workerOrder.flatMap((id) => model.workers.get(id) ?? []);
  const tones = served.map(({ worker }) => workerState(theme, worker).tone);
  const { counts: sessions } = model.sessions;
  const needs = sessions.needsYou + shown.filter((job) => urgencyOf(job) === 0).length + countOf(tones, "attention");
  const live = sessions.working + shown.filter((job) => urgencyOf(job) === 1).length + countOf(tones, "live");
  const failed = shown.filter((job) => jobState(theme, job).tone === "bad").length + countOf(tones, "bad");
  const counts = [
    needs > 0 ? paint(theme, "attention", `${glyphOf(theme, "attention")} ${needs}`) : "",
    failed > 0 ? paint(theme, "bad", `${glyphOf(theme, "bad")} ${failed}`) : "",
    live > 0 ? paint(theme, "live", `${glyphOf(theme, "live")} ${live}`) : "",
  ]
    .filter(Boolean)
    .join("  ");
  const room = columns - ansiWidth(counts) - 1;
  return `${fit(cutStart(whereOf(model), room), room)} ${counts}`;
}

const countOf = (tones: readonly Tone[], tone: Tone): number => tones.filter((one) => one === tone).length;

const whereOf = (model: Model): string => (model.allDirectories ? "all directories" : model.scope.label);

export const PANEL_IDS = [
  "header",
  "units",
  "description",
  "ports",
  "runs",
  "stdout",
  "stderr",
  "preview",
] as const satisfies readonly (PanelId | "header" | "description" | "preview")[];
