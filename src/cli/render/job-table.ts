import { formatBytes } from "../../protocol/durations.ts";
import type { Job } from "../../protocol/units.ts";
import { shortAge, shortPath } from "./ages.ts";
import { commandText } from "./job-text.ts";
import { stateOfJob } from "./states.ts";
import type { Style } from "./style.ts";
import { cutMiddle, cutStart, padEnd, padStart, printable, widthOf } from "./text-width.ts";

/** The list on a terminal: one row a job, columns aligned, the command cut in its middle to what is left of the line. */
export interface TableOptions {
  style: Style;
  glyphs: boolean;
  columnCount: number;
  nowMs: number;
  /** Jobs of several directories: say which. */
  withDirectory: boolean;
  userHome: string | undefined;
}

const GAP = "   ";
/** Below this a command says nothing any more; the line may then be longer than the terminal. */
const COMMAND_WIDTH_MIN = 16;
const PORTS_SHOWN_MAX = 3;
/** A path says most at its end. */
const DIRECTORY_WIDTH_MAX = 24;

export function jobTable(jobs: readonly Job[], options: TableOptions): string[] {
  const rows = jobs.map((job) => cellsOf(job, options));
  const widths = rows.reduce<number[]>(
    (max, { cells }) => cells.map((cell, at) => Math.max(max[at] ?? 0, widthOf(cell))),
    [],
  );
  const shown = fitted(widths, options);
  return rows.map(({ job, cells }) => rowLine(job, cells, shown, options));
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

/** Name, kind, state, ports, processor, memory, age, directory; a column that is empty in every row takes no room. */
function cellsOf(job: Job, { nowMs, withDirectory, userHome }: TableOptions): { job: Job; cells: string[] } {
  const sinceText = job.status === "running" ? job.started_at : (job.stopped_at ?? job.created_at);
  const cells = [
    printable(job.name ?? job.id),
    String(job.kind),
    stateWord(job),
    portsText(job),
    job.status === "running" && job.cpu_percent !== undefined ? `${Math.round(job.cpu_percent)}%` : "",
    job.status === "running" && job.memory_bytes !== undefined ? formatBytes(job.memory_bytes) : "",
    sinceText === undefined ? "" : shortAge(nowMs - Date.parse(sinceText)),
    withDirectory ? cutStart(printable(shortPath(job.workdir, userHome)), DIRECTORY_WIDTH_MAX) : "",
  ];
  return { job, cells };
}

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

function rowLine(job: Job, cells: readonly string[], widths: readonly number[], options: TableOptions): string {
  const { style, glyphs, columnCount } = options;
  const state = stateOfJob(job);
  const mark = padEnd(style.tone(state.tone, glyphs ? state.glyph : state.plain, state.dim), glyphs ? 1 : 2);
  const shown = cells
    .map((cell, at) =>
      paint(at, RIGHT_ALIGNED.has(at) ? padStart(cell, widths[at]!) : padEnd(cell, widths[at]!), job, style),
    )
    .filter((_, at) => widths[at]! > 0);
  const head = `${mark} ${shown.join(GAP)}${GAP}`;
  const room = Math.max(COMMAND_WIDTH_MIN, columnCount - widthOf(head));
  const description = job.description ? printable(job.description) : undefined;
  const command = cutMiddle(printable(commandText(job)), room);
  if (description === undefined || widthOf(command) + 2 + widthOf(description) > room)
    return `${head}${command}`.trimEnd();
  return `${head}${command}  ${style.dim(description)}`;
}

function paint(column: number, cell: string, job: Job, style: Style): string {
  if (cell.trim() === "") return cell;
  if (column === 0) return style.bold(cell);
  if (column === 2) {
    const { tone, dim } = stateOfJob(job);
    return style.tone(tone, cell, dim);
  }
  return column === 3 ? cell : style.dim(cell);
}
