import { isErasable, linkOf } from "../attributes.ts";
import { Emulator, type EmulatorEvents } from "../emulator.ts";
import {
  BG,
  type Cell,
  type CellAttributes,
  COLOUR,
  FG,
  RGB_MASK,
  type ScreenBuffer,
  UNDERLINE_STYLE_SHIFT,
  widthBefore,
} from "../xterm-core.ts";

/** Everything that a user or a program can notice of a terminal, as plain data that two of them can be compared by. */
export const NO_EVENTS: EmulatorEvents = {
  onTitle() {},
  onBell() {},
  onReply() {},
  onNotification() {},
  onMark() {},
};

export const newEmulator = (cols: number, rows: number): Emulator => new Emulator({ cols, rows }, NO_EVENTS);

export function emulatorAfter(cols: number, rows: number, ...pieces: readonly Uint8Array[]): Emulator {
  const emulator = newEmulator(cols, rows);
  for (const piece of pieces) emulator.write(piece);
  return emulator;
}

export function stateOf(emulator: Emulator): Record<string, unknown> {
  const { core, modes } = emulator.internals;
  const { active, normal, alt } = core.buffers;
  const { coreService, coreMouseService, optionsService, _charsetService, _inputHandler } = core;
  const isAlternate = active === alt;
  const saved = modes.saved.of(active);
  return {
    screen: rowsOf(emulator, active),
    ...(isAlternate ? { primary: rowsOf(emulator, normal), primarySaved: savedOf(emulator, normal) } : {}),
    isAlternate,
    cursor: [active.x, active.y],
    region: [active.scrollTop, active.scrollBottom],
    primaryRegion: [normal.scrollTop, normal.scrollBottom],
    saved: savedOf(emulator, active),
    savedCharsets: [saved?.charsets ?? ["B", "B", "B", "B"], saved?.shift ?? 0],
    tabs: Object.keys(active.tabs)
      .filter((column) => active.tabs[Number(column)] && Number(column) < core.cols)
      .map(Number),
    attributes: attributesOf(emulator, _inputHandler._curAttrData),
    charsets: [...modes.charsets],
    shift: _charsetService.glevel,
    repeats: widthBefore(core),
    modes: { ...coreService.decPrivateModes },
    isInserting: coreService.modes.insertMode,
    isCursorHidden: coreService.isCursorHidden,
    lineFeedReturns: optionsService.options.convertEol,
    mouse: coreMouseService.activeProtocol,
    others: modes.toBytes(),
    keys: [modes.keysToBytes("normal"), modes.keysToBytes("alt")],
    title: emulator.title,
  };
}

function savedOf(emulator: Emulator, { savedX, savedY, ybase, savedCurAttrData }: ScreenBuffer): unknown {
  const { cols, rows } = emulator.size;
  const place = [Math.min(savedX, cols - 1), Math.min(Math.max(0, savedY - ybase), rows - 1)];
  return [place, seen(savedCurAttrData.fg), seen(savedCurAttrData.bg & ~BG.hasExtended)];
}

function rowsOf(emulator: Emulator, buffer: ScreenBuffer): string[] {
  const { core } = emulator.internals;
  const cell = core.buffers.active.lines.get(0) && newCell(emulator);
  return Array.from({ length: core.rows }, (_, row) => {
    const line = buffer.lines.get(buffer.ybase + row);
    if (!line || !cell) return "";
    const cells: string[] = [];
    for (let column = 0; column < core.cols; column++) {
      const { width, text } = describe(emulator, line.loadCell(column, cell));
      cells.push(text);
      if (width === 2) column += 1;
    }
    // Behind the last column, only writing brings the cursor there again, be it a blank.
    const last = cells.pop()!;
    cells.push(last.startsWith(" ") ? `∅${last.slice(1)}` : last);
    return `${row > 0 && line.isWrapped ? "↩" : " "}${trimmed(cells)}`;
  });
}

const cells = new WeakMap<Emulator, Cell>();
function newCell(emulator: Emulator): Cell {
  const known = cells.get(emulator) ?? (emulator.internals.nullCell() as Cell);
  cells.set(emulator, known);
  return known;
}

/**
 * A cell that was never written to, or erased, is not told from one with half of a wide character whose other half was overwritten. A combining character
 * that stands alone has, written again, a blank to stand on.
 */
function describe(emulator: Emulator, cell: Cell): { width: number; text: string } {
  const chars = cell.getChars();
  const width = Math.max(1, cell.getWidth());
  const attributes = attributesOf(emulator, cell);
  if (chars === "" && isErasable(cell)) return { width, text: `∅${attributes}|` };
  return {
    width,
    text: `${chars.length > 1 ? chars.trimStart() : chars || " "}${width === 2 ? "══" : ""}${attributes}|`,
  };
}

function trimmed(cells: string[]): string {
  let end = cells.length;
  while (end > 0 && cells[end - 1] === "∅|") end -= 1;
  return cells.slice(0, end).join("");
}

function attributesOf(emulator: Emulator, attributes: CellAttributes): string {
  const { fg, bg } = attributes;
  const ext = extendedOf(attributes);
  const link = linkOf(attributes);
  const uri = link === 0 ? "" : (emulator.internals.core._oscLinkService.getLinkData(link)?.uri ?? "");
  const values = [fg, bg & ~BG.hasExtended, ext].map((value) => seen(value).toString(16));
  return values.every((value) => value === "0") && uri === "" ? "" : `[${values.join(",")},${uri}]`;
}

/** DECALN underlines its cells without saying how. */
function extendedOf({ fg, bg, extended }: CellAttributes): number {
  const ext = bg & BG.hasExtended ? extended._ext : 0;
  return fg & FG.underline && ext >>> UNDERLINE_STYLE_SHIFT === 0 ? ext | (1 << UNDERLINE_STYLE_SHIFT) : ext;
}

/** Of a colour of the palette, the emulator leaves bits of the RGB colour before it. */
function seen(value: number): number {
  const mode = value & COLOUR.modeMask;
  const isRgb = mode === COLOUR.rgb;
  return (isRgb ? value : mode === 0 ? value & ~RGB_MASK : value & ~0xffff00) >>> 0;
}
