import { formatBytes } from "../../protocol/durations.ts";
import type { Worker } from "../../protocol/gateway-units.ts";
import type { Unit } from "../../protocol/messages.ts";
import type { Job } from "../../protocol/units.ts";
import { shortAge, shortPath } from "./ages.ts";
import { commandText } from "./job-text.ts";
import { type StateView, stateOfJob, stateOfWorker } from "./states.ts";
import type { Style } from "./style.ts";
import { cutMiddle, cutStart, padEnd, padStart, printable, widthOf } from "./text-width.ts";
import { factsText, placeText } from "./worker-text.ts";

/** The list on a terminal: one row a unit, columns aligned, the command cut in its middle to what is left of the line. */
export interface TableOptions {
  style: Style;
  glyphs: boolean;
  columnCount: number;
  nowMs: number;
  /** Units of several directories: say which. */
  withDirectory: boolean;
  userHome: string | undefined;
}

const GAP = "   ";
/** Below this a command says nothing any more; the line may then be longer than the terminal. */
const COMMAND_WIDTH_MIN = 16;
const PORTS_SHOWN_MAX = 3;
/** A path says most at its end. */
const DIRECTORY_WIDTH_MAX = 24;

export function unitTable(units: readonly Unit[], options: TableOptions): string[] {
  const rows = units.map((unit) => (unit.kind === "worker" ? ofWorker(unit, options) : ofJob(unit, options)));
  const widths = rows.reduce<number[]>(
    (max, { cells }) => cells.map((cell, at) => Math.max(max[at] ?? 0, widthOf(cell))),
    [],
  );
  const shown = fitted(widths, options);
  return rows.map((row) => rowLine(row, shown, options));
}

/** What is left out where the line is too narrow, first to last: memory, processor, kind. */
const DISPENSABLE = [5, 4, 1];

/** The widths, with 0 for columns that have no room. */
function fitted(widths: readonly number[], { columnCount, glyphs }: TableOptions): number[] {
  const left = [...widths];
  const headWidth = (): number =>
    left.filter((width) => width > 0).reduce((sum, width) => sum + width + GAP.length, glyphs ? 2 : 3);
  for (const column of DISPENSABLE) if (headWidth() + COMMAND_WIDTH_MIN > columnCount) left[column] = 0;
  return left;
}

const RIGHT_ALIGNED = new Set([4, 5, 6]);

interface UnitRow {
  state: StateView;
  cells: string[];
  /** Behind the columns: the command, or what a worker is about. */
  text: string;
  description: string | undefined;
}

/** Name, kind, state, ports or route, processor, memory, age, directory; a column that is empty in every row takes no room. */
function ofJob(job: Job, options: TableOptions): UnitRow {
  const sinceText = job.status === "running" ? job.started_at : (job.stopped_at ?? job.created_at);
  const cells = [
    printable(job.name ?? job.id),
    String(job.kind),
    stateWord(job),
    portsText(job),
    ...usageCells(job),
    ...placeCells(sinceText, job.workdir, options),
  ];
  const description = job.description ? printable(job.description) : undefined;
  return { state: stateOfJob(job), cells, text: printable(commandText(job)), description };
}

function ofWorker(worker: Worker, options: TableOptions): UnitRow {
  const cells = [
    worker.name,
    worker.kind,
    stateOfWorker(worker).word,
    placeText(worker, options.glyphs),
    ...usageCells(worker),
    ...placeCells(worker.started_at, worker.workdir, options),
  ];
  return { state: stateOfWorker(worker), cells, text: factsText(worker), description: undefined };
}

const usageCells = ({ status, cpu_percent, memory_bytes }: Pick<Unit, "status" | "cpu_percent" | "memory_bytes">) => [
  status === "running" && cpu_percent !== undefined ? `${Math.round(cpu_percent)}%` : "",
  status === "running" && memory_bytes !== undefined ? formatBytes(memory_bytes) : "",
];

const placeCells = (
  sinceText: string | undefined,
  workdir: string | undefined,
  { nowMs, withDirectory, userHome }: TableOptions,
): string[] => [
  sinceText === undefined ? "" : shortAge(nowMs - Date.parse(sinceText)),
  withDirectory && workdir !== undefined ? cutStart(printable(shortPath(workdir, userHome)), DIRECTORY_WIDTH_MAX) : "",
];

function stateWord(job: Job): string {
  const { word } = stateOfJob(job);
  return job.progress_percent === undefined || job.status === "stopped"
    ? word
    : `${word} ${Math.floor(job.progress_percent)}%`;
}

function portsText({ ports = [], status }: Job): string {
  if (status === "stopped") return "";
  const numbers = [...new Set(ports.map(({ port }) => port))];
  const more = numbers.length > PORTS_SHOWN_MAX ? ` +${numbers.length - PORTS_SHOWN_MAX}` : "";
  return (
    numbers
      .slice(0, PORTS_SHOWN_MAX)
      .map((port) => `:${port}`)
      .join(" ") + more
  );
}

function rowLine(
  { state, cells, text, description }: UnitRow,
  widths: readonly number[],
  options: TableOptions,
): string {
  const { style, glyphs, columnCount } = options;
  const mark = padEnd(style.tone(state.tone, glyphs ? state.glyph : state.plain, state.dim), glyphs ? 1 : 2);
  const shown = cells
    .map((cell, at) =>
      paint(at, RIGHT_ALIGNED.has(at) ? padStart(cell, widths[at]!) : padEnd(cell, widths[at]!), state, style),
    )
    .filter((_, at) => widths[at]! > 0);
  const head = `${mark} ${shown.join(GAP)}${GAP}`;
  const room = Math.max(COMMAND_WIDTH_MIN, columnCount - widthOf(head));
  const command = cutMiddle(text, room);
  if (description === undefined || widthOf(command) + 2 + widthOf(description) > room)
    return `${head}${command}`.trimEnd();
  return `${head}${command}  ${style.dim(description)}`;
}

function paint(column: number, cell: string, { tone, dim }: StateView, style: Style): string {
  if (cell.trim() === "") return cell;
  if (column === 0) return style.bold(cell);
  if (column === 2) return style.tone(tone, cell, dim);
  return column === 3 ? cell : style.dim(cell);
}
