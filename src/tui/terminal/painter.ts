/**
 * Writes frames to a terminal: only the segments that differ from what stands there, each placed by its coordinates, in one write. A frame that
 * differs in nothing writes nothing. Rows are never erased first, so nothing flickers; terminals that know synchronised output (mode 2026) show
 * each frame whole.
 */

const HOME_AND_CLEAR = "\x1b[H\x1b[2J";
const BEGIN_FRAME = "\x1b[?2026h";
const END_FRAME = "\x1b[?2026l";

/** Text that fills its place exactly; may hold SGR sequences and ends with them reset. */
export interface Segment {
  /** Column of its first cell, from 0. */
  x: number;
  text: string;
}

/** The segments of a row cover it whole, from left to right. */
export interface Frame {
  columns: number;
  rows: number;
  lines: readonly (readonly Segment[])[];
}

export class Painter {
  readonly #write: (text: string) => void;
  #shown: Frame | undefined;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** The next frame is written whole: something else has written on the screen. */
  forget(): void {
    this.#shown = undefined;
  }

  paint(frame: Frame): void {
    const shown = this.#shown;
    const isSameSize = shown?.columns === frame.columns && shown.rows === frame.rows;
    let output = isSameSize ? "" : HOME_AND_CLEAR;
    for (const [y, line] of frame.lines.entries()) output += changes(y, line, isSameSize ? shown.lines[y] : undefined);
    this.#shown = frame;
    if (output !== "") this.#write(BEGIN_FRAME + output + END_FRAME);
  }
}

/** CUP (ECMA-48 §8.3.21) and text for each segment that is new in this row. */
function changes(y: number, line: readonly Segment[], before: readonly Segment[] | undefined): string {
  const isSameShape = before?.length === line.length && line.every((segment, at) => segment.x === before[at]!.x);
  let output = "";
  for (const [at, { x, text }] of line.entries()) {
    if (isSameShape && before[at]!.text === text) continue;
    output += `\x1b[${y + 1};${x + 1}H${text}`;
  }
  return output;
}
