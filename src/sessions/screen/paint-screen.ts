import { currentSgrOf, isProtected, LINK_END, linkOf, openLink, PLAIN, protection } from "./attributes.ts";
import type { TerminalModes } from "./modes.ts";
import { RowPainter } from "./paint-rows.ts";
import { Pen } from "./pen.ts";
import { type Cell, type Core, type ScreenBuffer, widthBefore } from "./xterm-core.ts";

/**
 * The whole state of a terminal, as bytes that bring it about in another one of its size, whatever that one shows.
 *
 * Order matters: margins and origin mode move the cursor, so they come before it; the last character is written last of all, because only writing it
 * brings back that the next one wraps, or that a combining one is added to it.
 */
export interface ScreenState {
  core: Core;
  modes: TerminalModes;
  title: string;
  cols: number;
  rows: number;
  /** Is read into. */
  cell: Cell;
}

const ASCII = "\x1b(B\x1b)B\x1b*B\x1b+B\x0f";
const SYNC_BEGIN = "\x1b[?2026h";
const SYNC_END = "\x1b[?2026l";
const CLEAR = "\x1b[H\x1b[J";
/** More than any terminal keeps: takes back all of kitty's keyboard flags. */
const POP_KEYS = "\x1b[<99u";

/**
 * Undoes what another program, or another picture, may have set: ends a sequence that was cut off (CAN, ST), leaves the alternate screen. Not RIS, which
 * would take the user's scrollback away, and not what may be the user's own: colours, a blinking cursor, tab stops.
 */
export const RESET = [
  "\x18\x1b\\",
  LINK_END,
  `${POP_KEYS}\x1b[?1049l${POP_KEYS}`,
  "\x1b[!p\x1b[>4m",
  "\x1b[?1;5;6;9;45;1000;1002;1003;1004;1005;1006;1015;1016;2004l\x1b[?7h\x1b[4l\x1b[20l\x1b>",
  ASCII,
  `\x1b[0 q\x1b[r\x1b[0"q${PLAIN}`,
].join("");

export function paintScreen(state: ScreenState): string {
  const { core, modes, title } = state;
  const { active, normal } = core.buffers;
  const pen = new Pen(core);
  pen.write(`${SYNC_BEGIN}${RESET}\x1b[?25l${CLEAR}`);
  paintRows(state, pen, normal);
  pen.write(modes.keysToBytes("normal"));
  if (modes.isAlternate) {
    pen.write(`${regionOf(core, normal)}${savedCursorOf(state, normal)}`);
    pen.write(`\x1b[?1049h${ASCII}\x1b[r${PLAIN}${CLEAR}`); // saves the cursor that was just set
    paintRows(state, pen, active);
    pen.write(modes.keysToBytes("alt"));
  }
  pen.write(tabStopsOf(state, active));
  pen.write(`${savedCursorOf(state, active)}\x1b7${ASCII}${PLAIN}`);
  pen.write(`${regionOf(core, active)}${core.coreService.decPrivateModes.origin ? "\x1b[?6h" : ""}`);
  pen.write(cursorOf(state));
  pen.write(charsetsOf(modes.charsets, core._charsetService.glevel));
  pen.write(`${modesOf(core)}${modes.toBytes()}${titleBytes(title)}`);
  pen.write(currentAttributesOf(core));
  pen.write(core.coreService.decPrivateModes.synchronizedOutput ? SYNC_BEGIN : SYNC_END);
  pen.write(lastCharacterOf(state));
  return pen.text();
}

export const titleBytes = (title: string): string => (title === "" ? "" : `\x1b]2;${title}\x1b\\`);

/** Of keyboard and paste: what somebody who types has to send. */
export function keyboardModesOf({ coreService }: Core): string {
  const { applicationCursorKeys, applicationKeypad, bracketedPasteMode } = coreService.decPrivateModes;
  return [
    applicationCursorKeys ? "\x1b[?1h" : "",
    applicationKeypad ? "\x1b=" : "",
    bracketedPasteMode ? "\x1b[?2004h" : "",
  ].join("");
}

export function cursorLookOf({ coreService }: Core): string {
  const { cursorStyle, cursorBlink } = coreService.decPrivateModes;
  const steady = { block: 2, underline: 4, bar: 6 };
  const shape = cursorStyle === undefined ? "" : `\x1b[${steady[cursorStyle] - (cursorBlink ? 1 : 0)} q`;
  return `${shape}\x1b[?25${coreService.isCursorHidden ? "l" : "h"}`;
}

function paintRows({ core, cols, rows, cell }: ScreenState, pen: Pen, buffer: ScreenBuffer): void {
  new RowPainter(pen, { buffer, cols, rows, wraps: cols === core.cols, cell }).paint();
}

function regionOf({ rows }: Core, { scrollTop, scrollBottom }: ScreenBuffer): string {
  return scrollTop === 0 && scrollBottom === rows - 1 ? "" : `\x1b[${scrollTop + 1};${scrollBottom + 1}r`;
}

/** Puts the cursor where the saved one is, with its attributes and character sets. */
function savedCursorOf({ modes, cols, rows }: ScreenState, buffer: ScreenBuffer): string {
  const { savedX, savedY, savedCurAttrData, ybase } = buffer;
  const saved = modes.saved.of(buffer);
  const row = Math.min(Math.max(savedY - ybase, 0), rows - 1);
  const { fg, bg } = savedCurAttrData;
  return [
    `\x1b[${row + 1};${Math.min(savedX, cols - 1) + 1}H`,
    saved ? currentSgrOf({ fg, bg, extended: saved.extended }) : PLAIN,
    saved && isProtected({ fg, bg, extended: saved.extended }) ? protection(true) : "",
    charsetsOf(saved?.charsets ?? [], saved?.shift ?? 0),
  ].join("");
}

const SHIFTS = ["\x0f", "\x0e", "\x1bn", "\x1bo"];

function charsetsOf(finals: readonly string[], shift: number): string {
  const designations = finals.map((final, slot) => (final === "B" ? "" : `\x1b${"()*+"[slot]}${final}`));
  return designations.join("") + (shift === 0 ? "" : SHIFTS[shift]);
}

function tabStopsOf({ cols }: ScreenState, { tabs }: ScreenBuffer): string {
  const stops = Array.from({ length: cols }, (_, column) => column).filter((column) => tabs[column]);
  return `\x1b[3g${stops.map((column) => `\x1b[${column + 1}G\x1bH`).join("")}`;
}

function modesOf(core: Core): string {
  const { coreService, coreMouseService, optionsService } = core;
  const { wraparound, reverseWraparound, sendFocus } = coreService.decPrivateModes;
  return [
    keyboardModesOf(core),
    coreService.modes.insertMode ? "\x1b[4h" : "",
    optionsService.options.convertEol ? "\x1b[20h" : "",
    wraparound ? "" : "\x1b[?7l",
    reverseWraparound ? "\x1b[?45h" : "",
    sendFocus ? "\x1b[?1004h" : "",
    MOUSE_PROTOCOLS[coreMouseService.activeProtocol] ?? "",
    cursorLookOf(core),
  ].join("");
}

const MOUSE_PROTOCOLS: Partial<Record<string, string>> = {
  X10: "\x1b[?9h",
  VT200: "\x1b[?1000h",
  DRAG: "\x1b[?1002h",
  ANY: "\x1b[?1003h",
};

/** Where the next character goes. */
function cursorOf(state: ScreenState): string {
  const { core, cols } = state;
  const { active } = core.buffers;
  if (active.x < core.cols) return moveTo(core, active.y, Math.min(active.x, cols - 1));
  // Behind the last column: the next character wraps. What stands there is written again, now or, if a combining one may follow, last.
  if (joinsBefore(state) !== undefined) return "";
  const column = columnBefore(state, 1);
  const pen = new Pen(core);
  const chars = cellAt(state, column)?.getChars() || " ";
  pen.use(state.cell);
  pen.print(chars);
  pen.usePlain();
  return `${moveTo(core, active.y, column)}${pen.text()}`;
}

/** It is written with the current attributes: nothing was set since. */
function lastCharacterOf(state: ScreenState): string {
  const { core } = state;
  const width = joinsBefore(state);
  if (width === undefined) return "";
  const column = columnBefore(state, width);
  // In insert mode, writing it again would push the rest of the line to the right: it is taken out first.
  const room = core.coreService.modes.insertMode ? `\x1b[${width}P` : "";
  return `${moveTo(core, core.buffers.active.y, column)}${room}${cellAt(state, column)?.getChars() ?? ""}`;
}

/** The width of the character before the cursor, if the next combining one is added to it. */
function joinsBefore(state: ScreenState): number | undefined {
  const { core, cell } = state;
  const width = widthBefore(core);
  if (width === undefined) return undefined;
  const { fg, bg } = core._inputHandler._curAttrData;
  const column = columnBefore(state, width);
  const isThere = cellAt(state, column)?.getWidth() === width && column + width === core.buffers.active.x;
  return isThere && cell.getChars() !== "" && cell.fg >>> 0 === fg >>> 0 && cell.bg >>> 0 === bg >>> 0
    ? width
    : undefined;
}

/** The first column of the character that is as wide and stands before the cursor. */
function columnBefore(state: ScreenState, width: number): number {
  const column = Math.max(0, state.core.buffers.active.x - width);
  const cell = cellAt(state, column);
  return column > 0 && cell?.getWidth() === 0 && cell.getChars() === "" ? column - 1 : column;
}

function cellAt({ core, cell }: ScreenState, column: number): Cell | undefined {
  const { active } = core.buffers;
  return active.lines.get(active.ybase + active.y)?.loadCell(column, cell);
}

/** In origin mode, places are counted from the top margin. */
function moveTo({ coreService, buffers }: Core, row: number, column: number): string {
  const top = coreService.decPrivateModes.origin ? buffers.active.scrollTop : 0;
  return `\x1b[${row - top + 1};${column + 1}H`;
}

function currentAttributesOf(core: Core): string {
  const current = core._inputHandler._curAttrData;
  const link = linkOf(current);
  return [
    currentSgrOf(current),
    isProtected(current) ? protection(true) : "",
    link === 0 ? "" : openLink(core, link),
  ].join("");
}
