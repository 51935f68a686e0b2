import { isErasable } from "./attributes.ts";
import type { Pen } from "./pen.ts";
import { BG, type Cell, type CellAttributes, COLOUR_MASK, type Line, type ScreenBuffer } from "./xterm-core.ts";

/**
 * Paints the cells of a screen onto one that is blank. A line that went on in the next row is written as one, through the right margin, so that the terminal
 * knows it as one line too (for copying, and when its width changes).
 */
export interface RowsToPaint {
  buffer: ScreenBuffer;
  cols: number;
  rows: number;
  /** False: the margin is not where the emulator's is. */
  wraps: boolean;
  /** Is read into. */
  cell: Cell;
}

interface Repair {
  row: number;
  column: number;
  attributes: CellAttributes;
}

/** From here on, terminals differ in how wide a character is. */
const EMOJI = 0x1f000;

export class RowPainter {
  readonly #pen: Pen;
  readonly #buffer: ScreenBuffer;
  readonly #cols: number;
  readonly #rows: number;
  readonly #wraps: boolean;
  readonly #cell: Cell;
  /** Cells that were written only to go on in the next row. */
  readonly #repairs: Repair[] = [];

  constructor(pen: Pen, { buffer, cols, rows, wraps, cell }: RowsToPaint) {
    this.#pen = pen;
    this.#buffer = buffer;
    this.#cols = cols;
    this.#rows = rows;
    this.#wraps = wraps;
    this.#cell = cell;
  }

  paint(): void {
    let isContinued = false;
    for (let row = 0; row < this.#rows; row++) {
      const line = this.#lineAt(row);
      if (!line) break;
      const next = row + 1 < this.#rows ? this.#lineAt(row + 1) : undefined;
      const continues = this.#wraps && next?.isWrapped === true;
      if (isContinued || !this.#isEmpty(line) || continues) this.#paintRow(row, line, isContinued, continues);
      isContinued = continues;
    }
    for (const { row, column, attributes } of this.#repairs) {
      this.#pen.moveTo(row, column);
      this.#pen.use(attributes);
      this.#pen.write("\x1b[X");
    }
    this.#pen.usePlain();
  }

  #paintRow(row: number, line: Line, isContinued: boolean, continues: boolean): void {
    if (!isContinued) this.#pen.moveTo(row, 0);
    let column = 0;
    while (column < this.#cols) {
      const cell = line.loadCell(column, this.#cell);
      if (cell.getChars() !== "") column = this.#paintCharacter(cell, column, continues);
      else if (column === 0 && isContinued) column = this.#paintMargin(row, column, cell);
      else column = this.#paintBlanks({ row, line, column, continues });
    }
  }

  #paintCharacter(cell: Cell, column: number, continues: boolean): number {
    const width = cell.getWidth();
    const chars = cell.getChars();
    const after = column + Math.max(1, width);
    this.#pen.use(cell);
    if (after > this.#cols) {
      this.#pen.write(" "); // half of it is outside
      return after;
    }
    this.#pen.print(chars);
    const isDoubtful =
      width === 0 || chars.length > 1 || chars.charCodeAt(0) >= 0xd800 || chars.codePointAt(0)! >= EMOJI;
    if (isDoubtful && (after < this.#cols || !continues))
      this.#pen.write(`\x1b[${Math.min(after, this.#cols - 1) + 1}G`);
    return after;
  }

  #paintBlanks({ row, line, column, continues }: BlankRun): number {
    const attributes = copyOf(this.#cell);
    let end = column + 1;
    while (end < this.#cols && isSameBlank(line.loadCell(end, this.#cell), attributes)) end += 1;
    const reachesMargin = end === this.#cols;
    if (!isErasable(attributes)) {
      this.#pen.use(attributes);
      this.#pen.write(" ".repeat(end - column));
      return end;
    }
    // The last column is written to go on in the next row, unless what comes there is too wide for it.
    const last = reachesMargin && continues ? end - 1 : end;
    this.#erase(last - column, attributes, reachesMargin && !continues);
    if (last === end) return end;
    if (
      this.#lineAt(row + 1)
        ?.loadCell(0, this.#cell)
        .getWidth() === 2
    ) {
      this.#repairs.push({ row, column: last, attributes });
      return end;
    }
    return this.#paintMargin(row, last, attributes);
  }

  #erase(count: number, attributes: CellAttributes, toMargin: boolean): void {
    if (count === 0) return;
    const hasColour = (attributes.bg & COLOUR_MASK) !== 0;
    if (hasColour) {
      this.#pen.use(attributes);
      this.#pen.write(toMargin ? "\x1b[K" : `\x1b[${count}X`);
    }
    if (!toMargin) this.#pen.write(`\x1b[${count}C`);
  }

  #paintMargin(row: number, column: number, attributes: CellAttributes): number {
    this.#pen.use(attributes);
    this.#pen.write(" ");
    if (isErasable(attributes)) this.#repairs.push({ row, column, attributes: copyOf(attributes) });
    return column + 1;
  }

  #isEmpty(line: Line): boolean {
    for (let column = 0; column < this.#cols; column++) {
      const cell = line.loadCell(column, this.#cell);
      if (cell.getChars() !== "" || cell.fg !== 0 || cell.bg !== 0) return false;
    }
    return true;
  }

  #lineAt(row: number): Line | undefined {
    return this.#buffer.lines.get(this.#buffer.ybase + row);
  }
}

interface BlankRun {
  row: number;
  line: Line;
  column: number;
  continues: boolean;
}

function isSameBlank(cell: Cell, { fg, bg, extended }: CellAttributes): boolean {
  if (cell.getChars() !== "" || cell.fg !== fg || cell.bg !== bg) return false;
  return !(bg & BG.hasExtended) || (cell.extended._ext === extended._ext && cell.extended.urlId === extended.urlId);
}

const copyOf = ({ fg, bg, extended }: CellAttributes): CellAttributes => ({ fg, bg, extended });
