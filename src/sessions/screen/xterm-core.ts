import type { IBufferCell, Terminal } from "@xterm/headless";

/**
 * What the emulator knows and has no public name for, as of @xterm/headless 6.0.0 (pinned). Everything that looks inside of it stands here.
 */
export interface CellAttributes {
  /** Colour, and bold, inverse, … (`FG`). */
  fg: number;
  /** Colour, and italic, dim, … (`BG`). */
  bg: number;
  extended: ExtendedAttributes;
}

export interface ExtendedAttributes {
  /** `UNDERLINE_STYLE`, and the underline's colour as in `fg`. */
  _ext: number;
  /** Of a hyperlink; 0: none. */
  urlId: number;
  clone(): ExtendedAttributes;
}

export type Cell = IBufferCell & CellAttributes;

export interface CurrentAttributes extends CellAttributes {
  updateExtended(): void;
}

export interface Line {
  isWrapped: boolean;
  length: number;
  /** By column: characters of several code points. */
  _combined: Record<number, string>;
  copyCellsFrom(this: Line, source: Line, from: number, to: number, count: number, inReverse: boolean): void;
  loadCell(column: number, cell: Cell): Cell;
  resize(cols: number, fill: Cell): void;
  setCellFromCodepoint(column: number, codePoint: number, width: number, attributes: CellAttributes): void;
  translateToString(trimRight: boolean): string;
}

export interface ScreenBuffer {
  lines: { get(row: number): Line | undefined; length: number; maxLength: number };
  x: number;
  y: number;
  ybase: number;
  scrollTop: number;
  scrollBottom: number;
  savedX: number;
  savedY: number;
  savedCurAttrData: CellAttributes;
  tabs: Record<number, boolean | undefined>;
}

export type Charset = Record<string, string> | undefined;

export interface Core {
  cols: number;
  rows: number;
  writeSync(bytes: Uint8Array): void;
  buffers: { active: ScreenBuffer; normal: ScreenBuffer; alt: ScreenBuffer };
  coreService: {
    isCursorHidden: boolean;
    modes: { insertMode: boolean };
    decPrivateModes: {
      applicationCursorKeys: boolean;
      applicationKeypad: boolean;
      bracketedPasteMode: boolean;
      cursorBlink: boolean | undefined;
      cursorStyle: "block" | "underline" | "bar" | undefined;
      origin: boolean;
      reverseWraparound: boolean;
      sendFocus: boolean;
      synchronizedOutput: boolean;
      wraparound: boolean;
    };
  };
  coreMouseService: { activeProtocol: string };
  unicodeService: { wcwidth(codePoint: number): number };
  optionsService: { options: { convertEol: boolean } };
  _charsetService: {
    glevel: number;
    charset: Charset;
    _charsets: Charset[];
    setgLevel(level: number): void;
    setgCharset(slot: number, charset: Charset): void;
  };
  _oscLinkService: {
    registerLink(link: { id?: string | undefined; uri: string }): number;
    addLineToLink(number: number, row: number): void;
    getLinkData(number: number): { id?: string | undefined; uri: string } | undefined;
  };
  _inputHandler: {
    _curAttrData: CurrentAttributes;
    _parser: { precedingJoinState: number; currentState: number };
    print(codePoints: Uint32Array, start: number, end: number): void;
    saveCursor(): boolean;
    restoreCursor(): boolean;
    setModePrivate(params: unknown): boolean;
    resetModePrivate(params: unknown): boolean;
  };
}

export const coreOf = (terminal: Terminal): Core => (terminal as unknown as { _core: Core })._core;

export const FG = {
  inverse: 0x4000000,
  bold: 0x8000000,
  underline: 0x10000000,
  blink: 0x20000000,
  invisible: 0x40000000,
  strikethrough: 0x80000000,
} as const;

export const BG = {
  italic: 0x4000000,
  dim: 0x8000000,
  hasExtended: 0x10000000,
  protected: 0x20000000,
  overline: 0x40000000,
} as const;

/** Where a colour comes from, and the colour. */
export const COLOUR = { modeMask: 0x3000000, palette16: 0x1000000, palette256: 0x2000000, rgb: 0x3000000 } as const;
export const RGB_MASK = 0xffffff;
export const COLOUR_MASK = COLOUR.modeMask | RGB_MASK;
export const UNDERLINE_STYLE_SHIFT = 26;

/** How wide the character is that was just written, and would be repeated (REP); undefined: none. */
export function widthBefore({ _inputHandler }: Core): number | undefined {
  const { precedingJoinState } = _inputHandler._parser;
  return (precedingJoinState >> 1) & 3 || undefined;
}

/** A cell's characters as they are written; a combining character that stands alone needs something to be added to. */
export function written({ unicodeService }: Core, chars: string): string {
  const first = chars.codePointAt(0) ?? 0;
  return first >= 0x300 && unicodeService.wcwidth(first) === 0 ? ` ${chars}` : chars;
}
