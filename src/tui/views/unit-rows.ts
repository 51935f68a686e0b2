import { basename } from "node:path";
import type { Job } from "../../protocol/units.ts";
import { commandText } from "../model/copy.ts";
import { holds } from "../model/find.ts";
import { innerColumns, type Layout } from "../model/layout.ts";
import type { Model, Row } from "../model/model.ts";
import { shownRows } from "../model/rows.ts";
import { formatAge } from "../text/age.ts";
import { inOneRow, sliceColumns } from "../text/ansi.ts";
import { cutMiddle, padEnd, padStart, widthOf } from "../text/width.ts";
import { fit } from "./frame.ts";
import { headingRow, newSessionRow, serverRow, sessionRow } from "./session-rows.ts";
import { jobState } from "./states.ts";
import { bold, paint, reverse, type Theme } from "./theme.ts";
import { useColumns } from "./use-text.ts";
import { workerRow } from "./worker-rows.ts";

/** Panel 1. A row: glyph, name, command, what there is to say of it (port, word or exit status), what it uses where there is room, age. */

const AGE_COLUMNS = 4;
const WORD_COLUMNS = 11;
/** Below this width the word gives way to an exit status or a port, and the age goes. */
const COLUMNS_FOR_WORD = 32;

export function unitRows(theme: Theme, model: Model, layout: Layout): string[] {
  const rect = layout.panels.units;
  const columns = innerColumns(rect);
  const rows = shownRows(model).map((row) => rowText(theme, model, row, columns));
  const isEmpty = model.order.length + model.workerOrder.length === 0 && model.sessions.rows.length === 1;
  return isEmpty ? [...rows, "", ...emptyRows(theme, model, columns)] : rows;
}

function rowText(theme: Theme, model: Model, row: Row, columns: number): string {
  switch (row.kind) {
    case "new":
      return newSessionRow(theme, model, columns);
    case "server":
      return serverRow(theme, model, row.name, columns);
    case "session": {
      const session = model.sessions.byId.get(row.id);
      return session ? sessionRow(theme, model, session, columns) : "";
    }
    case "job": {
      const job = model.jobs.get(row.id);
      return job ? unitRow(theme, model, job, columns, model.lists.units.column) : "";
    }
    case "worker": {
      const view = model.workers.get(row.id);
      return view ? workerRow(theme, model, view, columns) : "";
    }
    default:
      return headingRow(theme, model, row, columns);
  }
}

function unitRow(theme: Theme, model: Model, job: Job, columns: number, column: number): string {
  const { glyph, word, short, tone } = jobState(theme, job);
  const isSelected = job.id === model.selectedId;
  const isWide = columns >= COLUMNS_FOR_WORD;
  const port = job.status === "running" ? job.ports?.[0]?.port : undefined;
  const said = port !== undefined ? `:${port}` : isWide ? word : short;
  const use = useColumns(model.usage.get(job.id), columns);
  const age = padStart(ageOf(job, model.nowMs), AGE_COLUMNS);
  const right = isWide ? `${padEnd(said, WORD_COLUMNS)}${use}${age}` : said;
  const room = columns - 2 - widthOf(right) - 1;
  const [name, rest] = whatOf(model, job, room + column);
  if (isSelected && model.focus === "units") {
    const shown = sliceColumns(`${name}${rest}`, column, room);
    return reverse(fit(`${glyph} ${fit(shown, room)} ${right}`, columns));
  }
  const isFound = model.search?.panel === "units" && holds(`${job.id} ${name}${rest}`, model.search.query);
  const styled = sliceColumns(`${isSelected ? bold(name) : name}${paint(theme, "quiet", rest)}`, column, room);
  const shown = isFound ? paint(theme, "accent", sliceColumns(`${name}${rest}`, column, room)) : styled;
  const state =
    port === undefined && isWide ? paint(theme, tone, right.slice(0, said.length)) : right.slice(0, said.length);
  const tail = isWide ? state + paint(theme, "quiet", right.slice(said.length)) : paint(theme, tone, right);
  return `${paint(theme, tone, glyph)} ${fit(shown, room)} ${tail}`;
}

/** The name, and the command behind it; without a name the command. In all directories the folder follows. */
function whatOf(model: Model, job: Job, columns: number): [name: string, rest: string] {
  const command = inOneRow(commandText(job.command));
  const folder =
    model.allDirectories && job.workdir !== model.scope.path ? `  ${inOneRow(basename(job.workdir))}/` : "";
  if (job.name === undefined) return [cutMiddle(command, Math.max(8, columns - widthOf(folder))), folder];
  const shown = `${job.name}${folder}  `;
  return [job.name, `${folder}  ${cutMiddle(command, Math.max(8, columns - widthOf(shown)))}`];
}

function ageOf(job: Job, nowMs: number): string {
  const at = job.status === "running" ? job.started_at : (job.stopped_at ?? job.started_at ?? job.created_at);
  return at === undefined ? "" : formatAge(nowMs - Date.parse(at));
}

function emptyRows(theme: Theme, model: Model, columns: number): string[] {
  if (model.connection === "connecting") return [paint(theme, "quiet", "connecting")];
  const elsewhere = model.jobs.size;
  const where = model.allDirectories ? "Nothing runs yet." : "Nothing runs here yet.";
  return [
    where,
    "",
    paint(theme, "accent", "warren add npm run dev"),
    ...(elsewhere > 0 && !model.allDirectories
      ? ["", paint(theme, "quiet", `${elsewhere} in other directories: a`)]
      : ["", paint(theme, "quiet", "or press n")]),
  ].map((line) => fit(line, columns));
}
