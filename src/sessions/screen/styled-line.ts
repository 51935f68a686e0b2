import { PLAIN, sgrOf } from "./attributes.ts";
import type { Cell, Line } from "./xterm-core.ts";

/** A line of the screen as text with SGR sequences, which begins and ends plain; blank cells at its end are left out. `cell` is read into. */
export function styledLine(line: Line, cols: number, cell: Cell): string {
  let text = "";
  let look = PLAIN;
  let end = { length: 0, look };
  for (let column = 0; column < cols; column++) {
    line.loadCell(column, cell);
    if (cell.getWidth() === 0) continue; // the second half of a wide character
    const next = sgrOf(cell);
    if (next !== look) text += next;
    look = next;
    const characters = cell.getChars() || " ";
    text += characters;
    if (characters !== " " || look !== PLAIN) end = { length: text.length, look };
  }
  return text.slice(0, end.length) + (end.look === PLAIN ? "" : PLAIN);
}
