/**
 * Columns of a terminal that text takes, and cutting text to a number of columns. Text is cut between graphemes (UAX #29); a wide one that does
 * not fit whole leaves a blank.
 */

const PLAIN_ASCII = /^[\x20-\x7e]*$/;
const ZERO_WIDTH = /^[\p{Mark}\p{Cf}\p{Default_Ignorable_Code_Point}]+$/u;
/** East Asian wide and full-width characters, and what is shown as emoji by default (UAX #11, UTS #51). */
const WIDE =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const EMOJI_SELECTOR = "\ufe0f";

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

export const isPlainAscii = (text: string): boolean => PLAIN_ASCII.test(text);

/** 0, 1 or 2. */
export function graphemeWidth(grapheme: string): number {
  if (grapheme.length === 1 && isPlainAscii(grapheme)) return 1;
  if (ZERO_WIDTH.test(grapheme)) return 0;
  return WIDE.test(grapheme) || grapheme.includes(EMOJI_SELECTOR) ? 2 : 1;
}

export function* graphemes(text: string): Generator<string> {
  for (const { segment } of segmenter.segment(text)) yield segment;
}

export function widthOf(text: string): number {
  if (isPlainAscii(text)) return text.length;
  let width = 0;
  for (const grapheme of graphemes(text)) width += graphemeWidth(grapheme);
  return width;
}

/** The first `columns` columns; shorter when a wide grapheme does not fit. */
export function takeStart(text: string, columns: number): string {
  if (isPlainAscii(text)) return text.slice(0, Math.max(0, columns));
  let width = 0;
  let taken = "";
  for (const grapheme of graphemes(text)) {
    width += graphemeWidth(grapheme);
    if (width > columns) break;
    taken += grapheme;
  }
  return taken;
}

/** The last `columns` columns. */
export function takeEnd(text: string, columns: number): string {
  if (isPlainAscii(text)) return columns <= 0 ? "" : text.slice(-columns);
  const all = [...graphemes(text)];
  let width = 0;
  let from = all.length;
  while (from > 0) {
    width += graphemeWidth(all[from - 1]!);
    if (width > columns) break;
    from -= 1;
  }
  return all.slice(from).join("");
}

/** Cut at the end with `…`. */
export function cutEnd(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  return columns <= 0 ? "" : `${takeStart(text, columns - 1)}…`;
}

/** Cut in the middle: a long command keeps its program and its last arguments. */
export function cutMiddle(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  if (columns <= 2) return cutEnd(text, columns);
  const tail = Math.floor((columns - 1) / 3);
  return `${takeStart(text, columns - 1 - tail)}…${takeEnd(text, tail)}`;
}

/** Cut at the start: a path keeps its last folders. */
export function cutStart(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  return columns <= 0 ? "" : `…${takeEnd(text, columns - 1)}`;
}

export const padEnd = (text: string, columns: number): string =>
  text + " ".repeat(Math.max(0, columns - widthOf(text)));

export const padStart = (text: string, columns: number): string =>
  " ".repeat(Math.max(0, columns - widthOf(text))) + text;

/** A path below the user's home directory with `~`. */
export function tildePath(path: string, homeDir: string): string {
  if (homeDir === "" || homeDir === "/") return path;
  return path === homeDir ? "~" : path.startsWith(`${homeDir}/`) ? `~${path.slice(homeDir.length)}` : path;
}
