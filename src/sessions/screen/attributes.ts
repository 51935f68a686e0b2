import {
  BG,
  type CellAttributes,
  COLOUR,
  COLOUR_MASK,
  type Core,
  FG,
  RGB_MASK,
  UNDERLINE_STYLE_SHIFT,
} from "./xterm-core.ts";

/**
 * The sequences that set what a cell is written with: SGR (ECMA-48 8.3.117; xterm's 38;5, 38;2, 4:n and 58), DECSCA, and OSC 8 for a hyperlink. Each
 * text sets everything, whatever was set before.
 */
export const PLAIN = "\x1b[m";

/** After SGR 59 the emulator has this for "none of its own". */
const UNDERLINE_COLOUR_NONE = COLOUR_MASK;

export function sgrOf({ fg, bg, extended }: CellAttributes): string {
  if (fg === 0 && bg === 0) return PLAIN;
  const codes = ["0"];
  if (fg & FG.bold) codes.push("1");
  if (bg & BG.dim) codes.push("2");
  if (bg & BG.italic) codes.push("3");
  if (fg & FG.underline) codes.push(underlineOf(bg, extended));
  if (fg & FG.blink) codes.push("5");
  if (fg & FG.inverse) codes.push("7");
  if (fg & FG.invisible) codes.push("8");
  if (fg & FG.strikethrough) codes.push("9");
  if (bg & BG.overline) codes.push("53");
  colour(codes, fg, 30, 38);
  colour(codes, bg, 40, 48);
  if (bg & BG.hasExtended) underlineColour(codes, extended._ext);
  return `\x1b[${codes.join(";")}m`;
}

/** With what is set for later: a colour of underlines to come. */
export function currentSgrOf(attributes: CellAttributes): string {
  const codes: string[] = [];
  underlineColour(codes, attributes.extended._ext);
  return codes.length === 0 ? sgrOf(attributes) : `${sgrOf(attributes)}\x1b[${codes.join(";")}m`;
}

export const isProtected = ({ bg }: CellAttributes): boolean => (bg & BG.protected) !== 0;
export const protection = (isOn: boolean): string => `\x1b[${isOn ? 1 : 0}"q`;

/** The hyperlink's number, 0 without one. */
export const linkOf = ({ bg, extended }: CellAttributes): number => (bg & BG.hasExtended ? extended.urlId : 0);

export const LINK_END = "\x1b]8;;\x1b\\";

export function openLink(core: Core, link: number): string {
  const data = link === 0 ? undefined : core._oscLinkService.getLinkData(link);
  if (!data) return LINK_END;
  return `\x1b]8;${data.id === undefined ? "" : `id=${data.id}`};${data.uri}\x1b\\`;
}

/** Erasing leaves the colour of the background alone. */
export const isErasable = ({ fg, bg }: CellAttributes): boolean => fg === 0 && (bg & ~COLOUR_MASK) === 0;

/** 4 for a plain one, which every terminal knows. */
function underlineOf(bg: number, { _ext }: CellAttributes["extended"]): string {
  const style = bg & BG.hasExtended ? (_ext >>> UNDERLINE_STYLE_SHIFT) & 7 : 1;
  return style > 1 ? `4:${style}` : "4";
}

function colour(codes: string[], value: number, base: 30 | 40, extended: 38 | 48): void {
  const mode = value & COLOUR.modeMask;
  const index = value & 255;
  if (mode === COLOUR.palette16) codes.push(String(index < 8 ? base + index : base + 60 + index - 8));
  else if (mode === COLOUR.palette256) codes.push(`${extended};5;${index}`);
  else if (mode === COLOUR.rgb) codes.push(`${extended};2;${rgb(value).join(";")}`);
}

function underlineColour(codes: string[], ext: number): void {
  const value = ext & COLOUR_MASK;
  const mode = value & COLOUR.modeMask;
  if (mode === 0) return;
  if (value === UNDERLINE_COLOUR_NONE) codes.push("59");
  else if (mode === COLOUR.rgb) codes.push(`58:2::${rgb(value).join(":")}`);
  else codes.push(`58:5:${value & 255}`);
}

const rgb = (value: number): number[] => {
  const colourBits = value & RGB_MASK;
  return [colourBits >> 16, (colourBits >> 8) & 255, colourBits & 255];
};
