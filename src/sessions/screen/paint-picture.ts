import { cursorLookOf, keyboardModesOf, RESET, type ScreenState, titleBytes } from "./paint-screen.ts";
import { Pen } from "./pen.ts";
import type { Cell, Line } from "./xterm-core.ts";

/**
 * A picture of a screen for a terminal of another size: all of it, with a line where it ends, or the part around the cursor. Nothing scrolls, and what may be
 * in the way of a picture (margins, mouse reports, the alternate screen) is not set; how keys are sent is.
 */
interface View {
  top: number;
  left: number;
  /** Of the session's screen that are seen. */
  cols: number;
  rows: number;
}

const SYNC_BEGIN = "\x1b[?2026h";
const SYNC_END = "\x1b[?2026l";

export function paintPicture(state: ScreenState, { cols, rows }: { cols: number; rows: number }): string {
  const { core, modes, title } = state;
  const { active } = core.buffers;
  const view: View = {
    cols: Math.min(cols, state.cols),
    rows: Math.min(rows, state.rows),
    top: panned(active.y, state.rows, rows),
    left: panned(Math.min(active.x, state.cols - 1), state.cols, cols),
  };
  const pen = new Pen(core);
  pen.write(`${SYNC_BEGIN}${RESET}\x1b[?25l\x1b[?7l`);
  for (let row = 0; row < view.rows; row++) {
    pen.moveTo(row, 0);
    paintRow(state, pen, view, active.lines.get(active.ybase + view.top + row));
    pen.usePlain();
    if (cols > view.cols) pen.write(`${EDGE}│${EDGE_END}\x1b[K`);
  }
  if (rows > view.rows) pen.write(bottomEdge(view, cols));
  pen.write(`\x1b[?7h${keyboardModesOf(core)}${modes.modifiedKeysToBytes()}`);
  pen.write(modes.keysToBytes(modes.isAlternate ? "alt" : "normal"));
  pen.write(titleBytes(title));
  pen.moveTo(active.y - view.top, Math.min(active.x, state.cols - 1) - view.left);
  pen.write(`${cursorLookOf(core)}${SYNC_END}`);
  return pen.text();
}

const EDGE = "\x1b[2m";
const EDGE_END = "\x1b[m";

function bottomEdge({ cols: viewCols, rows }: View, cols: number): string {
  const corner = cols > viewCols ? "┘" : "";
  return `\x1b[${rows + 1};1H${EDGE}${"─".repeat(viewCols)}${corner}${EDGE_END}\x1b[K\x1b[J`;
}

/** The first row, or column, that is seen: with the cursor in the middle, where that is possible. */
function panned(cursor: number, length: number, seen: number): number {
  return Math.max(0, Math.min(cursor - Math.floor(seen / 2), length - seen));
}

function paintRow({ cell }: ScreenState, pen: Pen, { left, cols }: View, line: Line | undefined): void {
  const end = left + cols;
  let column = left;
  while (line && column < end) {
    const { chars, width } = read(line, column, cell);
    const isWhole = column + width <= end && !(column === left && left > 0 && isSecondHalf(line, column, cell));
    line.loadCell(column, cell);
    pen.use(cell);
    if (isWhole && chars !== "") pen.print(chars);
    else pen.write(" ".repeat(Math.min(width, end - column)));
    column += width;
    // Where terminals differ in width, the next one has its place all the same.
    if (chars.length > 1 && column < end) pen.write(`\x1b[${column - left + 1}G`);
  }
}

function read(line: Line, column: number, cell: Cell): { chars: string; width: number } {
  line.loadCell(column, cell);
  const width = cell.getWidth();
  return { chars: cell.getChars(), width: Math.max(1, width) };
}

const isSecondHalf = (line: Line, column: number, cell: Cell): boolean =>
  line.loadCell(column, cell).getWidth() === 0 && line.loadCell(column - 1, cell).getWidth() === 2;
