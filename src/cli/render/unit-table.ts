import { formatBytes } from "../../protocol/durations.ts";
import type { Worker } from "../../protocol/gateway-units.ts";
import type { Unit } from "../../protocol/messages.ts";
import type { Job, Session } from "../../protocol/units.ts";
import { shortAge, shortPath } from "./ages.ts";
import { commandText } from "./job-text.ts";
import { type StateView, stateOfJob, stateOfSession, stateOfWorker } from "./states.ts";
import type { Style } from "./style.ts";
import { cutMiddle, cutStart, padEnd, padStart, printable, widthOf } from "./text-width.ts";
import { factsText, placeText } from "./worker-text.ts";

/**
 * The one table of units: a row each, the same columns for every kind. On a terminal a column that is empty in every row takes no room, and what does
 * not fit is cut; in a pipe every column is there, `-` where it is empty, two spaces or more between them, and nothing is cut.
 */
export type AnyUnit = Unit | Session;

export interface TableOptions {
  isTerminal: boolean;
  style: Style;
  glyphs: boolean;
  columnCount: number;
  nowMs: number;
  /** Units of several directories: say which. */
  withDirectory: boolean;
  /** Icons before the names, where every row has one. */
  withIcons?: boolean;
  /** Which server has it, and how many are attached. */
  withServer?: boolean;
  userHome: string | undefined;
}

const GAP = "   ";
/** Below this a command says nothing any more; the line may then be longer than the terminal. */
const TEXT_WIDTH_MIN = 16;
const PORTS_SHOWN_MAX = 3;
/** A path says most at its end. */
const DIRECTORY_WIDTH_MAX = 24;

const COLUMNS = [
  "name",
  "kind",
  "state",
  "place",
  "unread",
  "cpu",
  "memory",
  "server",
  "attached",
  "age",
  "directory",
] as const;
type Column = (typeof COLUMNS)[number];
type Cells = Record<Column, string>;
const RIGHT_ALIGNED: ReadonlySet<Column> = new Set(["cpu", "memory", "age"]);
/** What is left out where the line is too narrow, first to last. */
const DISPENSABLE: readonly Column[] = ["memory", "cpu", "kind", "attached", "server"];

interface UnitRow {
  state: StateView;
  cells: Cells;
  /** Behind the columns: what it asks, its command, or what a worker is about. */
  text: string;
  description: string | undefined;
}

export function unitTable(units: readonly AnyUnit[], options: TableOptions): string[] {
  const rows = units.map((unit) => rowOf(unit, options));
  const all = COLUMNS.filter((column) => isWanted(column, options));
  const widths = new Map<Column, number>();
  for (const column of all) {
    if (!options.isTerminal) for (const { cells } of rows) cells[column] ||= "-";
    widths.set(column, Math.max(0, ...rows.map(({ cells }) => widthOf(cells[column]))));
  }
  if (!options.isTerminal) return rows.map((row) => plainLine(row, widths));
  fit(widths, options);
  return rows.map((row) => rowLine(row, widths, options));
}

function isWanted(column: Column, { withDirectory, withServer = false }: TableOptions): boolean {
  if (column === "directory") return withDirectory;
  return (column !== "server" && column !== "attached") || withServer;
}

/** Takes out the columns that are empty, and those that have no room. */
function fit(widths: Map<Column, number>, { columnCount, glyphs }: TableOptions): void {
  for (const [column, width] of widths) if (width === 0) widths.delete(column);
  const headWidth = (): number => [...widths.values()].reduce((sum, width) => sum + width + GAP.length, glyphs ? 2 : 3);
  for (const column of DISPENSABLE) if (headWidth() + TEXT_WIDTH_MIN > columnCount) widths.delete(column);
}

function rowOf(unit: AnyUnit, options: TableOptions): UnitRow {
  switch (unit.kind) {
    case "worker":
      return ofWorker(unit, options);
    case "job":
      return ofJob(unit, options);
    default:
      return ofSession(unit, options);
  }
}

function ofJob(job: Job, options: TableOptions): UnitRow {
  const sinceText = job.status === "running" ? job.started_at : (job.stopped_at ?? job.created_at);
  const state = stateOfJob(job);
  const cells = {
    ...commonCells(job, sinceText, options),
    name: printable(job.name ?? job.id),
    state: job.progress_percent === undefined || job.status === "stopped" ? state.word : progressText(state, job),
    place: portsText(job, options),
  };
  const description = job.description ? printable(job.description) : undefined;
  return { state, cells, text: printable(commandText(job)), description };
}

function ofWorker(worker: Worker, options: TableOptions): UnitRow {
  const state = stateOfWorker(worker);
  const cells = {
    ...commonCells(worker, worker.started_at, options),
    name: worker.name,
    state: state.word,
    place: options.isTerminal ? placeText(worker, options.glyphs) : printable(worker.url ?? worker.route),
  };
  return { state, cells, text: factsText(worker), description: undefined };
}

function ofSession(session: Session, options: TableOptions): UnitRow {
  const state = stateOfSession(session);
  const attachedCount = session.client_count + session.viewer_count;
  const hasIcon = options.withIcons === true && options.isTerminal && options.glyphs;
  const cells = {
    ...commonCells(session, session.active_at, options),
    name: hasIcon ? `${printable(session.icon)} ${session.name}` : session.name,
    state: state.word,
    place: sessionPlace(session, options),
    unread: session.unread ? `${session.unread} unread` : "",
    attached: attachedCount > 0 ? `${attachedCount} attached` : "",
  };
  return { state, cells, text: whatItDoes(session), description: undefined };
}

function commonCells(unit: AnyUnit, sinceText: string | undefined, options: TableOptions): Cells {
  const { status, cpu_percent: cpu, memory_bytes: bytes, server = "" } = unit as Partial<Job>;
  const { nowMs } = options;
  return {
    name: "",
    kind: String(unit.kind),
    state: "",
    place: "",
    unread: "",
    cpu: status === "running" && cpu !== undefined ? `${Math.round(cpu)}%` : "",
    memory: status === "running" && bytes !== undefined ? formatBytes(bytes) : "",
    server: printable(server),
    attached: "",
    age: sinceText === undefined ? "" : shortAge(nowMs - Date.parse(sinceText)),
    directory: options.withDirectory ? directoryText(unit.workdir ?? "", options) : "",
  };
}

function directoryText(path: string, { isTerminal, userHome }: TableOptions): string {
  return isTerminal ? cutStart(printable(shortPath(path, userHome)), DIRECTORY_WIDTH_MAX) : printable(path);
}

const progressText = ({ word }: StateView, { progress_percent: percent = 0 }: Job): string =>
  `${word} ${Math.floor(percent)}%`;

function portsText({ ports = [], status }: Job, { isTerminal }: TableOptions): string {
  if (status === "stopped") return "";
  const numbers = [...new Set(ports.map(({ port }) => port))];
  const shownCount = isTerminal ? PORTS_SHOWN_MAX : numbers.length;
  const more = numbers.length > shownCount ? ` +${numbers.length - shownCount}` : "";
  return (
    numbers
      .slice(0, shownCount)
      .map((port) => `:${port}`)
      .join(isTerminal ? " " : ",") + more
  );
}

/** `fox.localhost:8080` where a gateway leads there, else its port; nothing where nobody listens. */
function sessionPlace({ url, port, is_listening: isListening }: Session, { isTerminal }: TableOptions): string {
  if (typeof url === "string") return printable(isTerminal ? (URL.parse(url)?.host ?? url) : url);
  return isListening && port !== undefined ? `:${port}` : "";
}

/** What it asks, else its title, else its command. */
function whatItDoes({ state, attention, title, command }: Session): string {
  if (state === "needs_you" && attention) return attention === "bell" ? "rang the bell" : printable(`"${attention}"`);
  return printable(title || command.join(" "));
}

function rowLine(
  { state, cells, text, description }: UnitRow,
  widths: ReadonlyMap<Column, number>,
  { style, glyphs, columnCount }: TableOptions,
): string {
  const mark = padEnd(style.tone(state.tone, glyphs ? state.glyph : state.plain, state.dim), glyphs ? 1 : 2);
  const shown = [...widths].map(([column, width]) => paint(column, padded(column, cells, width), state, style));
  const head = `${mark} ${shown.join(GAP)}${GAP}`;
  const room = Math.max(TEXT_WIDTH_MIN, columnCount - widthOf(head));
  const said = cutMiddle(text, room);
  if (description === undefined || widthOf(said) + 2 + widthOf(description) > room) return `${head}${said}`.trimEnd();
  return `${head}${said}  ${style.dim(description)}`;
}

function plainLine({ cells, text, description }: UnitRow, widths: ReadonlyMap<Column, number>): string {
  const shown = [...widths].map(([column, width]) => padded(column, cells, width));
  return [...shown, text || "-", ...(description === undefined ? [] : [description])].join("  ").trimEnd();
}

const padded = (column: Column, cells: Cells, width: number): string =>
  RIGHT_ALIGNED.has(column) ? padStart(cells[column], width) : padEnd(cells[column], width);

function paint(column: Column, cell: string, { tone, dim }: StateView, style: Style): string {
  if (cell.trim() === "") return cell;
  switch (column) {
    case "name":
      return style.bold(cell);
    case "state":
      return style.tone(tone, cell, dim);
    case "unread":
      return style.tone("attention", cell);
    case "place":
      return cell;
    default:
      return style.dim(cell);
  }
}
