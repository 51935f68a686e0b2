/** Widths and cuts of text in terminal columns. */

/** Escape sequences take no column. */
// biome-ignore lint/complexity/useRegexLiterals: the escape character is easier to see here
const ESCAPES = new RegExp("\\x1b\\[[0-9;]*m", "g");
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
const ZERO = /\p{Mark}|\u200d|\ufe0f/u;

export function widthOf(text: string): number {
  const bare = text.includes("\x1b") ? text.replace(ESCAPES, "") : text;
  if (/^[\x20-\x7e]*$/.test(bare)) return bare.length;
  let width = 0;
  for (const character of bare) width += ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

export const padEnd = (text: string, width: number): string => text.padEnd(text.length + width - widthOf(text));
export const padStart = (text: string, width: number): string => text.padStart(text.length + width - widthOf(text));

/** Long commands say most at their beginning and their end. */
export function cutMiddle(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (width <= 1) return "…".slice(0, Math.max(0, width));
  const characters = [...text];
  const head = Math.ceil((width - 1) / 2);
  const tail = width - 1 - head;
  return `${takeColumns(characters, head)}…${takeColumns(characters.toReversed(), tail, true)}`;
}

/** Paths are cut from the left. */
export const cutStart = (text: string, width: number): string =>
  widthOf(text) <= width ? text : `…${takeColumns([...text].toReversed(), width - 1, true)}`;

/** Control characters of a foreign text would move the cursor: they are shown as �. */
export const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "\ufffd");

function takeColumns(characters: readonly string[], width: number, reversed = false): string {
  const taken: string[] = [];
  let used = 0;
  for (const character of characters) {
    used += widthOf(character);
    if (used > width) break;
    taken.push(character);
  }
  return (reversed ? taken.toReversed() : taken).join("");
}
