import { formatCommand } from "../../config/command-line.ts";
import { quoteWord } from "../../protocol/quote-word.ts";
import { withoutSgr } from "../text/ansi.ts";
import { withPane } from "./log-pane.ts";
import { viewSize, visibleRows } from "./log-scroll.ts";
import { isLogPanel, type LogPane, type LogPanelId, type Model, type Step, selectedJob } from "./model.ts";
import { runIndexOf } from "./runs.ts";
import { say } from "./say.ts";

/** Copying to the clipboard of the user's terminal (OSC 52), which works through ssh as well. */

export function copyCommand(model: Model): Step {
  const job = selectedJob(model);
  return job ? copy(model, commandText(job.command), "command copied") : [model, []];
}

/** As one would type it: a script for `sh -c` as the script. */
export const commandText = (argv: readonly string[]): string => formatCommand(argv) ?? argv.map(quoteWord).join(" ");

/** What the focus stands on: the command, the port's address, the run's id, the lines of a log. */
export function copyFocused(model: Model): Step {
  if (isLogPanel(model.focus)) return copyLines(model, model.focus);
  if (model.focus === "ports") {
    const port = selectedJob(model)?.ports?.[model.portIndex];
    return port ? copy(model, `localhost:${port.port}`, `localhost:${port.port} copied`) : [model, []];
  }
  if (model.focus === "runs") {
    const run = model.runs[runIndexOf(model)];
    return run ? copy(model, run.id, `${run.id} copied`) : [model, []];
  }
  return copyCommand(model);
}

/** The lines dragged over, else those on the screen. */
export function copyLines(model: Model, panel: LogPanelId): Step {
  const pane = model.panes[panel];
  const lines = pane.selection ? selectedLines(pane) : shownLines(model, panel);
  if (lines.length === 0) return [model, []];
  const text = `${lines.map(withoutSgr).join("\n")}\n`;
  const next = withPane(model, panel, { ...pane, selection: null });
  return copy(next, text, `${lines.length} ${lines.length === 1 ? "line" : "lines"} copied`);
}

export function copy(model: Model, text: string, said: string): Step {
  const [next, effects] = say(model, said);
  return [next, [{ kind: "copy", text }, ...effects]];
}

function selectedLines({ selection, lines }: LogPane): string[] {
  if (!selection) return [];
  const from = Math.min(selection.fromByte, selection.toByte);
  const to = Math.max(selection.fromByte, selection.toByte);
  return lines.filter((line) => line.startByte >= from && line.startByte <= to).map((line) => line.text);
}

function shownLines(model: Model, panel: LogPanelId): string[] {
  const rows = visibleRows(model.panes[panel], viewSize(model, panel));
  return [...new Set(rows.map((row) => row.line))].map((line) => line.text);
}
